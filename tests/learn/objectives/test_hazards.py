from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.hazards import HazardNet
from semblance.learn.objectives.hazards import DiscreteHazards, chances, surprise


def objective(sizes=(3,), intervals=4, exits=2, records=10):
    total = sum(sizes)
    net = HazardNet(np.array(sizes), np.zeros((total, 0)), np.ones(total), intervals=intervals, exits=exits, width=3)
    net.start(rng=stream(0))
    return DiscreteHazards(net, records=records)


def test_the_likelihood_of_a_tiny_case_by_hand():
    """Two intervals and two exits. Odds 1:2 against staying at first, then only the exits' own odds count."""
    logits = torch.log(torch.tensor([[[1.0, 2.0], [3.0, 1.0]]]))
    paths = {(0, 0, 0): 1 / 4, (0, 0, 1): 2 / 4, (0, 1, 0): 1 / 4 * 3 / 4, (0, 1, 1): 1 / 4 * 1 / 4}
    for path, chance in paths.items():
        assert float(surprise(logits, torch.tensor([path]))) == pytest.approx(-np.log(chance))
    assert float(surprise(logits, torch.tensor([(1, 1, 0)]))) == pytest.approx(-np.log(3 / 4))  # entered late


def test_chances_are_the_likelihoods_of_all_paths_and_add_up_to_one():
    logits = torch.from_numpy(stream(1).normal(size=(2, 5, 3))).float()
    entry = torch.tensor([0, 2])
    made = chances(logits, entry)
    assert made.sum((1, 2)) == pytest.approx(1.0)
    assert float(made[1, :2].sum()) == 0
    for i, k, e in itertools.product(range(2), range(5), range(3)):
        if k >= entry[i]:
            path = torch.tensor([[int(entry[i]), k, e]])
            assert float(surprise(logits[i : i + 1], path)) == pytest.approx(-np.log(float(made[i, k, e])), abs=1e-5)


def test_without_effects_the_start_is_the_life_table():
    shares = np.array([[0.1, 0.2], [0.3, 0.0], [0.25, 0.15]])
    made = objective(intervals=3)
    made.begin(shares, np.array([1.0, 0.7, 0.4]))
    with torch.no_grad():
        found = chances(made.net(torch.zeros((1, 1), dtype=torch.int64)), torch.zeros(1))[0].numpy()
    assert found == pytest.approx(shares, abs=1e-5)


def test_calibrated_records_leave_as_asked_whatever_their_covariates_do():
    made, rng = objective(), stream(2)
    with torch.no_grad():
        for weight in made.net.parameters():
            weight.copy_(torch.from_numpy(rng.normal(0, 1, weight.shape)))
    codes, entry = rng.integers(0, 3, (900, 1)), rng.integers(0, 2, 900)
    asked = np.array([[0.05, 0.1], [0.2, 0.15], [0.0, 0.4], [0.05, 0.05]])
    made.calibrate(codes, entry, asked)
    with torch.no_grad():
        found = chances(made.net(torch.from_numpy(codes)), torch.from_numpy(entry)).mean(0).numpy()
    assert found == pytest.approx(asked, abs=2e-3)


def test_draws_follow_the_chances_and_never_come_before_the_entry():
    made, rng = objective(), stream(3)
    with torch.no_grad():
        made.net.level.copy_(torch.from_numpy(rng.normal(-1, 1, (4, 2))))
    entry = np.repeat([0, 2], 20_000)
    interval, out = made.sample(np.zeros((40_000, 1), dtype=np.int64), entry, rng.random(40_000))
    with torch.no_grad():
        told = chances(made.net(torch.zeros((2, 1), dtype=torch.int64)), torch.tensor([0, 2])).numpy()
    for k, late in enumerate((0, 2)):
        rows = entry == late
        share = np.bincount(interval[rows] * 2 + out[rows], minlength=8).reshape(4, 2) / rows.sum()
        assert share == pytest.approx(told[k], abs=0.015)
    assert interval[entry == 2].min() == 2


def test_nothing_is_drawn_for_nobody():
    interval, out = objective().sample(np.zeros((0, 1), np.int64), np.zeros(0, np.int64), np.zeros(0))
    assert len(interval) == len(out) == 0
