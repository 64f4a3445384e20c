"""What is wanted, as a person writes it."""

from __future__ import annotations

from typing import Any

import pytest

from semblance.app.conditions import command_line_syntax, from_flags, spoken, wanted_of
from semblance.core.errors import UsageError
from semblance.core.model import Wanted
from semblance.modalities.table.wanted.asked import Asked
from tests.modalities.table.wanted.exact import Exact, cohort, table


def asked(**parts: Any) -> Any:
    nothing = {"given": None, "quota": None, "shift": None, "fair_on": None, "fairness": "parity"}
    return wanted_of(**{**nothing, **parts})


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("F", "F"),
        ("60..80", ("60", "80")),
        ("60..", ("60", None)),
        ("..80", (None, "80")),
        ("I10,I50.1", frozenset({"I10", "I50.1"})),
        ("1..2, 5", frozenset({("1", "2"), "5"})),
        ("", None),
        ('"a,b",c', frozenset({"a,b", "c"})),
    ],
)
def test_conditions(text: str, condition: Any) -> None:
    assert asked(given={"x": text}).given == {"x": condition}


def test_quotas_shifts_and_groups() -> None:
    wanted = asked(
        quota={"sex": "F:.5,M:.5", "age": "18..60:.4,60..120:.6", "died": "balanced"},
        shift={"bmi": "+10", "smoker": "yes:2"},
        fair_on="race,sex",
        fairness="odds",
    )
    assert wanted == Wanted(
        quota={"sex": {"F": 0.5, "M": 0.5}, "age": {("18", "60"): 0.4, ("60", "120"): 0.6}, "died": "balanced"},
        shift={"bmi": 10.0, "smoker": {"yes": 2.0}},
        fair_on=("race", "sex"),
        fairness="odds",
    )
    assert asked() is None


def test_everything_that_cannot_be_read_is_told() -> None:
    with pytest.raises(UsageError) as caught:
        asked(quota={"sex": "F,M", "died": "half"}, shift={"age": "older"}, given={"x": 3})
    assert {problem.column for problem in caught.value.problems} == {"sex", "died", "age", "x"}


def test_flags_become_mappings_by_column() -> None:
    read = from_flags({"given": ["sex=F", "a=b=c"], "quota": [], "shift": None, "fair_on": ["race", "sex"], "seed": 3})
    assert read == {
        "given": {"sex": "F", "a": "b=c"},
        "quota": None,
        "shift": None,
        "fair_on": "race,sex",
        "seed": 3,
    }
    with pytest.raises(UsageError) as caught:
        from_flags({"given": ["sex", "=3", "a=1", "a=2"]})
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("wanted", "written"),
    [
        ({"given": {"age": "80..60"}}, "lowest..highest"),
        ({"given": {"age": "nan"}}, "nothing behind the ="),
        ({"given": {"race": "Q"}}, "or nothing behind the ="),
        ({"given": {"race": "A..B"}}, "a,b is a set"),
        ({"quota": {"race": "A:2,B:-1"}}, "--quota sex=F:.5,M:.5"),
        ({"quota": {"age": "18..61:.4,60..90:.6"}}, "18..60 and 60..90"),
        ({"shift": {"age": "nan"}}, "--shift age=+10 --shift diabetes=yes:2"),
        ({"shift": {"race": "+3"}}, "value:factor for the odds"),
    ],
)
def test_on_the_command_line_errors_are_in_its_syntax(wanted: Any, written: str) -> None:
    frame = cohort(600)
    frame.loc[:49, "race"] = None
    encoding = Exact.of(table(frame, target="died"), bins=4, tokens=1).encoding
    with pytest.raises(UsageError) as caught, command_line_syntax():
        Asked.of(asked(**wanted), encoding)
    (problem,) = caught.value.problems
    told = f"{problem.rule} | {problem.fix}"
    assert written in told
    assert not set("{}()") & set(told) and "None" not in told


def test_a_report_says_it_in_a_sentence() -> None:
    wanted = Wanted(
        given={"age": (60, None), "icd": {"I10", "I50"}, "lab": None},
        quota={"sex": {"F": 0.5, "M": 0.5}, "died": "balanced"},
        shift={"bmi": 2, "smoker": {"yes": 2}},
        fair_on=("race",),
        do={"arm": "A"},
    )
    assert spoken(wanted.to_json()) == (
        "age = 60..; icd = I10 or I50; lab = missing; arm set to A; shares of sex: F 0.5, M 0.5; "
        "shares of died: balanced; bmi shifted by +2; smoker shifted by odds of yes times 2; "
        "demographic parity between groups of race. The records differ from the real ones by intention."
    )
