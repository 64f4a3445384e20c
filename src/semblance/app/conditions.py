"""How a person writes what is wanted, on the command line and in config.toml, and how a report says it again.

    given   age=60..80     from 60 to 80; 60.. has no upper end      icd=I10,I50.1   one of these      lab=   missing
    quota   sex=F:.5,M:.5  shares by condition                       died=balanced   equal shares of all values
    shift   age=+10        moves the mean                            smoker=yes:2    doubles the odds

A value that holds a comma, or two dots, stands in double quotes: icd="a,b".
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from semblance.core.errors import Problem, UsageError
from semblance.core.model import BALANCED, Wanted

PARTS = ("given", "quota", "shift")
SHAPES = {"given": "age=60..80", "quota": "sex=F:.5,M:.5", "shift": "age=+10"}
SYNTAX = {
    "quota={'sex': {'F': 0.5, 'M': 0.5}}": "--quota sex=F:.5,M:.5",
    "shift={'age': 10, 'diabetes': {'yes': 2}}": "--shift age=+10 --shift diabetes=yes:2",
    "{condition: share}": "condition:share,condition:share",
    "'balanced'": "balanced",
    "{value: factor": "value:factor",
    "above 0} for odds": "above 0 for odds",
    "value:factor}": "value:factor",
    "(lowest, highest)": "lowest..highest",
    "(18, 60) and (60, 90)": "18..60 and 60..90",
    "{...} is a set": "a,b is a set",
    "None stands for the missing value": "nothing behind the = stands for the missing value",
    "or None for the missing value": "or nothing behind the = for the missing value",
}
"""How rules and fixes write what is wanted, for Python, and how the command line does. Replaced in this order."""


@contextmanager
def command_line_syntax() -> Iterator[None]:
    """Errors about what is wanted with rules and fixes as the command line writes them."""
    try:
        yield
    except UsageError as error:
        told = (replace(p, rule=_on_command_line(p.rule), fix=_on_command_line(p.fix)) for p in error.problems)
        raise UsageError(*told) from error


def _on_command_line(text: str) -> str:
    for python, written in SYNTAX.items():
        text = text.replace(python, written)
    return text


def from_flags(flags: Mapping[str, Any]) -> dict[str, Any]:
    """The flags with every list of COLUMN=TEXT as a mapping, and groups as one text; None where nothing was given.

    Raises UsageError with all that cannot be read.
    """
    problems: list[Problem] = []
    read = {part: _mapping(part, flags.get(part) or (), problems) for part in PARTS}
    if problems:
        raise UsageError(*problems)
    groups = flags.get("fair_on")
    return {**flags, **read, "fair_on": ",".join(groups) if groups else None}


def _mapping(part: str, texts: Sequence[str], problems: list[Problem]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for text in texts:
        name, mark, asked = text.partition("=")
        if not mark or not name:
            problems.append(Problem(f"--{part} '{text}'", "COLUMN=WHAT", f'--{part} "{SHAPES[part]}"'))
        elif name in found:
            problems.append(Problem(f"--{part} twice", "each column once", "join both: icd=I10,I50.1", name))
        else:
            found[name] = asked
    return found or None


def wanted_of(
    *,
    given: Mapping[str, str] | None,
    quota: Mapping[str, str] | None,
    shift: Mapping[str, str] | None,
    fair_on: str | None,
    fairness: str,
) -> Wanted | None:
    """What the texts ask for; None where they ask for nothing. Raises UsageError with all that cannot be read."""
    problems: list[Problem] = []
    read: dict[str, dict[str, Any]] = {
        "given": _each("given", given, _condition, problems),
        "quota": _each("quota", quota, _quota, problems),
        "shift": _each("shift", shift, _shift, problems),
    }
    if problems:
        raise UsageError(*problems)
    groups = tuple(_fields(fair_on)) if fair_on else ()
    return Wanted(**read, fair_on=groups, fairness=fairness) or None


def _each(
    part: str, texts: Mapping[str, Any] | None, read: Callable[[str], Any], problems: list[Problem]
) -> dict[str, Any]:
    found = {}
    for name, text in (texts or {}).items():
        try:
            if not isinstance(text, str):
                raise ValueError("no text")
            found[name] = read(text)
        except (ValueError, csv.Error):
            fix = SHAPES[part].partition("=")[2]
            problems.append(Problem(f"{part} '{text}'", f"a text such as '{fix}'", "correct it", name))
    return found


def _fields(text: str) -> list[str]:
    """The parts between commas; quotes keep a comma."""
    return next(csv.reader([text], skipinitialspace=True), []) or [""]


def _condition(text: str) -> Any:
    """A value, a range, the missing value, or a set of them."""
    found = [_one(field) for field in _fields(text)]
    return found[0] if len(found) == 1 else frozenset(found)


def _one(text: str) -> Any:
    low, dots, high = text.partition("..")
    if dots:
        return (low.strip() or None, high.strip() or None)
    return text.strip() or None


def _quota(text: str) -> Any:
    return BALANCED if text.strip() == BALANCED else {_one(value): share for value, share in _weighted(text)}


def _shift(text: str) -> Any:
    return dict(_weighted(text)) if ":" in text else float(text)


def _weighted(text: str) -> Iterator[tuple[str, float]]:
    for field in _fields(text):
        value, mark, number = field.rpartition(":")
        if not mark:
            raise ValueError("no number behind a colon")
        yield value, float(number)


def spoken(wanted: Mapping[str, Any]) -> str:
    """What was asked for, of a `Wanted` as JSON, as a report says it."""
    return f"{listed(wanted)}. The records differ from the real ones by intention."


def listed(wanted: Mapping[str, Any]) -> str:
    """What was asked for, of a `Wanted` as JSON, in one line."""
    parts = [f"{name} = {_said(asked)}" for name, asked in wanted.get("given", {}).items()]
    parts += [f"{name} set to {_said(asked)}" for name, asked in wanted.get("do", {}).items()]
    parts += [f"shares of {name}: {_shared(quota)}" for name, quota in wanted.get("quota", {}).items()]
    parts += [f"{name} shifted by {_moved(shift)}" for name, shift in wanted.get("shift", {}).items()]
    if wanted.get("fair_on"):
        kind = {"parity": "demographic parity", "odds": "equalised odds"}[wanted["fairness"]]
        parts.append(f"{kind} between groups of {', '.join(wanted['fair_on'])}")
    return "; ".join(parts)


def _said(asked: Any) -> str:
    if isinstance(asked, Mapping) and "any" in asked:
        return " or ".join(map(_said, asked["any"]))
    if isinstance(asked, Mapping):
        return f"{'' if asked['from'] is None else asked['from']}..{'' if asked['to'] is None else asked['to']}"
    return "missing" if asked is None else str(asked)


def _shared(quota: Any) -> str:
    return str(quota) if isinstance(quota, str) else ", ".join(f"{_said(value)} {share:g}" for value, share in quota)


def _moved(shift: Any) -> str:
    if isinstance(shift, Mapping):
        return ", ".join(f"odds of {value} times {factor:g}" for value, factor in shift.items())
    return f"{shift:+g}"
