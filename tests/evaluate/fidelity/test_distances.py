from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import energy_distance, norm, wasserstein_distance

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.fidelity.distances import (
    BLOCKS,
    METRICS,
    Cloud,
    between,
    directions,
    discrepancies,
    distances,
    median_distance,
    pair_sums,
    sliced,
    transport,
)
from tests.contracts.samples import cohort, collapsed, shuffled, table


def judged(train, holdout, synthetic, **more):
    return {f.metric: f for f in distances(Evidence(train, holdout, synthetic, catalog.modality("table"), **more))}


def cloud(points: np.ndarray, who: np.ndarray | None = None) -> Cloud:
    units = np.arange(len(points)) if who is None else who
    return Cloud(points, units, units % BLOCKS)


def squares(a: Cloud, b: Cloud, width: float = 1.0) -> tuple[float, float]:
    found = discrepancies(pair_sums(a, a, width), pair_sums(b, b, width), pair_sums(a, b, width), units=9)
    return found[0].value, found[1].value


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 99))
def test_transport_is_scipys(n, m, seed):
    rng = stream(seed)
    a, b = rng.integers(0, 9, n) / 2, rng.normal(size=m)
    assert transport(a, b)[0] == pytest.approx(wasserstein_distance(a, b))
    assert transport(b, a)[0] == pytest.approx(transport(a, b)[0])


def test_the_potential_is_the_influence():
    rng, small = stream(0), 1e-6
    a, b = rng.normal(size=40), rng.normal(size=30) + 0.7
    value, potential = transport(a, b)
    potential = potential[:40] - potential[:40].mean()
    for i in (0, 11, 39):
        weight = np.full(40, (1 - small) / 40) + small * (np.arange(40) == i)
        assert (wasserstein_distance(a, b, weight) - value) / small == pytest.approx(potential[i], abs=1e-4)


def test_a_shift_moves_every_direction_by_its_part():
    points, axes = stream(0).normal(size=(200, 3)), directions(3, seed=0)
    found = sliced(cloud(points), cloud(points + np.array([3.0, 0, 0])), axes)
    assert found.value == pytest.approx(np.abs(axes @ [3.0, 0, 0]).mean())
    assert found.value == pytest.approx(1.5, abs=0.2)  # of a unit vector in space, the mean part along a line is a half


def test_energy_in_one_dimension_is_scipys():
    """scipy averages over all pairs, a record with itself too, and takes the root."""
    rng = stream(0)
    a, b = rng.normal(size=200), rng.normal(size=200) + 0.5
    biased = energy_distance(a, b) ** 2
    own = sum(cdist(x[:, None], x[:, None]).mean() for x in (a, b))
    assert squares(cloud(a[:, None]), cloud(b[:, None]))[1] == pytest.approx(biased + own - own * 200 / 199)


def test_shifted_gaussians_have_their_closed_forms():
    rng, shift, width = stream(0), 1.0, 1.5
    a, b = rng.normal(size=(1500, 1)), rng.normal(size=(1500, 1)) + shift
    mmd, energy = squares(cloud(a), cloud(b), width)

    def kernel(gap: float) -> float:
        return width / math.sqrt(width**2 + 2) * math.exp(-(gap**2) / (2 * (width**2 + 2)))

    def far(gap: float) -> float:
        return 2 / math.sqrt(math.pi) * math.exp(-(gap**2) / 4) + gap * (1 - 2 * norm.cdf(-gap / math.sqrt(2)))

    assert mmd == pytest.approx(2 * kernel(0) - 2 * kernel(shift), abs=0.02)
    assert energy == pytest.approx(2 * far(shift) - 2 * far(0), abs=0.05)


@pytest.mark.parametrize("visits", [1, 6])
def test_the_squares_are_unbiased(visits):
    """A diagonal, or pairs of one patient's visits, would make equal distributions look different (synthcity's MMD)."""
    rng, found = stream(visits), []
    for _ in range(150):
        a, b = (np.repeat(rng.normal(size=(60 // visits, 2)), visits, axis=0) for _ in range(2))
        who = np.repeat(np.arange(60 // visits), visits)
        found.append(squares(cloud(a, who), cloud(b, who)))
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / math.sqrt(150)
    assert (np.abs(mean) < 3 * error).all()


def test_the_kernel_is_as_wide_as_the_data():
    """With a fixed width (synthcity: gamma = 1 on raw units), data in other units would look alike or wholly apart."""
    rng = stream(0)
    a, b = rng.normal(size=(150, 4)), rng.normal(size=(150, 4)) + 1
    found = [squares(cloud(a * c), cloud(b * c), median_distance(b * c))[0] for c in (1, 1000)]
    assert found[0] == pytest.approx(found[1])
    assert found[0] > 0.1


def test_distances_are_scipys_also_for_one_point_often():
    rng = stream(0)
    a, b = rng.normal(size=(30, 4)) + 100, rng.normal(size=(20, 4)) + 100
    assert between(a, b) == pytest.approx(cdist(a, b))
    assert median_distance(np.ones((5, 2))) == 1


def test_real_is_near_its_control_and_damage_is_seen():
    train, holdout, fresh = (cohort(400, seed) for seed in range(3))
    good = judged(train, holdout, fresh, floor=shuffled(fresh, stream(0)))
    assert set(good) == set(METRICS)
    for finding in good.values():
        assert finding.estimate.low <= finding.control.high
        assert finding.control.low <= finding.estimate.high
    assert good["fidelity.mmd"].estimate.value == pytest.approx(
        math.sqrt(max(good["fidelity.mmd"].detail["squared"], 0))
    )
    few = judged(train, holdout, collapsed(fresh, stream(0)))
    assert all(few[metric].estimate.low > good[metric].control.high for metric in METRICS)


def test_the_intervals_cover():
    hits = []
    for seed in range(20):
        rng = stream(seed, "cover")
        parts = [table(pd.DataFrame(rng.normal(size=(100, 2)), columns=list("ab"))) for _ in range(3)]
        found = judged(*parts, seed=seed)
        hits += [found[metric].estimate.low == 0 for metric in ("fidelity.mmd", "fidelity.energy")]
    assert np.mean(hits) >= 0.87


def test_few_patients_are_insufficient():
    assert {f.status for f in judged(cohort(100, 0), cohort(20, 1), cohort(100, 2)).values()} == {"insufficient"}
