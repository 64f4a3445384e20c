from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.estimate import auc
from semblance.core.rng import stream
from semblance.evaluate.attacks import distance
from semblance.evaluate.attacks.distance import nearest, nearest_difference
from tests.contracts.samples import WEIRD, cohort


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(1, 60), st.integers(1, 6), st.integers(0, 99))
def test_nearest_is_scipys(n, m, d, seed):
    rng = stream(seed)
    queries, points = (rng.normal(size=(k, d)).astype(np.float32) for k in (n, m))
    assert nearest(queries, points) == pytest.approx(cKDTree(points).query(queries)[0], abs=1e-5)


def test_nearest_over_several_blocks_finds_copies_at_distance_zero(monkeypatch):
    monkeypatch.setattr(distance, "ROWS", 7)
    monkeypatch.setattr(distance, "POINTS", 11)
    points = stream(0).normal(size=(100, 5)).astype(np.float32) + 1000
    assert (nearest(points[::-1], points) == 0).all()


def attacked(train, holdout, synthetic, **more):
    return nearest_difference(Evidence(train, holdout, synthetic, catalog.modality("table"), **more))


def test_a_copycat_is_caught_even_among_few_synthetic_records():
    train, holdout = cohort(600, 0), cohort(300, 1)
    assert auc(*sides(attacked(train, holdout, train))).low > 0.85
    some = train.take(np.arange(0, 600, 4))
    assert auc(*sides(attacked(train, holdout, some))).low > 0.5


def sides(scores):
    return scores.member, scores.outsider


def test_chance_is_covered_where_nothing_leaks():
    hits = []
    for seed in range(40):
        whole = cohort(600, seed)
        parts = (whole.take(np.arange(i * 200, (i + 1) * 200)) for i in range(3))
        scores = attacked(*parts, seed=seed)
        for pair in (sides(scores), (scores.control_member, scores.control_outsider)):
            estimate = auc(*pair)
            hits.append(estimate.low <= 0.5 <= estimate.high)
    assert np.mean(hits) >= 0.88


def test_one_score_per_patient_and_equal_sides():
    repeated = WEIRD["repeated visits"]()
    patients = np.unique(repeated.subjects)
    train = repeated.take(np.flatnonzero(np.isin(repeated.subjects, patients[:80])))
    holdout = repeated.take(np.flatnonzero(np.isin(repeated.subjects, patients[80:])))
    scores = attacked(train, holdout, train)
    assert len(scores.member) == len(scores.outsider) == 40
    assert scores.detail["reference_records"] < len(train)


def test_a_lone_patient_gives_no_scores():
    one = cohort(1, 0)
    assert len(attacked(one, one, one).member) == 0
