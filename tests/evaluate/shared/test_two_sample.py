from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.shared.two_sample import c2st
from tests.contracts.samples import cohort, shuffled, table


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


def test_few_patients_are_insufficient():
    assert judged(cohort(100, 0), cohort(20, 1), cohort(100, 2)).status == "insufficient"
