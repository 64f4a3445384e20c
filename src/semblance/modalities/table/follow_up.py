"""A follow-up: how long each record was followed, and by which event (or without any) it ended.

Times stand in the intervals of the time column's own codes, in their order: quantiles, and spikes such as the day on
which a study closed. So no interval and no value within it belongs to a single patient (see `codes`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.errors import DataError, Problem
from semblance.core.schema import Column, Schema
from semblance.modalities.table.codes import Categories, Numbers, patients_of
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import EncodingOptions

CENSORED = ("0", "0.0", "false", "no")
CAUSES = 20
REDRAWS = 8


@dataclass(frozen=True)
class FollowUp:
    """The columns: `time` and `event`, and `entry` where patients came under observation later than at time 0."""

    time: str
    event: str
    entry: str | None = None

    @classmethod
    def of(cls, table: Table, *, censored: str = "", entry: str = "", rare: int = 1) -> FollowUp:
        """The follow-up of `table`, after a look at every record. Raises DataError with all that is wrong.

        `time` is the column of that role; `event` that of its own role, or else the target. Of the patients, of those
        with the most common event, and of those without any (where there are such) there are `rare` at least: what
        fewer hold has no code, and an event would be learned as its opposite.
        """
        time, event = _declared(table.schema)
        problems = [*_time_problems(table, time), *_event_problems(table, event, censored)]
        if entry:
            problems += _entry_problems(table, entry, time, event)
        problems += _patient_problems(table, rare) or _share_problems(table, event, censored, rare)
        if problems:
            raise DataError(*problems)
        return cls(time.name, event.name, entry or None)

    def without(self, table: Table) -> Table:
        """The table without time and event: its covariates."""
        schema = table.schema.with_columns(c for c in table.schema if c.name not in (self.time, self.event))
        return Table(schema, table.frame[[c.name for c in schema.learned]], table.subjects, table.names)

    def coders(self, table: Table, options: EncodingOptions, *, censored: str) -> tuple[Clock, Exits]:
        """The intervals of time and the ways out."""
        time, event = table.schema[self.time], table.schema[self.event]
        values, rare = table.frame[time.name].to_numpy(), options.rare
        coder = Numbers.fit(values, table.subjects, time, rare=rare, tokens=options.tokens, bins=options.bins)
        return Clock(coder), Exits.fit(table, event, rare=rare, censored=censored)

    def path(self, table: Table, clock: Clock, exits: Exits) -> np.ndarray:
        """(n, 3) the intervals of entry and of leaving, and the exit of each record."""
        leave = clock.encode(table.frame[self.time].to_numpy())
        entry = np.minimum(self.entered(table, clock)[1], leave)
        return np.column_stack([entry, leave, exits.encode(table.frame[self.event])])

    def entered(self, table: Table, clock: Clock) -> tuple[np.ndarray, np.ndarray]:
        """(n,) the times at which records come under observation, and the intervals of these."""
        if self.entry is None:
            return np.zeros(len(table)), np.zeros(len(table), dtype=np.int64)
        after = table.frame[self.entry].to_numpy()
        return after, clock.encode(after)


def _declared(schema: Schema) -> tuple[Column, Column]:
    time, event = schema.where("time"), schema.where("event") or schema.where("target")
    problems = [
        Problem(f"several columns have the role {role}", "a follow-up has one", f"keep one {role}")
        for role in ("time", "event")
        if sum(column.role == role for column in schema) > 1
    ]
    if time is None:
        problems.append(
            Problem(
                "no column has the role time",
                "a follow-up has a time",
                '--schema FILE, with [columns."..."] role = "time"',
            )
        )
    if event is None:
        rule = "a follow-up has an event (or a target that is one)"
        problems.append(
            Problem("no column has the role event", rule, '--schema FILE, with [columns."..."] role = "event"')
        )
    if problems or time is None or event is None:
        raise DataError(*problems)
    return time, event


def _time_problems(table: Table, column: Column) -> list[Problem]:
    if column.kind not in ("numeric", "integer"):
        return [Problem(f"kind {column.kind}", "a time of follow-up is a number", "give days since entry", column.name)]
    values = table.frame[column.name].to_numpy()
    return [
        *_counted(np.isnan(values), "missing", "every record has a time", column),
        *_counted(values < 0, "below 0", "time >= 0", column),
        *_counted(np.isinf(values), "infinite", "time is finite", column),
    ]


def _counted(wrong: np.ndarray, what: str, rule: str, column: Column) -> list[Problem]:
    """The problem of the records that are wrong, with the first of them; none where none is."""
    if not wrong.any():
        return []
    found = f"{int(wrong.sum())} value(s) {what}"
    return [Problem(found, rule, "correct or leave out these records", column.name, int(np.argmax(wrong)) + 1)]


def _event_problems(table: Table, column: Column, censored: str) -> list[Problem]:
    named = texts_of(table.frame[column.name])
    problems = _counted(named.isna().to_numpy(), "missing", "every record says how it ended", column)
    held = [str(value) for value in named.cat.remove_unused_categories().cat.categories]
    rule = "an event is 0/1, False/True, no/yes, or 0 and a number or name for each cause"
    if len(held) > CAUSES:
        return [*problems, Problem(f"{len(held)} different values", rule, "code the causes", column.name)]
    ends = [value for value in held if is_censored(value, censored)]
    if held and len(ends) == len(held):
        problems.append(Problem("no event at all", "some records end with the event", "follow longer", column.name))
    if not ends and len(held) > 1:
        fix = "recode it, or name the value: [generator] censored"
        problems.append(Problem("no value says that follow-up ended without the event", rule, fix, column.name))
    return problems


def _patient_problems(table: Table, rare: int) -> list[Problem]:
    patients = len(np.unique(table.subjects))
    if patients >= rare:
        return []
    return [Problem(f"{patients} patient(s)", f"times are those of {rare} patients or more", "give more patients")]


def _share_problems(table: Table, column: Column, censored: str, rare: int) -> list[Problem]:
    """Too few patients with the most common event, or with a value that says that there was none."""
    values = texts_of(table.frame[column.name])
    names, codes = values.cat.categories, values.cat.codes.to_numpy()
    held = [(str(n), int(k)) for n, k in zip(names, patients_of(codes, table.subjects, len(names)), strict=True) if k]
    ends = [count for name, count in held if is_censored(name, censored)]
    events = [count for name, count in held if not is_censored(name, censored)]
    few = [(max(events), "the most common event")] if events else []
    few += [(min(ends), "a value that says: no event")] if ends else []
    rule = f"{rare} patients or more: fewer could not be told from the others"
    fix = "join values that mean the same, or choose another generator: --model autoregressive"
    return [Problem(f"{k} patient(s) with {what}", rule, fix, column.name) for k, what in few if k < rare]


def _entry_problems(table: Table, entry: str, time: Column, event: Column) -> list[Problem]:
    if entry not in {c.name for c in table.schema.learned} - {time.name, event.name}:
        fix = "name a number that is learned beside time and event ([generator] entry), or none"
        return [Problem("it is no covariate", "an entry is a column of its own, and learned", fix, entry)]
    column = table.schema[entry]
    if column.kind not in ("numeric", "integer"):
        return [Problem(f"kind {column.kind}", "an entry is a number on the scale of the time", "correct it", entry)]
    values = table.frame[entry].to_numpy()
    late = values > table.frame[time.name].to_numpy() if time.continuous else np.zeros(len(values), dtype=bool)
    return [
        *_counted(np.isnan(values), "missing", "every record has an entry", column),
        *_counted(late, f"above '{time.name}'", "a record enters before it leaves", column),
    ]


def is_censored(value: str, censored: str) -> bool:
    """Whether an event's value says that follow-up ended without it: the named one, or 0, False, no."""
    return value == censored if censored else value.strip().lower() in CENSORED


