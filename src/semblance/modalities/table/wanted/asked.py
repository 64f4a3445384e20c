"""What is wanted of a table, read against its columns: every problem is told at once, before anything is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.errors import Problem, UsageError
from semblance.core.model import BALANCED, Wanted
from semblance.core.schema import Column
from semblance.modalities.table.codes import Categories, Numbers
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.relations.joint import Joint
from semblance.modalities.table.wanted.conditions import (
    SHOWN,
    Coder,
    Condition,
    Unfit,
    bands_of,
    condition_of,
    overlapping,
    values_of,
)

Bands = tuple[tuple[Condition, float], ...]
MOST_GROUPS = 50
"""A column that is one half of a fairness has at most so many codes: a group is more than a bin of a number."""


@dataclass(frozen=True)
class Asked:
    """A `Wanted` in terms of an encoding. `shift` holds a number for the mean, or conditions with odds factors."""

    given: Mapping[str, Condition]
    quota: Mapping[str, Bands]
    shift: Mapping[str, float | Bands]
    do: Mapping[str, Condition]
    groups: tuple[str, ...] = ()
    outcome: str = ""
    odds: bool = False

    @property
    def given_only(self) -> bool:
        """Whether nothing but conditions is asked."""
        return not self.quota and not self.shift and not self.groups

    @classmethod
    def of(cls, wanted: Wanted, encoding: Encoding) -> Asked:
        """Read every part. Raises UsageError with all problems: columns, values, bands and what excludes each other."""
        reader = _Reader(encoding)
        given = reader.each(wanted.given, condition_of)
        quota = reader.each(wanted.quota, _quota)
        shift = reader.each(wanted.shift, _shift)
        do = reader.each(wanted.do, condition_of)
        target = encoding.schema.where("target")
        outcome = "" if target is None else target.name
        reader.problems += [
            *_beyond(given, quota, reader.coders),
            *_unheld(given, quota, encoding),
            *_unfair(wanted, outcome, reader.coders),
        ]
        if reader.problems:
            raise UsageError(*reader.problems)
        return cls(given, quota, shift, do, wanted.fair_on, outcome, wanted.fairness == "odds")


def coders_of(encoding: Encoding) -> dict[str, Coder]:
    """The codes of the table's own columns; one that a relation restores from others has none."""
    named = {column.name: column for column in encoding.schema.learned}
    return {
        field.name: coder
        for field, coder in zip(encoding.fields, encoding.columns, strict=True)
        if field.name in named and named[field.name].kind == field.kind and isinstance(coder, Categories | Numbers)
    }


class _Reader:
    """Reads parts column by column and collects what is wrong."""

    def __init__(self, encoding: Encoding) -> None:
        self.columns = {column.name: column for column in encoding.schema.learned}
        self.known = encoding.schema.names
        self.coders = coders_of(encoding)
        self.problems: list[Problem] = []

    def each(self, part: Mapping[str, Any], read: Callable[[Any, Column, Coder | None], Any]) -> dict[str, Any]:
        found = {}
        for name, asked in part.items():
            column = self.columns.get(name)
            if column is None:
                self.problems.append(_unknown(name, self.known, self.columns))
                continue
            try:
                found[name] = read(asked, column, self.coders.get(name))
            except Unfit as error:
                self.problems.append(Problem(error.found, error.rule, "correct it, or leave the column out", name))
        return found


def _unknown(name: str, known: tuple[str, ...], learned: Mapping[str, Column]) -> Problem:
    if name in known:
        return Problem("a column that is not learned", "only learned columns can be asked for", "leave it out", name)
    return Problem(f"no column '{name}'", "a column is named as in the data", f"one of: {', '.join(learned)}")


def _quota(asked: Any, column: Column, coder: Coder | None) -> Bands:
    if asked == BALANCED:
        if coder is None:
            raise Unfit("equal shares of a column that follows from others", "{condition: share}")
        values = values_of(column, coder)
        return tuple((value, 1 / len(values)) for value in values)
    bands = [(condition, share) for condition, share in bands_of(asked, column, coder) if share > 0]
    if any(overlapping(bands)):
        raise Unfit("bands that overlap", "a value belongs to one band; (18, 60) and (60, 90) share no value")
    return tuple(bands)


