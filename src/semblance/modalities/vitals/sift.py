"""What is repaired in measurements, each repair said with its channel: missing values, sentinels, implausible values,
times before the stay, repeats, and channels that too few patients have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd

from semblance.core.errors import DataError, Problem
from semblance.modalities.vitals.declare import Said
from semblance.modalities.vitals.long import Rows, common

SENTINELS = (-1.0, -9.0, -99.0, -999.0, -9999.0)
"""A single negative value of a channel that is one of these stands for a missing one."""

FEW_ZEROS, MANY_VALUES, NEARLY_NONE = 0.02, 20, 0.005
"""Zeros are missing where at most this share of a channel is, beside so many different values, of which at most this
share lies near zero."""


def sift(rows: Rows, said: Said, *, rare: int, gaps: bool = False) -> Rows:
    """The measurements that can be learned from. Raises DataError where none is left, or a channel is not there.

    With `gaps` cells without a value stay: they are to be drawn.

    Rare channels go first, so that no note names one, and again after what was left out made others rare.
    """
    channels = set(rows.channel)
    rows = _frequent(rows, rare)
    problems = list(_unknown(channels, sorted(set(rows.channel)), said))
    if problems:
        raise DataError(*problems)
    first = (_identifiers, _infinite if gaps else _missing, _declared, _sentinels)
    for step in (*first, _zeros, _implausible, _early, _repeats):
        kept, notes = step(rows, said)
        rows = rows if kept.all() else rows.take(kept, *notes)
    rows = _frequent(rows, rare)
    if not len(rows.value):
        raise DataError.of(
            "no measurement is left",
            rule=f"a channel is learned where at least {rare} patients have it",
            fix="give more patients, or check which column is which: [vitals] record, time, channel, value",
        )
    return rows


def _unknown(known: set[str], frequent: list[str], said: Said) -> Iterator[Problem]:
    named = [*(name for chain in said.order for name in chain), *said.limits, *said.statics]
    for name in dict.fromkeys(named):
        if name not in known:
            fix = f"one of: {', '.join(frequent[:20])}"
            yield Problem(f"no channel '{name}'", "[vitals] names a channel as the data do", fix)


def _identifiers(rows: Rows, said: Said) -> tuple[np.ndarray, list[str]]:
    """A channel whose value is always the name of the stay (RecordID in PhysioNet's files) tells nothing."""
    code, names = pd.factorize(rows.record)
    number = pd.to_numeric(pd.Series(names), errors="coerce").to_numpy(dtype=float)[code]
    own = set(rows.channel) - set(rows.channel[~(rows.value == number)]) if len(names) > 1 else set()
    notes = [f"channel '{name}': only repeats what stays are called, left out" for name in sorted(own)]
    return ~_of(rows, own), notes


def _of(rows: Rows, channels: Iterable[str]) -> np.ndarray:
    """(m,) bool: which rows are of these channels."""
    code, names = pd.factorize(rows.channel)
    made: np.ndarray = np.isin(names, list(channels))[code] if len(names) else np.zeros(0, dtype=bool)
    return made


def _missing(rows: Rows, said: Said) -> tuple[np.ndarray, list[str]]:
    gone = ~np.isfinite(rows.value)
    return ~gone, _told(rows, gone, lambda name, n: f"channel '{name}': {n} without a value left out")


def _infinite(rows: Rows, said: Said) -> tuple[np.ndarray, list[str]]:
    gone = np.isinf(rows.value)
    return ~gone, _told(rows, gone, lambda name, n: f"channel '{name}': {n} infinite left out")


def _declared(rows: Rows, said: Said) -> tuple[np.ndarray, list[str]]:
    gone = np.isin(rows.value, said.missing)
    return ~gone, _told(rows, gone, lambda name, n: f"channel '{name}': {n} declared missing left out")


def _sentinels(rows: Rows, said: Said) -> tuple[np.ndarray, list[str]]:
    below = rows.value < 0
    found = {
        name: sentinel(rows.value[rows.channel == name]) for name in set(rows.channel[below]) if name != said.target
    }
    gone = below & _of(rows, [name for name, one in found.items() if one is not None])
    return ~gone, _told(
        rows, gone, lambda name, n: f"channel '{name}': {n} of {found[name]:g}, its only negative value, are missing"
    )


def sentinel(values: np.ndarray) -> float | None:
    """The number that stands for a missing value: the only negative one, of two values or more that are none.

    A column of two values has two values, and no missing one: classes may be called -1 and 1.
    """
    below, others = np.unique(values[values < 0]), np.unique(values[values >= 0])
    return float(below[0]) if len(below) == 1 and below[0] in SENTINELS and len(others) > 1 else None


def _zeros(rows: Rows, said: Said) -> tuple[np.ndarray, list[str]]:
    """A few zeros of a channel that otherwise never comes near it (a pressure of a line that is closed), but where its
    limits are declared: then these say what is plausible."""
    none = rows.value == 0
    some = set(rows.channel[none]) - set(said.limits) - {said.target}
    gone = none & _of(rows, [name for name in some if far_from_zero(rows.value[rows.channel == name])])
    return ~gone, _told(rows, gone, lambda name, n: f"channel '{name}': {n} of 0, far below all others, are missing")


def far_from_zero(values: np.ndarray) -> bool:
    """Whether zeros among values stand for what was not measured: they are few, all others of many values are above it,
    and nearly all of these above a third of their median."""
    above = values[values > 0]
    few = 0 < len(values) - len(above) <= FEW_ZEROS * len(values) and len(np.unique(above)) >= MANY_VALUES
    return few and values.min() == 0 and float(np.quantile(above, NEARLY_NONE)) >= float(np.median(above)) / 3


def _implausible(rows: Rows, said: Said) -> tuple[np.ndarray, list[str]]:
    gone = np.zeros(len(rows.value), dtype=bool)
    for name, (low, high) in said.limits.items():
        gone |= (rows.channel == name) & ((rows.value < low) | (rows.value > high))
    return ~gone, _told(rows, gone, lambda name, n: f"channel '{name}': {n} outside its limits left out")


def _early(rows: Rows, said: Said) -> tuple[np.ndarray, list[str]]:
    gone = rows.minute < 0
    return ~gone, _told(rows, gone, lambda name, n: f"channel '{name}': {n} from before the stay left out")


def _repeats(rows: Rows, said: Said) -> tuple[np.ndarray, list[str]]:
    """Of several values of a channel at one time of a stay the first one is kept."""
    codes = {name: pd.factorize(getattr(rows, name))[0] for name in ("record", "channel")}
    keys = pd.DataFrame({**codes, "minute": rows.minute})
    gone = keys.duplicated().to_numpy()
    return ~gone, _told(rows, gone, lambda name, n: f"channel '{name}': {n} of a time that has one already left out")


def _frequent(rows: Rows, rare: int) -> Rows:
    few = set(rows.channel) - common(rows.channel, rows.who, rare)
    note = f"{len(few)} channels that fewer than {rare} patients have are left out"
    return rows.take(~_of(rows, few), note) if few else rows


def _told(rows: Rows, gone: np.ndarray, say: Callable[[str, str], str]) -> list[str]:
    """What is said of each channel, the most frequent first."""
    counts = pd.Series(rows.channel[gone]).value_counts()
    return [say(str(name), f"{n:,} value{'s' if n > 1 else ''}") for name, n in counts.items()]
