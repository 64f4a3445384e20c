from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.fidelity.coverage import (
    BLOCKS,
    METRICS,
    Clouds,
    K,
    coverage,
    covered,
    density,
    precision,
    radii,
    recall,
    tally,
)
from tests.contracts.samples import cohort, collapsed, shuffled, table


def judged(train, holdout, synthetic, **more):
    return {f.metric: f for f in coverage(Evidence(train, holdout, synthetic, catalog.modality("table"), **more))}


def clouds(real: np.ndarray, made: np.ndarray) -> Clouds:
    own = [np.sort(cdist(side, side), axis=1) for side in (real, made)]  # column 0 is the point itself
    block = [np.arange(len(side)) % BLOCKS for side in (real, made)]
    return Clouds(real, made, *block, own[0][:, 1], own[0][:, K], own[1][:, K], units=len(real))


def pair(seed: int, shift: float = 0.3) -> Clouds:
    rng = stream(seed)
    return clouds(rng.normal(size=(150, 3)), rng.normal(size=(150, 3)) * 0.8 + shift)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("block", [-1, 0, 7])
def test_density_and_coverage_are_their_definitions(seed, block):
    both = pair(seed)
    kept = np.ix_(both.real_block != block, both.made_block != block)
    inside = (cdist(both.real, both.made) <= both.real_far[:, None])[kept]
    balls = tally(both)
    assert density(both, balls, block) == pytest.approx(inside.sum(axis=1).mean() * 150 / (K * inside.shape[1]))
    assert covered(both, balls, block) == pytest.approx(inside.any(axis=1).mean())


def test_improved_precision_and_recall_are_their_definitions():
    both = pair(0)
    far, balls = cdist(both.real, both.made), tally(both)
    assert (balls.inside == (far <= both.real_far[:, None]).any(axis=0)).all()
    assert (balls.caught == (far <= both.made_far).any(axis=1)).all()


@pytest.mark.parametrize("seed", range(3))
def test_alpha_precision_and_beta_recall_are_their_definitions(seed):
    """The curves as the paper draws them, at the quantiles of the reference cloud."""
    both, grid = pair(seed), np.arange(1, 151) / 150
    out = np.linalg.norm(both.real - both.real.mean(axis=0), axis=1)
    into = np.linalg.norm(both.made - both.real.mean(axis=0), axis=1)
    curve = [(into <= a).mean() for a in np.sort(out)]
    assert precision(both, tally(both), -1) == pytest.approx(1 - 2 * np.mean(np.abs(curve - grid)))

    core, far = np.linalg.norm(both.made - both.made.mean(axis=0), axis=1), cdist(both.real, both.made)
    curve = []
    for b in np.sort(core):
        support = core <= b
        curve.append((far[:, support].min(axis=1) <= both.real_near).mean())
    assert recall(both, tally(both), -1) == pytest.approx(1 - 2 * np.mean(np.abs(curve - grid)))


def test_one_cloud_twice_is_perfect():
    points = stream(0).normal(size=(100, 4))
    both = clouds(points, points)
    balls = tally(both)
    assert precision(both, balls, -1) == 1
    assert covered(both, balls, -1) == 1
    assert density(both, balls, -1) == pytest.approx((K + 1) / K)  # each ball holds its own centre too


def test_far_away_is_nothing():
    points = stream(0).normal(size=(100, 4))
    both = clouds(points, points + 100)
    balls = tally(both)
    assert [f(both, balls, -1) for f in (precision, recall, density, covered)] == [0, 0, 0, 0]


def test_equal_distances_stay_equal_in_a_product():
    """Points on a lattice: most balls end exactly on a point, which counts."""
    rng = stream(0)
    real, made = (rng.integers(0, 3, size=(200, 6)) / np.sqrt(2) + 50 for _ in range(2))
    both = clouds(real, made)
    inside = cdist(real, made) <= both.real_far[:, None] + 1e-9
    assert (tally(both).held.sum(axis=1) == inside.sum(axis=1)).all()


def test_real_is_near_its_control_and_damage_is_seen():
    train, holdout, fresh = (cohort(400, seed) for seed in range(3))
    good = judged(train, holdout, fresh, floor=shuffled(fresh, stream(0)))
    assert set(good) == set(METRICS)
    for finding in good.values():
        assert abs(finding.estimate.value - finding.control.value) < 0.12
    assert good["fidelity.coverage"].floor.value < good["fidelity.coverage"].control.value
    assert good["fidelity.coverage"].control.value == pytest.approx(1 - 0.5**K, abs=0.03)
    assert good["fidelity.density"].control.value == pytest.approx(1, abs=0.1)
    few = judged(train, holdout, collapsed(fresh, stream(0)))
    for metric in METRICS:
        if metric != "fidelity.density":  # which a few central records can fool: Naeem et al. pair it with coverage
            assert few[metric].estimate.high < good[metric].control.low


def test_visits_of_one_patient_do_not_shrink_the_balls():
    """A patient's own records are no neighbours: fresh patients would look unlike real ones."""
    rng, parts = stream(0), []
    for _ in range(3):
        x = np.repeat(rng.normal(size=(80, 2)), 4, axis=0) + rng.normal(size=(320, 2)) * 0.01
        frame = pd.DataFrame(x, columns=["a", "b"]).assign(pid=[f"p{i // 4}" for i in range(320)])
        parts.append(table(frame, subject="pid"))
    found = judged(*parts)
    assert found["fidelity.coverage"].estimate.value > 0.6
    assert found["fidelity.coverage"].estimate.n == 80
    evidence = Evidence(*parts, catalog.modality("table"))
    near, far = radii(evidence, "holdout", np.arange(320))
    assert np.median(near) > 0.02
    assert (far >= near).all()


def test_few_patients_are_insufficient():
    found = judged(cohort(100, 0), cohort(20, 1), cohort(100, 2))
    assert {f.status for f in found.values()} == {"insufficient"}
    assert [metric for metric, f in found.items() if "projection" in f.detail] == ["fidelity.coverage"]