def texts_of(values: pd.Series) -> pd.Series:
    """An event's values as categories, numbers written as short as they are: 1.0 as 1."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values
    return pd.Series([None if np.isnan(v) else f"{v:.12g}" for v in values], dtype="category")


@dataclass(frozen=True)
class Exits:
    """The ways out: the values of the event column that at least `rare` patients hold, one of them the censored one."""

    coder: Categories
    number: bool

    @classmethod
    def fit(cls, table: Table, column: Column, *, rare: int, censored: str) -> Exits:
        """A cause of fewer patients joins the most common cause; it never becomes a censored record."""
        values = texts_of(table.frame[column.name])
        closed = replace(column, kind="ordinal", categories=None)
        coder = Categories.fit(values, table.subjects, closed, rare=rare, limit=CAUSES)
        causes = [i for i, token in enumerate(coder.tokens) if token is not None and not is_censored(token, censored)]
        counts = values.value_counts()
        most = max(causes, key=lambda i: int(counts[coder.tokens[i]]), default=coder.other)
        return cls(replace(coder, other=most), column.continuous)

    @property
    def size(self) -> int:
        """How many ways out there are."""
        return self.coder.size

    def encode(self, values: pd.Series) -> np.ndarray:
        """(n,) exits."""
        return self.coder.encode(texts_of(values))

    def decode(self, exits: np.ndarray, rng: np.random.Generator) -> np.ndarray | pd.Categorical:
        """Values of the event column again."""
        values = self.coder.decode(exits, rng)
        return np.array([float(v) for v in values.astype(object)], dtype=float) if self.number else values

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"number": self.number, **self.coder.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Exits:
        """The inverse of `to_json`."""
        return cls(Categories.from_json(data), data["number"])


@dataclass(frozen=True)
class Clock:
    """The intervals of time: the codes of the time column by their middles."""

    coder: Numbers

    @property
    def order(self) -> np.ndarray:
        """(intervals,) codes in the order of time."""
        return np.argsort(self.coder.middles, kind="stable")

    @property
    def size(self) -> int:
        """How many intervals there are."""
        return self.coder.size

    def encode(self, values: np.ndarray) -> np.ndarray:
        """(n,) intervals."""
        return np.argsort(self.order)[self.coder.encode(values)]

    def decode(
        self, intervals: np.ndarray, *, after: np.ndarray, draw: Callable[[int], np.random.Generator]
    ) -> np.ndarray:
        """(n,) times within the intervals, none before `after` (n,); `draw(i)` is the randomness of the i-th try."""
        codes = self.order[intervals]
        times = np.full(len(codes), -np.inf)
        for i in range(REDRAWS):
            early = times < after
            if not early.any():
                break
            times = np.where(early, self.coder.decode(codes, draw(i)), times)
        return np.where(times < after, after, times)
