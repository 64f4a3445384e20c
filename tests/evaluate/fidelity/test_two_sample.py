from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp
from sklearn.linear_model import LogisticRegression

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.fidelity.two_sample import Sides, c2st, distance, pmse, propensity, ratio
from tests.contracts.samples import cohort, collapsed, shifted, shuffled, table


def judged(train, holdout, synthetic, **more):
    return c2st(Evidence(train, holdout, synthetic, catalog.modality("table"), **more))[0]


def test_real_is_not_told_from_real_and_shuffled_is():
    train, holdout, fresh = (cohort(400, seed) for seed in range(3))
    finding = judged(train, holdout, fresh, floor=shuffled(fresh, stream(0)))
    assert finding.estimate.value == pytest.approx(0.5, abs=0.08)
    assert finding.control.value == pytest.approx(0.5, abs=0.08)
    assert finding.floor.low > 0.55
    assert finding.detail["folded"] >= 0.5
    assert finding.detail["records"] == 400


def visits(seed: int, patients: int = 60, each: int = 8):
    """Patients of one distribution, every one with a number of their own that all their records share."""
    x = np.repeat(stream(seed, "visits").normal(size=patients), each)
    frame = pd.DataFrame({"pid": np.repeat([f"p{i}" for i in range(patients)], each), "x": x, "y": 1.5})
    return table(frame, subject="pid")


def test_a_patients_visits_do_not_leak_across_folds():
    grouped = [judged(visits(3 * s), visits(3 * s + 1), visits(3 * s + 2)).estimate for s in range(3)]
    assert np.mean([e.value for e in grouped]) == pytest.approx(0.5, abs=0.1)
    loose = [replace(visits(s), subjects=np.arange(480)) for s in range(3)]
    assert judged(*loose).estimate.value > 0.8  # what folds that split patients would report
    assert grouped[0].n == 60


def test_the_interval_covers_where_nothing_differs():
    hits = []
    for seed in range(12):
        rng = stream(seed, "null")
        parts = [table(pd.DataFrame(rng.normal(size=(90, 2)), columns=list("ab"))) for _ in range(3)]
        finding = judged(*parts, seed=seed)
        hits += [e.low <= 0.5 <= e.high for e in (finding.estimate, finding.control)]
    assert np.mean(hits) >= 0.87


def test_unequal_sides_are_cut_and_the_seed_decides():
    train, holdout, fresh = cohort(300, 0), cohort(90, 1), cohort(400, 2)
    one, two = (judged(train, holdout, fresh) for _ in range(2))
    assert one == two
    assert one.detail["records"] == 90
    few = judged(cohort(60, 0), cohort(90, 1), fresh)  # the control has no more
    assert few.detail["records"] == few.estimate.n == few.control.n == 60


def test_few_patients_are_insufficient():
    assert judged(cohort(100, 0), cohort(20, 1), cohort(100, 2)).status == "insufficient"


def test_a_handful_of_records_again_and_again_is_told_and_not_excused():
    found = judged(cohort(200, 0), cohort(200, 1), collapsed(cohort(200, 2), stream(0)))
    assert found.estimate.value > 0.9


def test_specks_is_the_kolmogorov_smirnov_distance():
    rng = stream(0)
    a, b = rng.normal(size=200).round(1), rng.normal(size=150).round(1) + 0.5
    found = distance(a, b, np.arange(200), np.arange(150))
    assert found.value == pytest.approx(ks_2samp(a, b).statistic)
    assert found.low > 0
    assert distance(b, a, np.arange(150), np.arange(200)).value == pytest.approx(found.value)


def test_specks_comes_with_the_area_from_the_same_folds():
    train, holdout, fresh = (cohort(200, seed) for seed in range(3))
    area, gap = c2st(Evidence(train, holdout, shifted(fresh, stream(0)), catalog.modality("table")))
    assert area.metric == "fidelity.c2st"
    assert gap.metric == "fidelity.specks"
    assert gap.estimate.low > gap.control.high
    assert gap.estimate.value >= 1 - np.sqrt(2 * (1 - area.estimate.value)) - 0.01  # the largest area of such a gap


def sides(x: np.ndarray, who: np.ndarray | None = None) -> Sides:
    n = len(x)
    return Sides(x, np.arange(n) < n // 2, np.arange(n) if who is None else who, np.zeros(n))


def test_propensities_are_sklearns():
    rng = stream(0)
    x, made = rng.normal(size=(300, 3)), rng.random(300) < 0.4
    theirs = LogisticRegression(C=np.inf, tol=1e-8).fit(x, made).predict_proba(x)[:, 1]
    assert propensity(x, made) == pytest.approx(theirs, abs=1e-3)


def test_one_category_has_its_closed_form():
    """The model is saturated: each category's propensity is its share of synthetic records."""
    x = np.repeat([0.0, 1, 2, 0, 1, 2], [50, 30, 20, 30, 30, 40])
    held = np.array([80, 60, 60]), np.array([50, 30, 20])
    error = (held[0] * (held[1] / held[0] - 0.5) ** 2).sum() / 200
    found = ratio(sides(x[:, None]), np.array([True]))
    assert found.value == pytest.approx(error / (2 * 0.25 / 200), rel=1e-3)  # k - 1 = 2


@pytest.mark.parametrize("visits", [1, 5])
def test_the_expected_ratio_is_one_where_nothing_differs(visits):
    rng, found = stream(visits, "pmse"), []
    for _ in range(40):
        x = np.repeat(rng.normal(size=(200, 5)), visits, axis=0)
        x[:, 0] = np.round(np.abs(x[:, 0]))
        found.append(ratio(sides(x, np.repeat(np.arange(200), visits)), np.arange(5) == 0))
    values = np.array([f.value for f in found])
    assert abs(values.mean() - 1) < 3 * values.std() / np.sqrt(40) + 0.05
    assert np.mean([f.low <= 1 <= f.high for f in found]) >= 0.9


def test_pmse_finds_a_shift_and_survives_what_can_be_separated():
    train, holdout, fresh = (cohort(300, seed) for seed in range(3))
    good = pmse(Evidence(train, holdout, fresh, catalog.modality("table")))[0]
    bad = pmse(Evidence(train, holdout, shifted(fresh, stream(0)), catalog.modality("table")))[0]
    assert good.estimate.low <= 1 <= good.estimate.high
    assert bad.estimate.low > 5
    split = ratio(sides(np.repeat([0.0, 1.0], 50)[:, None]), np.array([False]))
    assert split.value == pytest.approx(100, rel=0.01)  # an error of .25, expected .25 / 100
    assert ratio(sides(np.ones((60, 1))), np.array([False])).value == 1
