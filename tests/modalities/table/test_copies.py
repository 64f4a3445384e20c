from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.modalities.table.copies import Real, copies, fingerprints
from semblance.modalities.table.data import concat
from tests.contracts.samples import cohort, table


def judged(train, holdout, synthetic):
    return {f.metric: f for f in copies(Evidence(train, holdout, synthetic, catalog.modality("table")))}


def binary(n: int, seed: int, columns: int = 4):
    rng = stream(seed, "binary")
    return table(pd.DataFrame({f"c{j}": rng.choice(["a", "b"], n) for j in range(columns)}))


def test_fingerprints_are_equality():
    one = table(pd.DataFrame({"x": [0.0, -0.0, np.nan, np.nan, 1.5], "c": ["a", "a", None, None, "a"]}))
    marks = fingerprints(one)
    assert marks[0] == marks[1]
    assert marks[2] == marks[3]
    assert len(np.unique(marks)) == 3


def test_holders_are_patients():
    real = Real(np.array([7, 7, 7, 9], dtype=np.uint64), np.array([0, 0, 1, 1]))
    assert real.holders(np.array([7, 9, 8], dtype=np.uint64)).tolist() == [2, 1, 0]


def test_a_full_copy_is_caught_at_full_size():
    whole = cohort(500, 0)
    train, holdout = whole.take(np.arange(400)), whole.take(np.arange(400, 500))
    found = judged(train, holdout, train)
    assert found["privacy.copies"].estimate.value == pytest.approx(0.25)  # holdout is a quarter of train
    assert found["privacy.unique_copies"].estimate.value > 0.95
    assert found["privacy.copies"].detail["train_share"] == 1


def test_injected_copies_are_counted():
    train, holdout, fresh = cohort(800, 0), cohort(200, 1), cohort(760, 2)
    mixed = concat([fresh, train.take(np.arange(40))])
    found = judged(train, holdout, mixed)["privacy.unique_copies"].estimate
    assert found.value == pytest.approx(0.05, abs=0.01)
    assert found.low > 0


def test_a_table_of_few_values_copies_itself_without_a_leak():
    found = judged(binary(800, 0), binary(200, 1), binary(800, 2))
    assert found["privacy.copies"].detail["train_share"] > 0.95
    for finding in found.values():
        assert finding.estimate.low <= 0 <= finding.estimate.high


def test_the_intervals_cover_zero_where_nothing_leaks():
    hits = []
    for seed in range(40):
        parts = (binary(n, 3 * seed + k, 8) for k, n in enumerate((600, 150, 600)))
        hits.append([f.estimate.low <= 0 <= f.estimate.high for f in judged(*parts).values()])
    assert (np.mean(hits, axis=0) >= 0.88).all()


def test_nothing_found_is_not_zero_for_sure():
    found = judged(cohort(300, 0), cohort(100, 1), cohort(300, 2))
    assert found["privacy.copies"].estimate.high >= 3 / 300


def test_a_lone_patient_is_not_compared():
    one = cohort(1, 0)
    assert {f.status for f in judged(one, one, one).values()} == {"insufficient"}
