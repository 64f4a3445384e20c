"""The fit of a mixture to pairs: its gradient, and a mixture that is known."""

from __future__ import annotations

from dataclasses import replace
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


def moments(mixture: Products, noise: float = 0.01, strata: int = 1) -> Moments:
    """Its pairs, of which each of `strata` holds a part: of two, the first holds the components of even number."""
    levels = [np.arange(len(mixture.weights)) % strata == k for k in range(strata)]
    held = [Products(mixture.weights * level, mixture.shares, mixture.sizes) for level in levels]
    pairs = {(i, j): np.stack([pair_of(part, i, j) for part in held]) for i, j in combinations(range(len(SIZES)), 2)}
    single = [np.stack([part.column(j) @ part.weights for part in held]) for j in range(len(SIZES))]
    alone = [np.full(size, noise) for size in SIZES]
    return Moments(np.array([part.weights.sum() for part in held]), single, pairs, alone, 2 * noise)


@pytest.mark.parametrize("strata", [1, 2])
def test_the_gradient_is_the_slope_of_the_loss(strata):
    rng = stream(0, "values")
    work, begun = _Work.of(moments(known(), strata=strata)).begun(5, rng=rng)
    values = [rng.normal(size=each.shape) for each in begun]
    _, gradients = work.gradients(*values)
    for which, gradient in enumerate(gradients):
        for place in [*np.ndindex(*gradient.shape)][::3]:
            moved = [[v.copy() for v in values] for _ in range(2)]
            moved[0][which][place] += 1e-4
            moved[1][which][place] -= 1e-4
            slope = (work.gradients(*moved[0])[0] - work.gradients(*moved[1])[0]) / 2e-4
            assert gradient[place] == pytest.approx(slope, rel=2e-3, abs=2e-4)


def test_noise_may_differ_from_table_to_table():
    one = moments(known(), strata=2)
    apart = replace(
        one,
        single_noise=[np.full(size, each) for size, each in zip(SIZES, (0.01, 0.02, 0.05), strict=True)],
        pair_noise={pair: 0.01 * sum(pair) for pair in one.pairs},
    )
    same = replace(one, pair_noise=dict.fromkeys(one.pairs, 0.02))
    two, plain, work = _Work.of(apart), _Work.of(one), _Work.of(same)
    assert np.array_equal(plain.pair_weight, work.pair_weight)
    assert np.array_equal(plain.single_weight, work.single_weight)
    assert two.pair_weight[0, 3] / two.pair_weight[0, 5] == pytest.approx(4)  # pairs (0, 1) and (0, 2)
    assert two.single_weight[0] / two.single_weight[3] == pytest.approx(4)


@pytest.mark.parametrize("strata", [1, 2])
def test_a_known_mixture_is_met_in_all_its_pairs(strata):
    truth, ticks = moments(known(1), noise=0.001, strata=strata), list[Tick]()
    found, stratum = truth.fitted(components=16, steps=800, rng=stream(0, "fit"), watch=ticks.append)
    for level in range(strata):
        part = Products(found.weights * (stratum == level), found.shares, found.sizes)
        assert part.weights.sum() == pytest.approx(truth.strata[level], abs=1e-4)
        for (i, j), shares in truth.pairs.items():
            assert np.abs(pair_of(part, i, j) - shares[level]).sum() / 2 < 0.01
    assert found.weights.sum() == pytest.approx(1)
    assert ticks[-1].step == ticks[-1].steps == 800 and ticks[-1].loss < ticks[0].loss


def test_the_same_seed_gives_the_same_mixture():
    one, two = (moments(known()).fitted(components=8, steps=50, rng=stream(3, "fit"))[0] for _ in range(2))
    assert np.array_equal(one.shares, two.shares) and np.array_equal(one.weights, two.weights)


def test_a_single_column_is_met_without_any_pair():
    shares = np.array([0.5, 0.3, 0.2])
    alone = Moments(np.ones(1), [shares[None]], {}, [np.full(3, 0.01)], 0.01)
    found, _ = alone.fitted(components=4, steps=400, rng=stream(0, "fit"))
    assert found.marginals[0] == pytest.approx(shares, abs=0.01)


def noisy(truth: Moments, sigma: float) -> Moments:
    rng = stream(0, "noise")
    pairs = {pair: shares + sigma * rng.standard_normal(shares.shape) for pair, shares in truth.pairs.items()}
    return replace(truth, pairs=pairs, pair_noise=sigma)


def test_a_rare_code_is_told_by_its_own_pairs():
    """One record in 200 has the last code of the last column, and then the first of all others."""
    shares = np.array([[0.1, 1.0], [0.4, 0], [0.5, 0], [0.3, 1], [0.7, 0], [0.6, 0], [0.2, 0], [0.2, 0], [0, 1]])
    truth = moments(Products(np.array([0.995, 0.005]), shares, np.array(SIZES)), noise=2e-4)
    found, _ = noisy(truth, 4e-4).fitted(components=9, steps=800, rng=stream(0, "fit"))
    for column in (0, 1):
        first = pair_of(found, column, 2)[:, -1]
        assert first.sum() == pytest.approx(0.005, rel=0.3) and first[0] / first.sum() > 0.8


def test_the_prior_takes_noise_out(monkeypatch):
    """Columns that do not depend on each other come nearer to that, however many components could follow the noise."""
    size = 8
    pairs = {(i, j): np.full((1, size, size), size**-2) for i, j in combinations(range(4), 2)}
    alone = [np.full((1, size), 1 / size)] * 4
    told = noisy(Moments(np.ones(1), alone, pairs, [np.full(size, 1e-3)] * 4, 0.02), 0.02)

    def off() -> float:
        found, _ = told.fitted(components=64, steps=600, rng=stream(0, "fit"))
        return float(np.mean([np.abs(pair_of(found, i, j) - size**-2).sum() / 2 for i, j in pairs]))

    kept = off()
    monkeypatch.setattr("semblance.modalities.table.generators.moments.PRIOR", 1e9)
    noise = np.mean([np.abs(shares - size**-2).sum() / 2 for shares in told.pairs.values()])
    assert kept < 0.8 * off() and kept < 0.3 * noise
