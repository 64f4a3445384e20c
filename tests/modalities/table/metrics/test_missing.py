from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.core.rng import stream
from semblance.modalities.table.metrics.missing import missing
from tests.contracts.samples import WEIRD, cohort, shuffled
from tests.modalities.table.metrics.drawn import evidence, framed, thirds


def panel(n: int, rate: float, together: float, seed: int) -> pd.DataFrame:
    """Two laboratory values that are missing at a rate, and from the same patients in a share of the cases."""
    rng = stream(seed, "panel")
    gone = rng.random(n) < rate
    other = np.where(rng.random(n) < together, gone, rng.random(n) < rate)
    x, y = rng.normal(size=(2, n)).round(3)
    return pd.DataFrame({"x": np.where(gone, np.nan, x), "y": np.where(other, np.nan, y), "z": x})


def test_rates_are_compared_by_hand():
    real = pd.DataFrame({"x": [1.5, 2.5, np.nan, np.nan] * 11, "c": ["a", "b", None, "a"] * 11, "z": np.arange(44) / 7})
    made = real.assign(x=[1.5, 2.5, 3.5, np.nan] * 11, c=["a", "b", "a", "a"] * 11)
    (finding,) = missing(framed(real, real, made))
    assert finding.estimate.value == pytest.approx(0.25)
    assert {c["name"]: c["value"] for c in finding.detail["columns"]} == pytest.approx({"x": 0.25, "c": 0.25})
    assert finding.control.value == 0


def test_missing_together_is_phi():
    parts = [panel(600, 0.3, t, i) for i, t in enumerate((1.0, 1.0, 0.0))]
    (finding,) = missing(framed(*parts))
    phis = [np.corrcoef(part["x"].isna(), part["y"].isna())[0, 1] for part in parts]
    assert finding.detail["together"]["value"] == pytest.approx(abs(phis[2] - phis[1]))
    assert finding.detail["together"]["control"] == pytest.approx(0, abs=1e-9)


def test_shuffling_keeps_rates_and_loses_what_is_missing_together():
    found = framed(*(panel(600, 0.3, 1.0, i) for i in range(3)))
    bad = evidence(found.train, found.holdout, shuffled(found.synthetic, stream(1)))
    good, spoilt = missing(found)[0], missing(bad)[0]
    assert spoilt.estimate.value == pytest.approx(good.estimate.value)
    assert spoilt.detail["together"]["low"] > 0.8 > good.detail["together"]["high"]


def test_few_patients_who_miss_a_value_are_not_listed():
    real = pd.DataFrame({"x": [np.nan] * 10 + list(np.arange(90) / 7), "y": [np.nan] * 11 + list(np.arange(89) / 7)})
    (finding,) = missing(framed(real, real, real))
    assert [column["name"] for column in finding.detail["columns"]] == ["y"]


def test_the_interval_of_a_rate_covers_it():
    found = [missing(framed(*(panel(200, 0.3, 0.5, 3 * i + j) for j in range(3))))[0].estimate for i in range(60)]
    middle = np.mean([e.value for e in found])
    assert np.mean([e.low <= middle <= e.high for e in found]) >= 0.88


def test_nothing_missing_is_not_applicable():
    full = pd.DataFrame({"x": np.arange(40) / 7, "c": ["a", "b"] * 20})
    assert missing(framed(full, full, full))[0].status == "not_applicable"
    assert missing(evidence(*thirds(100)))[0].status == "measured"
    tiny = cohort(1, 0)
    assert missing(evidence(tiny, cohort(50, 1), tiny))[0].status == "insufficient"


@pytest.mark.parametrize("name", WEIRD)
def test_weird_tables_are_judged(name):
    whole = WEIRD[name]()
    (finding,) = missing(evidence(whole, whole, whole))
    assert finding.estimate is None or finding.estimate.value == 0
