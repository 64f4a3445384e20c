"""The parts of a judgement (train, holdout, synthetic, further): what is wrong with them is told at once.

One person mends several files at a time, so every message also says in which of them the problem is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any, TypeVar

from semblance.app.config import nearest
from semblance.app.stages import beside
from semblance.core.errors import DataError, Problem, UsageError
from semblance.core.modality import Modality, load
from semblance.core.schema import Schema

T = TypeVar("T")
COPIED = ("train", "synthetic")
"""Two parts that may hold the same bytes: a generator that copies is found out by the judges."""


def together(work: Iterable[tuple[str, Callable[[], T]]]) -> list[T]:
    """What each piece of work gives. Raises the problems of all that fail at once, each with the name of its place.

    A wrong call (UsageError) is told as such also where data are wrong beside it.
    """
    given: list[T] = []
    problems: list[Problem] = []
    kind: type[DataError | UsageError] = DataError
    for place, do in work:
        try:
            given.append(do())
        except (DataError, UsageError) as error:
            kind = UsageError if isinstance(error, UsageError) else kind
            problems += [_placed(problem, place) for problem in error.problems]
    if problems:
        raise kind(*dict.fromkeys(problems))  # two readings of a file find the same
    return given


def _placed(problem: Problem, place: str) -> Problem:
    return replace(problem, found=f"{problem.found} (in {place})") if place else problem


def check_parts(
    manifest: Modality,
    *,
    train: Any,
    holdout: Any,
    synthetic: Any,
    further: Iterable[Any] = (),
    marks: Mapping[str, str] | None = None,
) -> None:
    """Raise DataError where the parts cannot be judged together, with every problem.

    A patient of the holdout (if there is one) stands in train, units differ, or two parts are one: `marks` says by part
    what is equal where the records are.
    """
    apart, comparable = manifest.apart, manifest.comparable
    work: list[tuple[str, Callable[[], Any]]] = []
    if apart is not None and holdout is not None:
        work.append(("", lambda: load(apart)(train, holdout, synthetic)))
    others = [("holdout", holdout), ("synthetic", synthetic), *(("further", one) for one in further)]
    if comparable is not None:
        work += [
            ("", lambda part=part, other=other: load(comparable)(train, other, part=part))  # type: ignore[misc]
            for part, other in others
            if other is not None
        ]
    together([*work, ("", lambda: _refuse_one_for_two(marks or {}))])


def _refuse_one_for_two(marks: Mapping[str, str]) -> None:
    problems = [
        Problem(
            f"{first} and {second} are the same file",
            "the holdout was never seen, and every further set is another draw",
            f"give another file as {second}",
        )
        for (first, one), (second, two) in combinations(marks.items(), 2)
        if one == two and (first, second.partition("-")[0].replace("further", "synthetic")) != COPIED
    ]
    if problems:
        raise DataError(*problems)


def refuse_unjudged(manifest: Modality, path: str, schema: Schema) -> None:
    """Raise DataError with every column of a synthetic file that no judge looks at."""
    problems = list(_unjudged(beside(manifest, "column_names")((path,)), schema))
    if problems:
        raise DataError(*problems)


def _unjudged(names: Iterable[str], schema: Schema) -> Iterator[Problem]:
    written, known = {column.name for column in schema.written}, {column.name for column in schema}
    for name in names:
        if name not in written:
            told = "train's column is dropped" if name in known else "train has no such column"
            other = "declare its role" if name in known else f"name it as in train. {nearest(name, written)}".rstrip()
            fix = f"leave it out of the synthetic file, or {other}"
            yield Problem(f"{told}, so nothing judges it", "a verdict holds for the whole file", fix, name)
