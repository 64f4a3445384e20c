"""Only combinations that several patients hold come back, whatever their columns are."""

from __future__ import annotations

import numpy as np
import pandas as pd

from semblance.core.rng import stream
from semblance.modalities.table.relations.joint import Joint
from tests.modalities.table.relations.tables import round_trip, table, through_json


def fitted(made, names, *, rare: int = 5, limit: int = 2000) -> Joint:
    return Joint.fit(made.schema, made.frame, names, made.subjects, rare=rare, limit=limit)


def places(n: int = 300) -> pd.DataFrame:
    rng = stream(0)
    city = rng.integers(0, 6, n)
    frame = pd.DataFrame({"city": np.array(list("ABCDEF"))[city], "region": np.array(["N", "S"])[city % 2]})
    frame["beds"] = city % 3 * 10.5
    return frame.mask(rng.random(frame.shape) < 0.1)


def test_combinations_that_are_common_come_back_with_their_gaps():
    made = table(places(3000))
    relation = fitted(made, ("city", "region", "beds"), rare=1)
    assert round_trip(relation, made) == []
    assert through_json([relation]) == (relation,)
    assert not relation.broken(made.frame).any()


def test_a_rare_combination_becomes_the_common_one_that_is_most_like_it():
    frame = pd.DataFrame({"a": ["x"] * 20 + ["y"] * 30 + ["x"], "b": ["p"] * 20 + ["q"] * 30 + ["secret"]})
    made = table(frame)
    relation = fitted(made, ("a", "b"))
    assert relation.rows == (("y", "q"), ("x", "p"))
    assert relation.broken(made.frame).tolist() == [False] * 50 + [True]
    back = relation.restore(relation.reduce(made.frame))
    assert (back["a"][-1], back["b"][-1]) == ("x", "p")
    assert "secret" not in str(relation)


def test_a_combination_counts_patients_and_not_records():
    frame = pd.DataFrame({"pid": ["p1"] * 20 + [f"q{i}" for i in range(20)], "a": ["x"] * 20 + ["y"] * 20, "b": "z"})
    made = table(frame, subject="pid")
    assert fitted(made, ("a", "b")).rows == (("y", "z"),)


def test_at_most_so_many_combinations_are_kept():
    made = table(pd.DataFrame({"a": [f"v{i % 40}" for i in range(800)], "b": [f"w{i % 40}" for i in range(800)]}))
    assert len(fitted(made, ("a", "b"), limit=7).rows) == 7


def test_a_table_too_small_for_any_combination_is_missing():
    made = table(pd.DataFrame({"a": ["x", "y"], "b": ["p", "q"]}))
    relation = fitted(made, ("a", "b"))
    assert relation.rows == ((None, None),)
    assert all(pd.isna(values).all() for values in relation.restore(relation.reduce(made.frame)).values())


def test_what_was_never_seen_is_restored_as_something_that_was():
    made = table(places())
    relation = fitted(made, ("city", "region"))
    drawn = {relation.fields[0].name: pd.Categorical(["nonsense", None])}
    assert not relation.broken(relation.restore(drawn)).any()


def test_texts_with_quotes_and_other_letters_stay_apart():
    frame = pd.DataFrame({"a": ['x", "y', "x", "größe µ"] * 20, "b": ["z", 'y", "z', "∑"] * 20})
    made = table(frame, a={"kind": "categorical"}, b={"kind": "categorical"})
    relation = fitted(made, ("a", "b"))
    assert len(relation.rows) == 3
    assert round_trip(relation, made) == []
