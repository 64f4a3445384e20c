from __future__ import annotations

import errno
import json

import pytest
import typer

from semblance.app.failures import guarded
from semblance.core.errors import DataError, Problem


def ended(error: BaseException, capsys: pytest.CaptureFixture[str], *, as_json: bool = False) -> tuple[int, str, str]:
    with pytest.raises(typer.Exit) as caught, guarded(as_json=as_json, again="semblance synth a.csv --resume"):
        raise error
    shown = capsys.readouterr()
    return caught.value.exit_code, shown.out, shown.err


PROBLEMS = DataError(
    Problem("text in a number", "one kind", "declare it", "age", 4112), Problem("no rows", "some", "add")
)


def test_every_problem_is_shown_on_stderr_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = ended(PROBLEMS, capsys)
    assert code == 3 and out == ""
    assert "column 'age', row 4112" in err and "no rows" in err and "declare it" in err


def test_of_many_problems_of_one_rule_the_first_few_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    error = DataError(*(Problem(f"'{i}' is empty", "whole", "leave it out") for i in range(400)))
    _, _, err = ended(error, capsys)
    assert "'0' is empty" in err and "'5' is empty" not in err and "and 395 more, which --json lists" in err
    assert len(err.splitlines()) < 15
    _, out, _ = ended(error, capsys, as_json=True)
    assert len(json.loads(out)["problems"]) == 400


def test_json_goes_to_stdout_alone(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = ended(PROBLEMS, capsys, as_json=True)
    assert err == "" and json.loads(out)["problems"][0]["row"] == 4112 and json.loads(out)["exit_code"] == code


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.ENOSPC, "x", "/secret/path")])
def test_exhausted_resources_end_with_7_and_name_no_path(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = ended(error, capsys)
    assert code == 7 and "secret" not in err


def test_an_interruption_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = ended(KeyboardInterrupt(), capsys)
    assert code == 130 and "semblance synth a.csv --resume" in err


@pytest.mark.parametrize("as_json", [True, False])
def test_a_defect_shows_the_way_and_no_message(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    code, out, err = ended(ValueError("could not convert 'Jane Doe'"), capsys, as_json=as_json)
    assert code == 1 and "Jane" not in out + err and "ValueError" in out + err and "test_failures.py" in out + err


def test_an_exit_passes_through() -> None:
    with pytest.raises(typer.Exit), guarded(as_json=False):
        raise typer.Exit(5)
