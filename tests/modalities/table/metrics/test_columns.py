from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp, wasserstein_distance

from semblance.core.rng import stream
from semblance.modalities.table.metrics.columns import (
    hellinger,
    hellinger_distance,
    jensen_shannon,
    shape,
    total_variation,
    wasserstein,
)
from tests.contracts.samples import WEIRD, cohort, shuffled, table
from tests.modalities.table.metrics.drawn import evidence, framed, thirds


def test_shape_of_numbers_is_scipys_ks():
    rng = stream(0)
    real, made = rng.normal(size=300).round(1), rng.normal(0.3, 1, 200).round(1)
    (finding,) = shape(framed(*(pd.DataFrame({"x": v}) for v in (real, real, made))))
    assert finding.estimate.value == pytest.approx(ks_2samp(real, made).statistic)


def test_shape_by_hand():
    real = table(pd.DataFrame({"c": ["a", "a", "b", None], "x": [1.5, 2.5, np.nan, np.nan]}))
    made = table(pd.DataFrame({"c": ["a", "b", "b", "b"], "x": [1.5, 2.5, 3.5, 4.5]}))
    (finding,) = shape(evidence(real, real, made))
    # c: (1/4 + 1/2 + 1/4) / 2; x: missing stands at the right end, and half of it is missing in one only
    assert [column["value"] for column in finding.detail["columns"]] == pytest.approx([0.5, 0.5])
    assert finding.control.value == 0


def test_wasserstein_is_scipys_over_trains_range_and_has_units_of_nothing():
    rng = stream(0)
    real, made = rng.normal(50, 10, 300).round(2), rng.normal(55, 10, 300).round(2)
    scale = np.quantile(real, 0.95) - np.quantile(real, 0.05)
    (finding,) = wasserstein(framed(*(pd.DataFrame({"x": v}) for v in (real, real, made))))
    assert finding.estimate.value == pytest.approx(wasserstein_distance(real, made) / scale)
    (other,) = wasserstein(framed(*(pd.DataFrame({"x": v * 1000 - 7}) for v in (real, real, made))))
    assert other.estimate.value == pytest.approx(finding.estimate.value)


def test_moving_a_column_costs_its_distance():
    rng = stream(0)
    real = table(pd.DataFrame({"x": rng.normal(size=400)}))
    scale = np.subtract(*np.quantile(real.frame["x"], [0.95, 0.05]))
    for step in (0.1, 0.5, 2.0):
        moved = replace(real, frame=real.frame + step * scale)
        assert wasserstein(evidence(real, real, moved))[0].estimate.value == pytest.approx(step)


def test_a_column_stretched_and_moved_is_seen_because_edges_are_shared():
    rng = stream(0)
    real = table(pd.DataFrame({"x": rng.normal(size=400), "y": rng.normal(size=400)}))
    ideal = evidence(real, real, replace(real, frame=real.frame * 100 + 5000))
    assert shape(ideal)[0].estimate.value == pytest.approx(1)
    assert wasserstein(ideal)[0].estimate.value > 5
    assert hellinger(ideal)[0].estimate.value > 0.8
    assert hellinger(ideal)[0].detail["jensen_shannon"]["value"] > 0.8


shares = st.lists(st.integers(0, 20), min_size=4, max_size=4).filter(sum).map(lambda v: np.array(v) / sum(v))


@settings(max_examples=60)
@given(shares, shares)
def test_distances_of_shares_are_the_textbooks(p, q):
    assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q, base=2), abs=1e-7)
    far = hellinger_distance(p, q)
    assert far == pytest.approx(np.sqrt(max(1 - np.sqrt(p * q).sum(), 0)), abs=1e-7)
    assert far == pytest.approx(hellinger_distance(q, p))
    # Le Cam's inequalities
    assert far**2 - 1e-9 <= total_variation(p, q) <= far * np.sqrt(2) + 1e-9


def test_hellinger_by_hand():
    real = pd.DataFrame({"c": ["a"] * 30 + ["b"] * 30})
    made = pd.DataFrame({"c": ["a"] * 45 + ["new"] * 15})
    (finding,) = hellinger(framed(real, real, made))
    assert finding.estimate.value == pytest.approx(np.sqrt(1 - np.sqrt(0.5 * 0.75)))


def test_shuffling_spares_single_columns():
    train, holdout, made = thirds()
    good, bad = evidence(train, holdout, made), evidence(train, holdout, shuffled(made, stream(1)))
    for metric in (shape, wasserstein, hellinger):
        assert metric(bad)[0].estimate.value == pytest.approx(metric(good)[0].estimate.value)


@pytest.mark.parametrize("metric", [shape, wasserstein])
def test_the_interval_of_a_distance_covers_its_expectation(metric):
    rng = stream(0, "cover")
    found = []
    for _ in range(60):
        frames = [
            pd.DataFrame({"x": rng.normal(m, 1, 200), "c": rng.choice(["a", "b"], 200, p=[p, 1 - p])})
            for m, p in ((0, 0.5), (0, 0.5), (0.3, 0.6))
        ]
        found.append(metric(framed(*frames))[0].estimate)
    middle = np.mean([e.value for e in found])
    assert np.mean([e.low <= middle <= e.high for e in found]) >= 0.88


def test_repeated_records_of_a_patient_widen_the_interval():
    rng = stream(3)
    made = pd.DataFrame({"pid": [f"p{i}" for i in range(900)], "x": rng.normal(size=900).round(3)})
    again = pd.concat([made] * 4, ignore_index=True)
    blind = again.assign(pid=[f"q{i}" for i in range(len(again))])
    widths = []
    for frame in (again, blind):
        parts = [frame.iloc[np.arange(len(frame)) % 900 // 300 == i] for i in range(3)]
        estimate = wasserstein(framed(*parts, subject="pid"))[0].estimate
        widths.append(estimate.high - estimate.low)
        assert estimate.n == (300 if frame is again else 1200)
    assert widths[0] > 1.3 * widths[1]


def test_a_control_of_many_train_records_has_the_synthetic_size():
    train, holdout, made = cohort(2000, 1), cohort(300, 2), cohort(100, 3)
    for metric in (shape, wasserstein, hellinger):
        assert metric(evidence(train, holdout, made))[0].control.n == 100


def test_nothing_to_measure_is_said():
    names = table(pd.DataFrame({"c": ["a", "b"] * 30}))
    assert wasserstein(evidence(names, names, names))[0].status == "not_applicable"
    tiny = cohort(1, 0)
    assert {f(evidence(tiny, tiny, tiny))[0].status for f in (shape, wasserstein, hellinger)} == {"insufficient"}


@pytest.mark.parametrize("name", WEIRD)
def test_weird_tables_are_judged(name):
    whole = WEIRD[name]()
    for metric in (shape, wasserstein, hellinger):
        (finding,) = metric(evidence(whole, whole, whole))
        assert finding.status in ("measured", "insufficient", "not_applicable")
        assert finding.estimate is None or finding.estimate.value == pytest.approx(0, abs=1e-7)
