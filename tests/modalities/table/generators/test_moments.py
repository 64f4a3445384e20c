"""The fit of a mixture to pairs: its gradient, and a mixture that is known."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from semblance.core.model import Tick
from semblance.core.rng import stream
from semblance.modalities.table.generators.moments import Moments, _Work
from semblance.modalities.table.generators.products import Products

SIZES = (3, 2, 4)


def known(seed: int = 0) -> Products:
    rng = stream(seed, "known")
    shares = [rng.dirichlet(np.full(size, 0.5), 4).T for size in SIZES]
    return Products(rng.dirichlet(np.ones(4)), np.concatenate(shares), np.array(SIZES))


def pair_of(mixture: Products, i: int, j: int) -> np.ndarray:
    found: np.ndarray = (mixture.column(i) * mixture.weights) @ mixture.column(j).T
    return found


def moments(mixture: Products, noise: float = 0.01) -> Moments:
    pairs = {(i, j): pair_of(mixture, i, j) for i, j in combinations(range(len(SIZES)), 2)}
    return Moments(mixture.marginals, noise, pairs, {pair: noise * (1 + sum(pair)) for pair in pairs})


def test_the_gradient_is_the_slope_of_the_loss():
    work, rng = _Work.of(moments(known())), stream(0, "values")
    values = [rng.normal(size=(5, sum(SIZES))), rng.normal(size=5)]
    _, gradients = work.gradients(*values)
    for which, gradient in enumerate(gradients):
        for place in [*np.ndindex(*gradient.shape)][::3]:
            moved = [[v.copy() for v in values] for _ in range(2)]
            moved[0][which][place] += 1e-4
            moved[1][which][place] -= 1e-4
            slope = (work.gradients(*moved[0])[0] - work.gradients(*moved[1])[0]) / 2e-4
            assert gradient[place] == pytest.approx(slope, rel=2e-3, abs=2e-4)


def test_a_known_mixture_is_met_in_all_its_pairs():
    truth, ticks = known(1), list[Tick]()
    found = moments(truth).fitted(components=16, steps=800, rng=stream(0, "fit"), watch=ticks.append)
    for i, j in combinations(range(len(SIZES)), 2):
        assert np.abs(pair_of(found, i, j) - pair_of(truth, i, j)).sum() / 2 < 0.01
    assert found.weights.sum() == pytest.approx(1)
    assert ticks[-1].step == ticks[-1].steps == 800 and ticks[-1].loss < ticks[0].loss


def test_the_same_seed_gives_the_same_mixture():
    one, two = (moments(known()).fitted(components=8, steps=50, rng=stream(3, "fit")) for _ in range(2))
    assert np.array_equal(one.shares, two.shares) and np.array_equal(one.weights, two.weights)


def test_a_single_column_is_met_without_any_pair():
    shares = np.array([0.5, 0.3, 0.2])
    found = Moments([shares], 0.01, {}, {}).fitted(components=4, steps=400, rng=stream(0, "fit"))
    assert found.marginals[0] == pytest.approx(shares, abs=0.01)
