"""Which patients a ledger is of: the same ones have one budget, under whatever name they are asked for.

Ids that differ in case and punctuation alone name one cohort. Each ledger also holds SHA-256 digests of the files that
its records came from: a file that was measured under one id cannot be measured under another. That only finds files
that are the same byte for byte; who is a patient of which cohort nobody can tell but the person who declares it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from semblance.core.errors import Problem, UsageError


def refuse_other(folder: Path, cohort: str, data: Sequence[str] = ()) -> None:
    """Raise UsageError where another ledger in `folder` has this id in another spelling, or a digest of `data`."""
    problems = []
    for path in sorted(folder.glob("*.jsonl")):
        other, fix = path.stem, f'[cohort] id = "{path.stem}"'
        if other == cohort:
            continue
        if _plain(other) == _plain(cohort):
            rule = "ids that differ in case and punctuation alone name the same patients, who have one budget"
            found = f"cohort '{cohort}' beside a ledger of cohort '{other}'"
            problems.append(Problem(found, rule, f"{fix}, or for other patients one of other letters or digits"))
        elif not set(data).isdisjoint(digest for known in measured(path) for digest in known):
            rule = "the same patients have one budget, under whatever name they are asked for"
            problems.append(Problem(f"the records of cohort '{cohort}' are those of cohort '{other}'", rule, fix))
    if problems:
        raise UsageError(*problems)


def measured(path: Path) -> list[list[str]]:
    """The digests of the files of each data set that a ledger was opened for."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [line["data"] for line in map(_parsed, lines) if "data" in line]


def changed(path: Path, data: Sequence[str]) -> bool:
    """Whether the cohort of a ledger was measured before, and never in these files."""
    known = measured(path)
    return bool(known) and sorted(data) not in known


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """While no other process may give an id or a file to a cohort of `folder`."""
    with locked(folder / ".lock"):
        yield


@contextmanager
def locked(path: Path) -> Iterator[BinaryIO]:
    """A file, made where there is none, that no other process has like this at the same time."""
    import fcntl  # not everywhere: only who keeps a ledger needs it

    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _plain(cohort: str) -> str:
    return "".join(sign for sign in cohort.casefold() if sign.isalnum())


def _parsed(line: bytes) -> dict[str, list[str]]:
    """A line as it is: whether it is what was written is asked by the ledger whose line it is."""
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
