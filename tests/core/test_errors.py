from __future__ import annotations

import json

import pytest

from semblance.core import errors
from semblance.core.errors import DataError, Problem, SemblanceError, UsageError


def kinds() -> list[type[SemblanceError]]:
    return SemblanceError.__subclasses__()


def test_exit_codes_are_unique_and_as_documented():
    codes = {kind.__name__: kind.exit_code for kind in kinds()}
    assert codes == {
        "UsageError": 2,
        "DataError": 3,
        "IdentifierError": 4,
        "PrivacyError": 5,
        "FindingError": 6,
        "ResourceError": 7,
        "SignatureError": 8,
    }


@pytest.mark.parametrize("kind", kinds())
def test_the_tree_in_the_docstring_tells_the_truth(kind):
    line = next(line for line in errors.__doc__.splitlines() if kind.__name__ in line)
    assert str(kind.exit_code) in line.split()


def test_a_problem_says_where_what_and_how():
    error = DataError.of("a word", rule="a number", fix="correct it", column="age", row=7)
    assert isinstance(error, DataError)
    assert str(error) == "column 'age', row 7: a word\n  rule: a number\n  fix:  correct it"


def test_all_problems_are_told_at_once():
    error = UsageError(Problem("one", "r", "f"), Problem("two", "r", "f", row=2))
    assert "one" in str(error)
    assert "row 2: two" in str(error)


def test_of_many_problems_of_one_rule_the_first_few_are_read():
    """400 empty files once were 1,200 lines."""
    error = DataError(
        *(Problem(f"'{i}' is empty", "whole", "leave it out") for i in range(400)), Problem("x", "r", "f")
    )
    shown = [f"'{i}' is empty" for i in range(5)]
    lines = [*shown, "and 395 more", "  rule: whole", "  fix:  leave it out", "x", "  rule: r", "  fix:  f"]
    assert str(error).splitlines() == lines
    assert len(error.problems) == 401 == len(error.to_json()["problems"])


def test_json_is_plain():
    told = json.loads(json.dumps(DataError.of("x", rule="r", fix="f", column="c").to_json()))
    assert told == {
        "error": "DataError",
        "exit_code": 3,
        "problems": [{"found": "x", "rule": "r", "fix": "f", "column": "c", "row": None}],
    }


def test_an_error_without_a_problem_is_a_bug():
    with pytest.raises(ValueError, match="at least one"):
        DataError()
