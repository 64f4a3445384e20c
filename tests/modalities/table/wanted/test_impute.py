from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.core.constraint import Condition, Constraint
from semblance.core.errors import DataError
from semblance.core.rng import stream
from semblance.modalities.table.data import Table
from semblance.modalities.table.generators.mixture import Mixture
from semblance.modalities.table.wanted.impute import impute
from tests.modalities.table.wanted.exact import Exact, cohort, exact, table

MODEL = exact(smoothing=0.001)


def gappy(n: int, *, seed: int = 3, share: float = 0.3) -> tuple[Table, Table]:
    """Records, and the same with gaps."""
    frame, rng = cohort(n, seed), stream(seed, "gaps")
    whole = table(frame, target="died")
    for name in ("age", "diabetes", "race"):
        frame[name] = frame[name].where(rng.random(n) >= share)
    return whole, replace(whole, frame=table(frame, target="died").frame)


def test_gaps_are_filled_and_what_is_known_stays():
    _, gaps = gappy(800)
    made = impute(MODEL, MODEL.encoding, gaps, rng=stream(0))
    assert not made.frame.isna().any(axis=None)
    for name in gaps.frame:
        known = gaps.frame[name].notna()
        assert (made.frame.loc[known, name].astype(str) == gaps.frame.loc[known, name].astype(str)).all()


def test_values_without_a_code_keep_their_exact_value():
    _, gaps = gappy(50)
    frame = gaps.frame.copy()
    frame.loc[3, "weight"] = 683.27
    frame["race"] = frame["race"].cat.add_categories(["Zanzibarite"])
    frame.loc[4, "race"] = "Zanzibarite"
    made = impute(MODEL, MODEL.encoding, replace(gaps, frame=frame), rng=stream(0))
    assert made.frame.loc[3, "weight"] == 683.27 and made.frame.loc[4, "race"] == "Zanzibarite"


def test_imputed_values_are_drawn_from_the_conditional():
    whole, _ = gappy(6000)
    frame = whole.frame.copy()
    frame["diabetes"] = frame["diabetes"].where(np.zeros(len(frame), dtype=bool))
    made = impute(MODEL, MODEL.encoding, replace(whole, frame=frame), rng=stream(0)).frame
    for group in ("A", "B"):
        for outcome in ("yes", "no"):
            rows = (whole.frame["race"] == group) & (whole.frame["died"] == outcome)
            old, new = ((f.loc[rows, "diabetes"] == "yes").mean() for f in (whole.frame, made))
            assert new == pytest.approx(old, abs=0.06)


def test_gaps_that_are_filled_together_are_as_among_records_without_gaps():
    frame = cohort(6000)
    rng = stream(8, "lab")
    heavy = rng.random(6000) < 0.5
    for name, share in (("one", 0.2), ("two", 0.8)):  # where one is high, two is mostly missing
        gap = rng.random(6000) < np.where(heavy, share, 0.1)
        frame[name] = np.where(gap, None, np.where(heavy, "high", "low"))
    model = type(MODEL).of(table(frame[["one", "two", "race"]]))
    gaps = table(frame[["one", "two", "race"]]).take(np.arange(3000))
    none = {name: gaps.frame[name].where(np.zeros(3000, dtype=bool)) for name in ("one", "two")}
    made = impute(model, model.encoding, replace(gaps, frame=gaps.frame.assign(**none)), rng=stream(0)).frame
    both = frame.dropna(subset=["one", "two"])
    expected = (both["one"] == "high").mean()
    biased = (frame["one"].dropna() == "high").mean()
    assert biased - expected > 0.1
    assert (made["one"] == "high").mean() == pytest.approx(expected, abs=0.04)


YOUNG = Constraint("implication", when=(Condition("age", max=59.0),), then=(Condition("diabetes", ("no",)),))


def ruled() -> Exact:
    """A model that may draw what its rule forbids."""
    schema = replace(MODEL.encoding.schema, constraints=(YOUNG,))
    return replace(MODEL, encoding=replace(MODEL.encoding, schema=schema))


def of_the_rule(model: Exact, frame: pd.DataFrame) -> Table:
    return replace(table(frame, target="died"), schema=model.encoding.schema)


def test_a_filled_record_keeps_the_constraints():
    frame, rng, model = cohort(500, 3), stream(3, "gaps"), ruled()
    frame["diabetes"] = frame["diabetes"].where(rng.random(500) >= 0.5)
    frame = frame[(frame["age"] > 59) | (frame["diabetes"] != "yes")].reset_index(drop=True)
    made = impute(model, model.encoding, of_the_rule(model, frame), rng=stream(0))
    assert made.frame["diabetes"].notna().all() and not model.encoding.broken(made).any()


def test_a_record_that_no_filling_mends_is_refused_and_one_without_gaps_is_left():
    model, frame = ruled(), cohort(50, 3)
    frame.loc[7, ["age", "diabetes", "race", "weight"]] = [47, "yes", "A", 70.0]
    whole = frame.assign(weight=frame["weight"].fillna(70))
    impute(model, model.encoding, of_the_rule(model, whole), rng=stream(0))
    frame.loc[7, "race"] = None
    with pytest.raises(DataError, match="1 of 50 records") as caught:
        impute(model, model.encoding, of_the_rule(model, frame), rng=stream(0))
    assert "47" not in str(caught.value)


def numbers(n: int = 600) -> pd.DataFrame:
    rng = stream(0, "numbers")
    a, b, kg = rng.integers(20, 80, n), rng.integers(5, 60, n), rng.normal(80, 12, n).round(1)
    return pd.DataFrame({"a": a, "b": b, "tot": a + b, "kg": kg, "lb": (kg * 2.20462).round(1)})


@pytest.mark.parametrize("declared", [None, [{"kind": "sum", "parts": ["a", "b"], "total": "tot"}]])
def test_what_follows_from_given_values_is_computed_from_them_exactly(declared):
    said = table(numbers(), declared=declared and {"constraints": declared})
    model = Mixture(bins=8, tokens=1).fit(said, rng=stream(0))
    frame = said.frame.head(1).assign(a=45.0, b=31.0, tot=np.nan, kg=82.7, lb=np.nan)
    for seed in range(3):
        made = impute(model, model.encoding, Table(said.schema, frame, np.arange(1)), rng=stream(seed)).frame
        assert made.iloc[0].round(6).tolist() == [45, 31, 76, 82.7, 182.3]


def test_a_rare_combination_that_was_given_is_kept_while_other_gaps_are_filled():
    frame = pd.DataFrame({"ward": ["A", "B"] * 300, "unit": ["a", "b"] * 300, "x": stream(0).normal(size=600).round(2)})
    frame.loc[0, "unit"] = "b"
    said = table(frame, declared={"constraints": [{"kind": "combinations", "columns": ["ward", "unit"]}]})
    model = Mixture(bins=8).fit(said, rng=stream(0))
    gap = said.frame.head(4).assign(x=np.nan)
    made = impute(model, model.encoding, Table(said.schema, gap, np.arange(4)), rng=stream(0)).frame
    assert made["x"].notna().all() and made["unit"].astype(str).tolist() == ["b", "b", "a", "b"]
