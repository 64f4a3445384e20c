from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.core.errors import DataError, UsageError
from semblance.core.schema import KINDS, ROLES, Column, Schema

names = st.text(min_size=1, max_size=8)
columns = st.builds(
    Column,
    name=names,
    kind=st.sampled_from(KINDS),
    role=st.sampled_from([role for role in ROLES if role not in ("subject", "target")]),
    dtype=st.sampled_from(["str", "float64", "int64", "bool"]),
    decimals=st.integers(0, 9),
    na=st.sampled_from(["", "?", "NA"]),
    min=st.none() | st.floats(-1e9, 0),
    max=st.none() | st.floats(0, 1e9),
    categories=st.none() | st.lists(names, unique=True, max_size=4).map(tuple),
)
schemas = st.builds(
    Schema,
    st.lists(columns, max_size=5, unique_by=lambda c: c.name).map(tuple),
    cohort=st.none() | names,
    n_public=st.none() | st.integers(1, 10**6),
)


@given(schemas)
def test_json_round_trip(schema):
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema


def test_json_leaves_defaults_out():
    assert Schema((Column("age", "integer"),)).to_json()["columns"] == [{"name": "age", "kind": "integer"}]


def test_a_column_collects_all_its_problems():
    with pytest.raises(DataError) as caught:
        Column("x", "money", role="boss", min=2, max=1, categories=("a", "a"))  # type: ignore[arg-type]
    assert [p.column for p in caught.value.problems] == ["x"] * 4


def test_names_are_unique():
    with pytest.raises(DataError, match="'age'"):
        Schema((Column("age", "integer"), Column("age", "numeric")))


@pytest.mark.parametrize("role", ["subject", "target"])
def test_one_subject_and_one_target_at_most(role):
    with pytest.raises(DataError, match=role):
        Schema((Column("a", "integer", role=role), Column("b", "integer", role=role)))


def test_which_columns_are_learned_and_which_are_written():
    schema = Schema(
        (
            Column("pid", "identifier", role="subject"),
            Column("row", "integer", role="key"),
            Column("name", "text", role="drop"),
            Column("age", "integer"),
            Column("died", "boolean", role="target"),
        )
    )
    assert [c.name for c in schema.learned] == ["age", "died"]
    assert [c.name for c in schema.written] == ["pid", "row", "age", "died"]
    assert schema.where("target") is schema["died"]
    assert schema.where("weight") is None


def test_an_unknown_column_is_a_usage_error_that_lists_the_names():
    with pytest.raises(UsageError, match="age"):
        Schema((Column("age", "integer"),))["agee"]


@pytest.mark.parametrize(
    ("kind", "continuous"), [("numeric", True), ("date", True), ("code", False), ("boolean", False)]
)
def test_points_on_a_line(kind, continuous):
    assert Column("x", kind).continuous is continuous
