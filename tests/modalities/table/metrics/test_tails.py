from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.core.rng import stream
from semblance.modalities.table.metrics.tails import tails
from tests.contracts.samples import WEIRD, cohort, table
from tests.modalities.table.metrics.drawn import evidence, framed


def test_shares_of_tails_by_hand():
    real = pd.DataFrame({"x": np.arange(1000) / 8})
    made = pd.DataFrame({"x": np.concatenate([np.full(980, 60.0), np.full(10, -5.0), np.full(10, 200.0)])})
    (finding,) = tails(framed(real, real, made))
    # 1,000 patients: the 2.5% quantile leaves 25 on each side, where the synthetic set has 10
    assert finding.detail["level"] == 0.025
    assert finding.estimate.value == pytest.approx(10 / 25)
    assert [c["name"] for c in finding.detail["columns"]] == ["x (low)", "x (high)"]
    assert finding.control.value == pytest.approx(1)


def test_cut_tails_and_heavy_tails_are_both_seen():
    rng = stream(0)
    train, real, fresh = rng.normal(size=(3, 3000))
    low = np.clip(fresh, -1.5, 1.5)
    heavy = rng.standard_t(2, 3000)
    judged = [framed(*(pd.DataFrame({"x": v}) for v in (train, real, made))) for made in (fresh, low, heavy)]
    good, cut, wide = (tails(found)[0] for found in judged)
    assert good.estimate.low > max(cut.estimate.value, wide.estimate.value)
    assert cut.estimate.value == 0
    assert good.estimate.high > good.control.value > good.estimate.low


def test_moved_numbers_are_seen():
    rng = stream(0)
    real = pd.DataFrame({"x": rng.normal(size=1000)})
    assert tails(framed(real, real, real * 100 + 5000))[0].estimate.value < 0.05


def test_what_is_extreme_together_stays_so_or_is_told():
    def joint(seed: int, n: int = 5000) -> pd.DataFrame:
        rng = stream(seed, "joint")
        x = rng.normal(size=n)
        return pd.DataFrame({"x": x, "y": x + rng.normal(scale=0.2, size=n)})

    torn = joint(2).assign(y=lambda f: stream(3).permutation(f["y"]))
    good, bad = (tails(framed(joint(0), joint(1), made))[0].detail["together"] for made in (joint(2), torn))
    assert bad["low"] > 0.4 > good["high"]
    assert good["control"] < 0.2


def test_values_that_many_share_make_a_tail_only_where_few_do():
    counts = np.repeat([0.0, 1.0, 2.0, 3.0], [600, 370, 20, 10])
    frame = pd.DataFrame({"x": counts, "y": np.repeat([0.0, 1.0], 500)})
    found = table(frame, declared={"columns": {"x": {"kind": "integer"}, "y": {"kind": "integer"}}})
    (finding,) = tails(evidence(found, found, found))
    assert [c["name"] for c in finding.detail["columns"]] == ["x (high)"]


def test_the_level_follows_the_number_of_patients():
    rng = stream(0)
    levels = [
        tails(framed(*(pd.DataFrame({"x": rng.normal(size=n)}) for _ in range(3))))[0].detail["level"]
        for n in (400, 900, 2000, 4000)
    ]
    assert levels == [0.05, 0.025, 0.01, 0.005]


def test_the_interval_covers_the_expectation():
    rng = stream(0, "cover")
    found = [
        tails(framed(*(pd.DataFrame({"x": rng.normal(0, s, 1000), "y": rng.normal(0, s, 1000)}) for s in (1, 1, 0.8))))
        for _ in range(40)
    ]
    middle = np.mean([f.estimate.value for (f,) in found])
    assert np.mean([f.estimate.low <= middle <= f.estimate.high for (f,) in found]) >= 0.85


def test_what_cannot_be_told_is_said():
    names = table(pd.DataFrame({"c": ["a", "b"] * 30}))
    assert tails(evidence(names, names, names))[0].status == "not_applicable"
    assert tails(evidence(*(cohort(300, s) for s in range(3))))[0].status == "insufficient"


@pytest.mark.parametrize("name", WEIRD)
def test_weird_tables_are_judged(name):
    whole = WEIRD[name]()
    (finding,) = tails(evidence(whole, whole, whole))
    assert finding.estimate is None or finding.estimate.value == pytest.approx(1)
