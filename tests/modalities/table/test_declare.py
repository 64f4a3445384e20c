"""The schema file: every slip is told with what was probably meant."""

from __future__ import annotations

from datetime import date

import pytest

from semblance.core.modality import ReadOptions
from semblance.modalities.table.declare import as_number, check

NAMES = ("age", "sex", "income")


def fixes(**options) -> str:
    return "\n".join(f"{p.found} | {p.fix}" for p in check(ReadOptions(**options), NAMES)[1])


def test_a_right_schema_holds():
    said = {
        "cohort": {"id": "c", "n_public": 5},
        "na": ["?"],
        "columns": {"age": {"kind": "integer", "min": 0, "max": 99, "na": "x"}},
    }
    declared, problems = check(ReadOptions(declared=said, na=("-",), subject="sex"), NAMES)
    assert problems == []
    assert (declared.cohort, declared.n_public) == ("c", 5)
    assert declared.tokens("age") == ("x",)
    assert declared.tokens("sex") == ("?", "-")
    assert declared.of("sex")["role"] == "subject"


@pytest.mark.parametrize(
    ("options", "fix"),
    [
        ({"declared": {"colums": {}}}, "did you mean 'columns'?"),
        ({"declared": {"columns": {"agee": {}}}}, "did you mean 'age'?"),
        ({"declared": {"columns": {"AGE": {}}}}, "did you mean 'age'?"),
        ({"declared": {"columns": {"age": {"knid": "integer"}}}}, "did you mean 'kind'?"),
        ({"declared": {"columns": {"age": {"kind": "integr"}}}}, "did you mean 'integer'?"),
        ({"declared": {"columns": {"age": {"role": "targt"}}}}, "did you mean 'target'?"),
        ({"declared": {"columns": {"age": {"knid": "integer"}}}}, "one of: kind, role, min, max"),
        ({"declared": {"columns": {"age": {"role": "targt"}}}}, "one of: feature, subject, target"),
        (
            {"declared": {"constraints": [{"kind": "ordr", "low": "age", "high": "income"}]}},
            "did you mean 'ordered'? one of: inequality",
        ),
        (
            {"declared": {"constraints": [{"kind": "range", "column": "age", "mni": 0}]}},
            "did you mean 'min'? one of: kind",
        ),
        ({"declared": {"cohort": {"name": "x"}}}, "one of: id, n_public"),
        ({"subject": "sxe"}, "did you mean 'sex'?"),
        ({"target": "incme"}, "did you mean 'income'?"),
        ({"subject": "zzz"}, "one of: age, sex, income"),
    ],
)
def test_did_you_mean(options, fix):
    assert fix in fixes(**options)


@pytest.mark.parametrize(
    "said",
    [
        {"min": "low"},
        {"max": True},
        {"na": 3},
        {"categories": "a"},
        {"categories": ["a", "a"]},
        {"date_format": "%Q"},
        {"date_format": "%Y-%Y"},
        {"date_format": "%"},
        {"date_format": "day"},
        {"kind": "text", "role": "target"},
    ],
)
def test_wrong_values_are_refused(said):
    assert len(check(ReadOptions(declared={"columns": {"age": said}}), NAMES)[1]) == 1


def test_all_problems_are_told_at_once():
    assert len(check(ReadOptions(declared={"columns": {"agee": {}, "sex": {"knd": 1}}}, target="incme"), NAMES)[1]) == 3


def test_a_value_that_is_wrong_does_not_hold_and_the_others_do():
    declared, problems = check(
        ReadOptions(declared={"columns": {"age": {"min": "x", "date_format": "%Q", "na": "?"}}}), NAMES
    )
    assert declared.of("age") == {"na": "?"}
    assert [(p.column, p.found.split()[0]) for p in problems] == [("age", "min"), ("age", "date_format")]


@pytest.mark.parametrize(
    "known", ["%Y-%m-%d", "%d%^b%Y", "%-m/%-d/%y %-I:%M %p", "%Y-%m-%dT%H:%M:%S.%3fZ", "%Y-%m", "%Y"]
)
def test_every_way_to_write_a_date_may_be_declared(known):
    assert check(ReadOptions(declared={"columns": {"age": {"date_format": known}}}), NAMES)[1] == []


@pytest.mark.parametrize("count", ["many", 0, True, 1.5])
def test_a_public_count_is_a_count(count):
    assert "n_public" in fixes(declared={"cohort": {"n_public": count}})


def test_one_subject_and_one_target():
    assert "several columns" in fixes(subject="age", declared={"columns": {"sex": {"role": "subject"}}})
    assert "one column" in fixes(subject="age", target="age")


def test_a_declared_date_is_a_bound():
    assert as_number(date(1970, 1, 2)) == 86400.0
    assert as_number(None) is None


MEASURED = {
    "cohort": {"n_public": "measured"},
    "columns": {"age": {"min": "measured", "max": 99}, "sex": {"categories": "measured"}},
}


def test_what_is_to_be_measured_is_no_bound_yet():
    declared, problems = check(ReadOptions(declared=MEASURED), NAMES, private=True)
    assert problems == [] and declared.counted and declared.n_public is None
    assert (declared.asked("age"), declared.asked("sex"), declared.asked("income")) == ({"min"}, {"categories"}, set())
    assert declared.of("age") == {"max": 99} and declared.of("sex") == {}


def test_nothing_is_measured_without_a_budget():
    problems = check(ReadOptions(declared=MEASURED), NAMES)[1]
    assert [problem.column for problem in problems] == ["age", "sex", None]
    assert all("--epsilon" in problem.fix and "leave the key out" in problem.fix for problem in problems)


def test_an_order_cannot_be_measured():
    said = {"columns": {"sex": {"kind": "ordinal", "categories": "measured"}}}
    (problem,) = check(ReadOptions(declared=said), NAMES, private=True)[1]
    assert "order" in problem.found


def test_codes_may_be_listed_in_rows():
    said = {"age": {"kind": "code", "categories": ["V1..V3", "7"]}, "sex": {"categories": ["1..2"]}}
    declared, problems = check(ReadOptions(declared={"columns": said}), NAMES)
    assert problems == [] and declared.of("age")["categories"] == ("V1", "V2", "V3", "7")
    assert declared.of("sex")["categories"] == ["1..2"]  # as it is spelt, where a column is not of codes
    wrong = {"age": {"kind": "code", "categories": ["V3..V1"]}}
    assert "categories hold a row that is none" in fixes(declared={"columns": wrong})
