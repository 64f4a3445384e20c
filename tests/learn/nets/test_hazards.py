from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.hazards import FAST, NARROW, SLOW, WIDE, HazardNet, shapes_at


def net(intervals=7, exits=2):
    points = np.concatenate([np.linspace(-1, 1, 4)[:, None], np.zeros((3, 1))])
    made = HazardNet(np.array([4, 3]), points, np.repeat([0, 1], [4, 3]), intervals=intervals, exits=exits, width=5)
    made.start(rng=stream(0))
    return made


def test_no_covariate_matters_at_first_and_the_level_is_what_remains():
    made = net()
    made.level.copy_(torch.arange(14.0).reshape(7, 2))
    out = made(torch.tensor([[0, 0], [3, 2]]))
    assert out.shape == (2, 7, 2)
    assert torch.equal(out[0], made.level) and torch.equal(out[1], made.level)


def test_a_constant_effect_moves_every_interval_alike_and_a_hat_only_its_own():
    made = net(intervals=31, exits=1)
    with torch.no_grad():
        made.own[4, made.width] = 2.0  # the first code of the second column, the constant
        made.own[5, made.width + 1 + WIDE] = 1.0  # its second code, the first narrow hat
    steady, early, none = made(torch.tensor([[0, 0], [0, 1], [0, 2]]))[:, :, 0].detach().numpy()
    assert steady - none == pytest.approx(2.0)
    assert early[0] - none[0] == pytest.approx(FAST)
    assert early[2:] == pytest.approx(none[2:], abs=1e-6)


def test_hats_of_a_kind_add_up_to_their_prior_deviation_everywhere():
    shapes = shapes_at(np.linspace(0, 1, 50))
    assert shapes.shape == (50, 1 + WIDE + NARROW)
    assert shapes[:, 1 : 1 + WIDE].sum(1) == pytest.approx(SLOW)
    assert shapes[:, 1 + WIDE :].sum(1) == pytest.approx(FAST)


def test_the_penalty_is_half_the_squared_length_of_all_weights():
    made = net()
    flat = torch.cat([weight.detach().flatten() for weight in made.parameters()])
    assert float(made.penalty().detach()) == pytest.approx(float(flat @ flat) / 2, rel=1e-5)


def test_a_record_without_covariates_has_the_level():
    made = HazardNet(np.zeros(0, int), np.zeros((0, 0)), np.zeros(0), intervals=3, exits=1, width=2)
    assert torch.equal(made(torch.zeros((2, 0), dtype=torch.int64)), torch.zeros(2, 3, 1))
