"""high >= low in numbers and dates, strict or not, of unequal precision, with gaps and infinities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semblance.core.rng import stream
from semblance.modalities.table.relations.above import Above
from tests.modalities.table.relations.tables import round_trip, table, through_json

DAY = 86_400.0
POINTS = st.integers(-5000, 5000)


def cohort(n: int = 400, *, seed: int = 0, gaps: float = 0.0) -> pd.DataFrame:
    rng = stream(seed)
    low = rng.normal(80, 9, n).round(1)
    high = np.ceil(low + rng.exponential(30, n))
    admitted = pd.Timestamp("2019-03-01 08:00") + pd.to_timedelta(rng.integers(0, 10**6, n), unit="m")
    frame = pd.DataFrame(
        {
            "low": low,
            "high": high.astype(int),
            "admitted": admitted.strftime("%Y-%m-%d %H:%M"),
            "out": (admitted + pd.to_timedelta(rng.integers(0, 9, n), unit="D")).strftime("%Y-%m-%d"),
        }
    ).astype(object)
    return frame.mask(rng.random(frame.shape) < gaps)


@pytest.mark.parametrize("gaps", [0.0, 0.3])
@pytest.mark.parametrize(("low", "high"), [("low", "high"), ("admitted", "out")])
def test_reduced_and_restored_is_the_table_again(low, high, gaps):
    made = table(cohort(gaps=gaps).infer_objects())
    relation = Above.fit(made.schema, made.frame, high, (low,), ())
    assert not relation.broken(made.frame).any()
    assert round_trip(relation, made) == []
    assert through_json([relation]) == (relation,)
    assert len(relation.fields) == 1 + (gaps > 0)


def test_a_duration_is_in_whole_units_of_the_later_date():
    made = table(cohort())
    (step,) = Above.fit(made.schema, made.frame, "out", ("admitted",), ()).fields
    assert (step.name, step.kind) == ("out (after admitted)", "integer")


@given(
    low=st.lists(st.none() | POINTS, min_size=6, max_size=6),
    step=st.lists(st.none() | POINTS, min_size=6, max_size=6),
    alone=st.lists(st.none() | POINTS, min_size=6, max_size=6),
    strict=st.booleans(),
    unit=st.sampled_from([0.0, 0.01, 0.1, 1.0]),
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_drawn_keeps_the_order(low, step, alone, strict, unit):
    made = table(pd.DataFrame({"low": [None, 1.0, 3.0], "high": [2.0, 5.0, 7.0]}))
    fitted = Above.fit(made.schema, made.frame, "high", ("low",), ("low",) if strict else ())
    relation = Above(**{**fitted.__dict__, "unit": unit})
    lows, steps, alones = (np.array(x, dtype=float) / 7 for x in (low, step, alone))
    drawn = {"low": lows, relation.fields[0].name: steps, relation.fields[1].name: alones}
    high = relation.restore(drawn)["high"]
    known = ~np.isnan(high) & ~np.isnan(lows)
    assert (high[known] > lows[known]).all() if strict else (high[known] >= lows[known]).all()
    assert not relation.broken({"low": lows, "high": high}).any()
    assert (np.isnan(high) == np.where(np.isnan(lows), np.isnan(alones), np.isnan(steps))).all()


def test_several_lows_count_by_the_highest_that_is_known():
    frame = pd.DataFrame({"a": [1.0, 5.0, np.nan, np.nan], "b": [2.0, np.nan, 3.0, np.nan], "c": [4.0, 6.0, 3.0, 9.0]})
    made = table(frame)
    relation = Above.fit(made.schema, made.frame, "c", ("a", "b"), ())
    step, alone = relation.reduce(made.frame).values()
    assert step.tolist()[:3] == [2.0, 1.0, 0.0]
    assert np.isnan(step[3])
    assert alone[3] == 9.0
    assert round_trip(relation, made) == []


def test_infinite_numbers_go_through():
    frame = pd.DataFrame({"a": [-np.inf, 1.0, 2.0, np.inf, -np.inf], "b": [5.0, np.inf, 3.0, np.inf, -np.inf]})
    made = table(frame)
    assert round_trip(Above.fit(made.schema, made.frame, "b", ("a",), ()), made) == []


def test_a_strict_order_of_equal_values_is_broken():
    made = table(pd.DataFrame({"a": [1, 2, 3], "b": [1, 3, 2]}))
    assert Above.fit(made.schema, made.frame, "b", ("a",), ()).broken(made.frame).tolist() == [False, False, True]
    assert Above.fit(made.schema, made.frame, "b", ("a",), ("a",)).broken(made.frame).tolist() == [True, False, True]


def test_a_time_of_day_is_not_after_its_day():
    made = table(pd.DataFrame({"a": ["2020-05-01 14:30", "2020-05-02 00:10"], "b": ["2020-05-01", "2020-05-01"]}))
    assert Above.fit(made.schema, made.frame, "b", ("a",), ()).broken(made.frame).tolist() == [False, True]


def test_one_patients_precision_is_not_that_of_what_is_drawn():
    frame = cohort().infer_objects().astype({"high": float})
    frame.loc[0, ["low", "high"]] = 50.0, 90.123
    frame["out"] += " 00:00"
    frame.loc[1, ["admitted", "out"]] = "2019-03-01 08:00", "2019-03-04 17:31"
    made = table(frame)
    for low, high, unit in (("low", "high", 1.0), ("admitted", "out", DAY)):
        relation = Above.fit(made.schema, made.frame, high, (low,), (), rare=5)
        assert relation.unit == unit
        back = relation.restore({low: made.frame[low], **relation.reduce(made.frame)})[high]
        assert (back % unit == 0).all()
        assert np.flatnonzero(back != made.frame[high]).tolist() == [0 if high == "high" else 1]
        assert not relation.broken({low: made.frame[low], high: back}).any()


def test_the_declared_maximum_of_the_higher_holds():
    made = table(pd.DataFrame({"a": [1, 2, 3], "b": [10, 12, 11]}), b={"max": 12})
    relation = Above.fit(made.schema, made.frame, "b", ("a",), ())
    drawn = {"a": np.array([1.0, 3.0]), relation.fields[0].name: np.array([11.0, 500.0])}
    assert relation.restore(drawn)["b"].tolist() == [12.0, 12.0]