def _shift(asked: Any, column: Column, coder: Coder | None) -> float | Bands:
    if coder is None:
        raise Unfit("a column that follows from others", "only a column that is drawn itself can be shifted")
    if isinstance(asked, Mapping):
        return tuple((condition_of(value, column, coder), float(factor)) for value, factor in asked.items())
    if not column.continuous:
        raise Unfit("a mean of categories", "{value: factor} for the odds of a category")
    return float(asked)


def _beyond(
    given: Mapping[str, Condition], quota: Mapping[str, Bands], coders: Mapping[str, Coder]
) -> Iterator[Problem]:
    """Bands of a quota that hold nothing of what is given for the same column."""
    for name in given.keys() & quota.keys():
        coder = coders.get(name)
        if coder is not None and not all(b.both(given[name]).weight(coder).any() for b, _ in quota[name]):
            yield Problem("a band outside of what is given", "every band lies inside", "leave one out", name)


def _unheld(given: Mapping[str, Condition], quota: Mapping[str, Bands], encoding: Encoding) -> Iterator[Problem]:
    """What no combination holds, of columns of which only some combinations occur."""
    for joint in encoding.relations.parts:
        if isinstance(joint, Joint):
            yield from _outside(joint, given, quota)


def _outside(joint: Joint, given: Mapping[str, Condition], quota: Mapping[str, Bands]) -> Iterator[Problem]:
    (field,) = joint.fields
    rows = pd.DataFrame(joint.restore({field.name: pd.Categorical(field.categories, categories=field.categories)}))
    wanted = {name: [given[name]] for name in joint.owns if name in given}
    bands = {name: [band for band, _ in quota[name]] for name in joint.owns if name in quota}
    strange = [n for n, each in [*wanted.items(), *bands.items()] if not all(one.holds(rows[n]).any() for one in each)]
    for name in dict.fromkeys(strange):
        rule = f"one of {_listed(joint.kept(name))}"
        yield Problem("values that the model does not know", rule, "correct it, or leave the column out", name)
    held = np.all([one.holds(rows[name]) for name, (one,) in wanted.items()], axis=0)
    for name, band in ((name, band) for name, each in bands.items() for band in each):
        if not strange and not (band.holds(rows[name]) & held).any():
            yield Problem("a band outside of what is given", "some combination has both", "leave one out", name)
    if not strange and not np.any(held):
        rule = "only combinations that enough patients have"
        yield Problem(f"a combination of {', '.join(wanted)} that the model does not know", rule, "leave one out")


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(values[:SHOWN]) + (f", ... ({len(values)} values)" if len(values) > SHOWN else "")


def _unfair(wanted: Wanted, outcome: str, coders: Mapping[str, Coder]) -> Iterator[Problem]:
    """What a fairness cannot be made of."""
    if not wanted.fair_on:
        return
    if not outcome:
        yield Problem("fairness without an outcome", "the outcome is the target column", "name a target: --target COL")
    for name in (*wanted.fair_on, *([outcome] if outcome else [])):
        coder = coders.get(name)
        if coder is None or coder.size > MOST_GROUPS:
            found = "no column of this name is learned on its own" if coder is None else f"{coder.size} codes"
            known = ", ".join(one for one, codes in coders.items() if codes.size <= MOST_GROUPS and one != outcome)
            yield Problem(found, f"groups and outcomes are at most {MOST_GROUPS} codes", f"one of: {known}", name)
    if outcome in wanted.fair_on:
        yield Problem("the target as a group", "groups are told by other columns", "leave it out", outcome)
    for name in sorted(wanted.quota.keys() & _unkept(wanted, outcome)):
        yield Problem("a quota beside fairness", "only the target, or a single group, has both", "leave one out", name)


def _unkept(wanted: Wanted, outcome: str) -> set[str]:
    """Columns whose quota the fairness would not keep: it draws the groups itself, or is a quota over two axes."""
    if wanted.fairness == "odds":
        return set(wanted.fair_on)
    return set(wanted.quota) - {outcome, *(wanted.fair_on if len(wanted.fair_on) == 1 else ())}
