from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from semblance.core.rng import stream
from semblance.modalities.table.metrics import rare
from semblance.modalities.table.metrics.rare import categories
from tests.contracts.samples import WEIRD, cohort
from tests.modalities.table.metrics.drawn import evidence, framed


def coded(n: int, rare: dict[str, int], seed: int = 0) -> pd.DataFrame:
    """n records of a common category, and as many of each rare one as said."""
    values = np.array(["usual"] * n, dtype=object)
    values[: sum(rare.values())] = [name for name, count in rare.items() for _ in range(count)]
    stream(seed, "coded").shuffle(values)
    return pd.DataFrame({"c": values, "x": np.arange(n) / 7})


def test_the_share_kept_is_counted_by_hand(monkeypatch):
    monkeypatch.setattr(rare, "LEAST", 1)
    real = coded(4000, {"p": 20, "q": 30, "r": 39, "few": 10, "often": 41})
    made = coded(4000, {"p": 10, "q": 60, "often": 41})
    (finding,) = categories(framed(real, real, made))
    # p has half its share, q more than its share (which counts 1), r is gone; "few" is no group, "often" not rare
    assert finding.estimate.value == pytest.approx((0.5 + 1 + 0) / 3)
    assert finding.control.value == pytest.approx(1)
    assert finding.detail["categories"] == 3
    assert finding.detail["kept"] == pytest.approx(2 / 3)
    assert [one["name"] for one in finding.detail["worst"]] == ["c = r", "c = p", "c = q"]
    assert finding.better == "higher"


def test_patients_are_counted_and_not_records(monkeypatch):
    monkeypatch.setattr(rare, "LEAST", 1)
    frame = coded(4000, {"many": 20, "one": 20})
    frame["pid"] = [f"p{i}" for i in range(len(frame))]
    frame.loc[frame["c"] == "one", "pid"] = "q"
    (finding,) = categories(framed(frame, frame, frame, subject="pid"))
    assert finding.detail["categories"] == 1
    assert "one" not in json.dumps(finding.detail)


def test_real_records_stay_below_one_by_chance_and_so_does_the_control():
    rng = stream(1)
    values = np.array([f"v{i}" for i in range(300)])
    parts = [pd.DataFrame({"c": values[rng.integers(0, 300, n)], "x": np.arange(n) / 7}) for n in (9000, 1500, 9000)]
    (finding,) = categories(framed(*parts))
    assert finding.estimate.value == pytest.approx(finding.control.value, abs=0.04)
    assert finding.control.value < 0.9
    assert finding.estimate.n <= 1500


def test_a_generator_without_rare_values_is_seen():
    rng = stream(2)
    values = np.array(["common"] * 50 + [f"v{i}" for i in range(50)])
    weights = np.repeat([0.8 / 50, 0.2 / 50], 50)
    parts = [pd.DataFrame({"c": rng.choice(values, 6000, p=weights), "x": np.arange(6000) / 7}) for _ in range(3)]
    good = categories(framed(*parts))[0]
    lost = parts[2].assign(c=np.where(parts[2]["c"].str.len() > 2, "common", parts[2]["c"]))
    bad = categories(framed(*parts[:2], lost))[0]
    assert good.estimate.low > bad.estimate.high
    assert good.estimate.low <= good.control.high


def test_what_cannot_be_told_is_said():
    none = pd.DataFrame({"c": ["a", "b"] * 500, "x": np.arange(1000) / 7})
    assert categories(framed(none, none, none))[0].status == "not_applicable"
    real = coded(4000, {"p": 20})
    assert categories(framed(real, real.iloc[:60], real))[0].status == "insufficient"
    assert "fewer than 5 rare" in categories(framed(real, real, real))[0].reason  # one category is no mean
    assert categories(evidence(cohort(1, 0), cohort(9, 1), cohort(9, 2)))[0].status == "insufficient"


def test_the_interval_covers_the_expectation():
    rng = stream(5)
    values, weights = np.arange(41).astype(str), np.append(np.full(40, 0.005), 0.8)
    found = []
    for _ in range(40):
        parts = [pd.DataFrame({"c": rng.choice(values, 2500, p=weights), "x": np.arange(2500) / 7}) for _ in range(3)]
        parts = [part.assign(c="v" + part["c"]) for part in parts]
        found.append(categories(framed(*parts))[0].estimate)
    middle = np.mean([e.value for e in found])
    assert np.mean([e.low <= middle <= e.high for e in found]) >= 0.85


@pytest.mark.parametrize("name", WEIRD)
def test_weird_tables_are_judged(name):
    whole = WEIRD[name]()
    (finding,) = categories(evidence(whole, whole, whole))
    assert finding.estimate is None or finding.estimate.value == pytest.approx(1)
