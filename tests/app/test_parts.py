"""The parts of a judgement: every problem of every file at once, and two parts are never one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from semblance.app.parts import check_parts, refuse_unjudged, together
from semblance.catalog import modality
from semblance.core.errors import DataError, SemblanceError, UsageError
from semblance.core.modality import ReadOptions, load

TABLE = modality("table")


def fails(error: type[SemblanceError], found: str) -> Any:
    def work() -> None:
        raise error.of(found, rule="r", fix="f")

    return work


def test_what_fails_is_told_together_and_by_place() -> None:
    assert together([("a", lambda: 1), ("b", lambda: 2)]) == [1, 2]
    with pytest.raises(DataError) as caught:
        together([("--holdout a.csv", fails(DataError, "x")), ("b", lambda: 1), ("", fails(DataError, "y"))])
    assert [problem.found for problem in caught.value.problems] == ["x (in --holdout a.csv)", "y"]


def test_a_wrong_call_comes_before_wrong_data() -> None:
    with pytest.raises(UsageError) as caught:
        together([("a", fails(DataError, "x")), ("b", fails(UsageError, "y")), ("c", fails(DataError, "z"))])
    assert len(caught.value.problems) == 3


def table(path: Path, rows: int = 300, *, scale: int = 1, start: int = 0, **more: str) -> Any:
    head = ",".join(("pid", "x", "y", *more))
    lines = [",".join((str(start + i), str(scale * (i % 97 + 7)), "ab"[i % 2], *more.values())) for i in range(rows)]
    path.write_text("\n".join([head, *lines]) + "\n")
    return load(TABLE.read)((str(path),), ReadOptions("pid", None, None, None, 5))[0]


def test_patients_units_and_parts_are_checked_at_once(tmp_path: Path) -> None:
    train = table(tmp_path / "train.csv")
    holdout, made = table(tmp_path / "holdout.csv", start=299), table(tmp_path / "made.csv", scale=1000)
    marks = {"train": "1", "holdout": "2", "synthetic": "2", "further-1": "3", "further-2": "3"}
    with pytest.raises(DataError) as caught:
        check_parts(TABLE, train=train, holdout=holdout, synthetic=made, further=(made,), marks=marks)
    told = [problem.found for problem in caught.value.problems]
    assert [text.split()[0] for text in told] == ["1", "the", "the", "holdout", "further-1"]
    assert "further records" in told[2] and "same file" in told[3]


@pytest.mark.parametrize("part", ["synthetic", "further-1"])
def test_a_copy_of_train_is_for_the_judges(tmp_path: Path, part: str) -> None:
    train = table(tmp_path / "train.csv")
    check_parts(TABLE, train=train, holdout=None, synthetic=train, marks={"train": "1", part: "1"})


def test_columns_that_nothing_judges_are_refused(tmp_path: Path) -> None:
    schema = table(tmp_path / "train.csv").schema
    refuse_unjudged(TABLE, str(tmp_path / "train.csv"), schema)
    table(tmp_path / "wide.csv", ward="SECRET", bed="9")
    with pytest.raises(DataError) as caught:
        refuse_unjudged(TABLE, str(tmp_path / "wide.csv"), schema)
    assert [problem.column for problem in caught.value.problems] == ["ward", "bed"]
    assert "SECRET" not in str(caught.value)
