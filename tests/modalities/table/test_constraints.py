"""What stands in [[constraints]]: read, or refused with every slip at once."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest

from semblance.core.constraint import Condition, Constraint
from semblance.core.modality import ReadOptions
from semblance.modalities.table import declare
from semblance.modalities.table.constraints import check, contradictions

NAMES = ("admitted", "discharged", "died", "age", "sex", "icd", "a", "b", "total")
FILE = """
[columns.age]
kind = "integer"
max = 120
[[constraints]]
kind = "inequality"
low = "admitted"
high = "discharged"
strict = true
[[constraints]]
kind = "ordered"
columns = ["admitted", "discharged", "died"]
[[constraints]]
kind = "dependency"
parents = ["icd"]
child = "sex"
[[constraints]]
kind = "sum"
parts = ["a", "b"]
total = "total"
[[constraints]]
kind = "implication"
if = { sex = "M", age = { max = 12 } }
then_not = { icd = ["O*", "N80"] }
[[constraints]]
kind = "range"
column = "age"
min = 0
"""


def problems(*said) -> str:
    return "\n".join(f"{p.column}: {p.found} | {p.fix}" for p in check(said, NAMES)[2])


def test_a_file_becomes_rules_and_a_range_becomes_bounds():
    declared, wrong = declare.check(ReadOptions(declared=tomllib.loads(FILE)), NAMES)
    assert wrong == []
    assert declared.constraints == (
        Constraint("inequality", ("admitted", "discharged"), strict=True),
        Constraint("ordered", ("admitted", "discharged", "died")),
        Constraint("dependency", ("icd", "sex")),
        Constraint("sum", ("a", "b", "total")),
        Constraint(
            "implication",
            when=(Condition("sex", ("M",)), Condition("age", max=12.0)),
            never=(Condition("icd", ("O*", "N80")),),
        ),
    )
    assert declared.of("age") == {"kind": "integer", "max": 120, "min": 0}


def test_dates_and_truths_are_conditions():
    said = {"kind": "implication", "if": {"died": True}, "then": {"admitted": {"min": date(2000, 1, 1)}}}
    (rule,), _, wrong = check([said], NAMES)
    assert wrong == []
    assert rule.when == (Condition("died", (True,)),)
    assert rule.then == (Condition("admitted", min=946684800.0),)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"kind": "inequalty"}, "kind 'inequalty'"),
        ({"low": "a", "high": "b"}, "no 'kind'"),
        ({"kind": "inequality", "low": "a"}, "no 'high'"),
        ({"kind": "inequality", "low": "a", "high": "c"}, "no column 'c'"),
        ({"kind": "inequality", "low": "a", "high": "a"}, "a column stands there twice"),
        ({"kind": "inequality", "low": "a", "high": "b", "strict": "yes"}, "'strict' is neither"),
        ({"kind": "inequality", "low": "a", "high": "b", "max": 3}, "no key 'max'"),
        ({"kind": "inequality", "low": ["a"], "high": "b"}, "'low' is no name of a column"),
        ({"kind": "ordered", "columns": "a"}, "'columns' is no list of names"),
        ({"kind": "ordered", "columns": ["admited", "b"]}, "did you mean 'admitted'?"),
        ({"kind": "ordered", "columns": [["a"], 3]}, "'columns' is no list of names"),
        ({"kind": "sum", "parts": ["a"], "total": "b"}, "'parts' is no list of names"),
        ({"kind": "range", "column": "age"}, "no 'min' and no 'max'"),
        ({"kind": "range", "column": "age", "min": "low"}, "'min' is no number or date"),
        ({"kind": "implication", "if": {"sex": "M"}}, "no 'then' and no 'then_not'"),
        ({"kind": "implication", "if": {"sex": {}}, "then": {"a": 1}}, "'if' says nothing of a column"),
        ({"kind": "implication", "if": "sex", "then": {"a": 1}}, "'if' is no table of columns"),
        ({"kind": "implication", "if": {"sex": "M"}, "then": {"sax": "M"}}, "did you mean 'sex'?"),
        ({"kind": "predicate", "name": "p", "holds": "a > 0"}, "'holds' is no function"),
    ],
)
def test_every_slip_is_told(said, told):
    assert told in problems(said)


def test_all_slips_of_all_constraints_are_told_at_once():
    told = problems({"kind": "sum", "parts": ["x", "y"], "total": "z"}, {"kind": "maybe"})
    assert told.count("constraint 1") == 3
    assert told.count("constraint 2") == 1


@pytest.mark.parametrize("said", ["sum", {"kind": "sum"}, [3]])
def test_what_is_no_list_of_tables_is_refused(said):
    assert "no list of tables" in check(said, NAMES)[2][0].found


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ([("inequality", ("a", "b")), ("inequality", ("b", "a"))], "orders of 'a', 'b' go in a circle"),
        ([("ordered", ("a", "b", "c")), ("inequality", ("c", "a"))], "orders of 'a', 'b', 'c' go in a circle"),
        ([("sum", ("a", "b", "c")), ("sum", ("c", "d", "a"))], "sums of 'a', 'c' go in a circle"),
        ([("sum", ("a", "b", "c")), ("sum", ("d", "e", "c"))], "two constraints decide it"),
        ([("sum", ("a", "b", "c")), ("combinations", ("c", "d"))], "two constraints decide it"),
    ],
)
def test_rules_that_contradict_each_other(rules, told):
    assert [p.found for p in contradictions(Constraint(*rule) for rule in rules)] == [told]


def test_a_diamond_is_no_circle():
    rules = [Constraint("inequality", pair) for pair in (("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"))]
    assert contradictions(rules) == []
