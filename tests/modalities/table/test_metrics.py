from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.modalities.table import metrics
from semblance.modalities.table.grid import grid
from semblance.modalities.table.metrics import longitudinal, pairs, shape
from tests.contracts.samples import WEIRD, cohort, shuffled, table


def evidence(train, holdout, synthetic, **more):
    return Evidence(train, holdout, synthetic, catalog.modality("table"), **more)


def thirds(n: int = 400, seed: int = 0):
    whole = cohort(3 * n, seed)
    return tuple(whole.take(np.arange(i * n, (i + 1) * n)) for i in range(3))


def test_shape_of_numbers_is_scipys_ks():
    rng = stream(0)
    real, made = rng.normal(size=300).round(1), rng.normal(0.3, 1, 200).round(1)
    parts = (table(pd.DataFrame({"x": v})) for v in (real, real, made))
    (finding,) = shape(evidence(*parts))
    assert finding.estimate.value == pytest.approx(ks_2samp(real, made).statistic)


def test_shape_by_hand():
    real = table(pd.DataFrame({"c": ["a", "a", "b", None], "x": [1.5, 2.5, np.nan, np.nan]}))
    made = table(pd.DataFrame({"c": ["a", "b", "b", "b"], "x": [1.5, 2.5, 3.5, 4.5]}))
    (finding,) = shape(evidence(real, real, made))
    # c: (1/4 + 1/2 + 1/4) / 2; x: missing stands at the right end, and half of it is missing in one only
    assert [column["value"] for column in finding.detail["columns"]] == pytest.approx([0.5, 0.5])
    assert finding.control.value == 0


def pairwise(a, b, reference):
    """Mean total variation over pairs, the long way."""
    ours, theirs = (pd.DataFrame(grid(part, reference).codes) for part in (a, b))
    gaps = []
    for i in ours:
        for j in range(i):
            p, q = (part.groupby([i, j]).size() / len(part) for part in (ours, theirs))
            gaps.append(p.sub(q, fill_value=0).abs().sum() / 2)
    return float(np.mean(gaps))


def test_pairs_are_the_long_way_round():
    train, holdout, made = thirds(150)
    (finding,) = pairs(evidence(train, holdout, made))
    assert finding.estimate.value == pytest.approx(pairwise(made, holdout, train), abs=1e-6)
    assert finding.control.value == pytest.approx(pairwise(train, holdout, train), abs=1e-6)
    matrix = np.array(finding.detail["matrix"])
    assert matrix[np.triu_indices(len(matrix), 1)].mean() == pytest.approx(finding.estimate.value, abs=1e-3)


def test_moved_numbers_are_seen_because_edges_are_shared():
    rng = stream(0)
    real = table(pd.DataFrame({"x": rng.normal(size=400), "y": rng.normal(size=400)}))
    moved = replace(real, frame=real.frame * 100 + 5000)
    ideal = evidence(real, real, moved)
    assert pairs(ideal)[0].estimate.value > 0.89
    assert shape(ideal)[0].estimate.value == pytest.approx(1)


def test_shuffling_hurts_pairs_and_spares_single_columns():
    train, holdout, made = thirds()
    floor = shuffled(made, stream(1))
    good, bad = evidence(train, holdout, made, floor=floor), evidence(train, holdout, floor)
    assert shape(bad)[0].estimate.value == pytest.approx(shape(good)[0].estimate.value)
    assert pairs(bad)[0].estimate.low > pairs(good)[0].estimate.value
    assert pairs(good)[0].floor.value == pytest.approx(pairs(bad)[0].estimate.value)


def test_the_interval_of_a_distance_covers_its_expectation():
    rng = stream(0, "cover")
    found = []
    for _ in range(60):
        parts = [
            table(pd.DataFrame({"x": rng.normal(m, 1, 200), "c": rng.choice(["a", "b"], 200, p=[p, 1 - p])}))
            for m, p in ((0, 0.5), (0.3, 0.6))
        ]
        found.append(shape(evidence(parts[0], parts[0], parts[1]))[0].estimate)
    middle = np.mean([e.value for e in found])
    assert np.mean([e.low <= middle <= e.high for e in found]) >= 0.88


def test_a_control_of_many_train_records_has_the_synthetic_size():
    train, holdout, made = cohort(2000, 1), cohort(300, 2), cohort(100, 3)
    (finding,) = shape(evidence(train, holdout, made))
    assert finding.control.n == 100


def test_wide_tables_are_judged_on_some_columns(monkeypatch):
    monkeypatch.setattr(metrics, "WIDEST", 100)
    rng = stream(0)
    wide = table(pd.DataFrame({f"x{i:03d}": rng.normal(size=24) for i in range(30)}))
    (finding,) = pairs(evidence(wide, wide, wide))
    assert len(finding.detail["columns"]) == 100 // 11
    assert finding.estimate.value == 0


@pytest.mark.parametrize("name", WEIRD)
def test_weird_tables_are_judged(name):
    whole = WEIRD[name]()
    found = evidence(whole, whole, whole)
    for finding in (*shape(found), *pairs(found)):
        assert finding.status in ("measured", "insufficient", "not_applicable")
        assert finding.estimate is None or finding.estimate.value == 0


def test_no_longitudinal_claim():
    once, repeated = cohort(30, 0), WEIRD["repeated visits"]()
    assert longitudinal(evidence(once, once, once))[0].reason == "no patient has more than one record"
    assert longitudinal(evidence(repeated, repeated, repeated))[0].reason == "no longitudinal claim is made"
