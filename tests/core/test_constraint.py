"""Constraints validate themselves, say their rule in words, and go through JSON unchanged."""

from __future__ import annotations

import json

import pytest

from semblance.core.constraint import Condition, Constraint
from semblance.core.errors import DataError
from semblance.core.schema import Column, Schema

MALE = Condition("sex", ("M",))
RULES = [
    (Constraint("inequality", ("a", "b")), "'a' <= 'b'"),
    (Constraint("ordered", ("a", "b", "c"), strict=True), "'a' < 'b' < 'c'"),
    (Constraint("combinations", ("a", "b")), "'a', 'b': the combinations that occur"),
    (Constraint("dependency", ("a", "b", "c")), "'a', 'b' decides 'c'"),
    (Constraint("sum", ("a", "b", "t")), "'t' = 'a' + 'b'"),
    (Constraint("one-hot", ("a", "b")), "'a', 'b': exactly one is 1"),
    (
        Constraint("implication", when=(MALE,), never=(Condition("icd", ("O*", "P1")),)),
        "where 'sex' is M: never 'icd' is O* or P1",
    ),
    (
        Constraint("implication", when=(Condition("age", max=12.0),), then=(Condition("dose", min=1.0, max=2.0),)),
        "where 'age' <= 12: 1 <= 'dose' <= 2",
    ),
    (Constraint("predicate", name="dose by weight"), "predicate 'dose by weight'"),
]


@pytest.mark.parametrize(("rule", "words"), RULES)
def test_a_rule_in_words_and_through_json(rule, words):
    assert str(rule) == words
    assert Constraint.from_json(json.loads(json.dumps(rule.to_json()))) == rule


@pytest.mark.parametrize(
    ("kind", "columns"),
    [("between", ("a", "b")), ("sum", ("a", "b")), ("ordered", ("a",)), ("inequality", ("a", "a")), ("one-hot", ())],
)
def test_a_rule_that_ties_nothing_is_refused(kind, columns):
    with pytest.raises(DataError, match="constraint of kind"):
        Constraint(kind, columns)


def test_a_function_is_not_saved_and_does_not_make_rules_differ():
    rule = Constraint("predicate", name="p", holds=lambda frame: frame["a"] > 0)
    again = Constraint.from_json(rule.to_json())
    assert again.holds is None
    assert again == rule


def test_a_schema_keeps_its_rules_and_drops_those_whose_columns_leave():
    columns = (Column("a", "integer"), Column("b", "integer"), Column("c", "integer"))
    schema = Schema(columns, constraints=(RULES[0][0], Constraint("inequality", ("b", "c"))))
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema
    assert schema.with_columns(columns[:2]).constraints == (RULES[0][0],)
    with pytest.raises(DataError, match="column 'c'"):
        Schema(columns[:2], constraints=schema.constraints)
