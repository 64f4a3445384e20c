"""Sums, lines and lookups: recomputed to the last decimal, and gaps kept where they were."""

from __future__ import annotations

import numpy as np
import pandas as pd

from semblance.core.rng import stream
from semblance.modalities.table.relations.computed import Linear, Lookup, Sum
from tests.modalities.table.relations.tables import round_trip, table, through_json


def parts(n: int = 500) -> pd.DataFrame:
    rng = stream(1)
    frame = pd.DataFrame({"a": rng.exponential(3, n).round(2), "b": rng.exponential(5, n).round(2)})
    frame["c"] = rng.integers(0, 9, n)
    frame["total"] = (frame["a"] + frame["b"] + frame["c"]).round(2)
    return frame


def test_a_total_of_decimals_is_recomputed_exactly():
    made = table(parts())
    relation = Sum.fit(made.schema, made.frame, "total", ("a", "b", "c"))
    assert relation.fields == ()
    assert round_trip(relation, made) == []
    assert through_json([relation]) == (relation,)


def test_gaps_of_parts_and_total_are_kept():
    frame = parts()
    frame.loc[:40, "a"] = np.nan
    frame.loc[30:80, "total"] = np.nan
    made = table(frame)
    relation = Sum.fit(made.schema, made.frame, "total", ("a", "b", "c"))
    assert [field.name for field in relation.fields] == ["total (alone)"]
    assert round_trip(relation, made) == []


def test_a_total_is_rounded_as_it_is_written():
    made = table(pd.DataFrame({"a": [0.5, 1.5, 2.2], "b": [1.0, 1.0, 1.0], "t": [2, 2, 3]}))
    assert Sum.fit(made.schema, made.frame, "t", ("a", "b")).broken(made.frame).tolist() == [False] * 3
    made = table(pd.DataFrame({"a": [0.5, 1.5, 2.2], "b": [1.0, 1.0, 1.0], "t": [2, 2, 4]}))
    assert Sum.fit(made.schema, made.frame, "t", ("a", "b")).broken(made.frame).tolist() == [False, False, True]


def test_infinite_parts_do_not_break_a_total():
    made = table(pd.DataFrame({"a": [np.inf, 1.0, -np.inf], "b": [1.0, 2.0, np.inf], "t": [np.inf, 3.0, np.nan]}))
    relation = Sum.fit(made.schema, made.frame, "t", ("a", "b"))
    assert not relation.broken(made.frame).any()
    assert relation.restore({**made.frame, **relation.reduce(made.frame)})["t"].tolist()[:2] == [np.inf, 3.0]


def test_a_line_rounds_as_the_column_is_written():
    relation = Linear("lb", 0.1, (), "kg", 2.20462, 0.0)
    assert relation.computed({"kg": np.array([70.3, np.nan])}).tolist()[0] == 155.0
    assert relation.broken({"kg": np.array([70.3, 70.3]), "lb": np.array([155.0, 155.1])}).tolist() == [False, True]


def test_a_lookup_falls_back_for_what_it_does_not_know():
    relation = Lookup("beds", 1.0, (), "ward", ("A", "B", None), (10.0, None, 7.0), 3.0)
    made = relation.computed({"ward": pd.Categorical(["B", "A", None, "C"])})
    assert made[1:].tolist() == [10.0, 7.0, 3.0]
    assert np.isnan(made[0])
    assert through_json([relation]) == (relation,)
