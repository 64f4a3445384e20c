from __future__ import annotations

import numpy as np

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.estimate import auc
from semblance.evaluate.attacks.distance import nearest_difference
from tests.contracts.samples import WEIRD, cohort


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


def test_a_lone_patient_gives_no_scores():
    one = cohort(1, 0)
    assert len(attacked(one, one, one).member) == 0
