"""Everything that semblance refuses, and the exit code of each refusal.

    SemblanceError
    ├── UsageError        2   the call is wrong
    ├── DataError         3   the data cannot be read or used
    ├── IdentifierError   4   a column may identify a patient and nobody has said what to do with it
    ├── PrivacyError      5   a privacy finding failed or cannot be certified
    ├── FindingError      6   another finding failed
    ├── ResourceError     7   disk, memory or time ran out
    └── SignatureError    8   a bundle is not what was signed

An error collects every problem of its input and tells them at once: what was found, the rule, and the line that fixes
it. It names columns and rows, never a patient's value. Of many that break one rule a person reads the first few.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import ClassVar, Self

SHOWN = 5
"""What was found of problems that break one rule, at most, where a person reads it."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: `found`, the `rule` that it breaks, the `fix`, and where it is."""

    found: str
    rule: str
    fix: str
    column: str | None = None
    row: int | None = None

    @property
    def placed(self) -> str:
        """What was found, and where."""
        place = "" if self.column is None else f"column '{self.column}'"
        place += "" if self.row is None else f"{', ' if place else ''}row {self.row}"
        return f"{place + ': ' if place else ''}{self.found}"


@dataclass(frozen=True)
class Told:
    """Problems of one rule and fix as a person reads them: what was `found` of the first few, how many `more`."""

    found: tuple[str, ...]
    more: int
    rule: str
    fix: str

    def __str__(self) -> str:
        more = (f"and {self.more:,} more",) if self.more else ()
        return "\n".join((*self.found, *more, f"  rule: {self.rule}", f"  fix:  {self.fix}"))


def told(problems: Iterable[Problem]) -> list[Told]:
    """Problems by their rule and fix, in the order of the first of each."""
    alike: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        alike.setdefault((problem.rule, problem.fix), []).append(problem.placed)
    return [Told(tuple(found[:SHOWN]), len(found[SHOWN:]), *key) for key, found in alike.items()]


def reason(error: OSError) -> str:
    """What the system refused, in its own words and without its arguments, which may be paths."""
    return os.strerror(error.errno) if error.errno else type(error).__name__


class SemblanceError(Exception):
    """Base of all refusals. `problems` holds every Problem, of which the text shows some (see `told`); `exit_code` is
    what the command line ends with."""

    exit_code: ClassVar[int] = 1

    def __init__(self, *problems: Problem) -> None:
        if not problems:
            raise ValueError("an error needs at least one Problem")
        self.problems = problems
        super().__init__("\n".join(map(str, told(problems))))

    @classmethod
    def of(cls, found: str, *, rule: str, fix: str, column: str | None = None, row: int | None = None) -> Self:
        """The error of a single problem."""
        return cls(Problem(found, rule, fix, column, row))

    def to_json(self) -> dict[str, object]:
        """As the command line prints it under --json."""
        return {
            "error": type(self).__name__,
            "exit_code": self.exit_code,
            "problems": [asdict(p) for p in self.problems],
        }


class UsageError(SemblanceError):
    """The call is wrong."""

    exit_code = 2


class DataError(SemblanceError):
    """The data cannot be read or used."""

    exit_code = 3


class IdentifierError(SemblanceError):
    """A column may identify a patient, and nobody has said what to do with it."""

    exit_code = 4


class PrivacyError(SemblanceError):
    """A privacy finding failed, or cannot be certified with so few patients."""

    exit_code = 5


class FindingError(SemblanceError):
    """A finding other than privacy failed."""

    exit_code = 6


class ResourceError(SemblanceError):
    """Disk, memory or time ran out."""

    exit_code = 7


class SignatureError(SemblanceError):
    """A bundle is not what was signed."""

    exit_code = 8
