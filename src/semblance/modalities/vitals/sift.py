"""What is repaired in measurements, each repair said with its channel: missing values, sentinels, implausible values,
times before the stay, repeats, and channels that too few stays have."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from semblance.core.errors import DataError, Problem
from semblance.modalities.vitals.declare import Said
from semblance.modalities.vitals.long import Rows

SENTINELS = (-1.0, -9.0, -99.0, -999.0, -9999.0)
"""A single negative value of a channel that is one of these stands for a missing one."""


def sift(rows: Rows, said: Said, *, rare: int) -> Rows:
    """The measurements that can be learned from. Raises DataError where none is left, or a channel is not there."""
    problems = list(_unknown(rows, said))
    if problems:
        raise DataError(*problems)
    for step in (_missing, _declared, _sentinels, _implausible, _early, _repeats):
        kept, notes = step(rows, said)
        rows = rows if kept.all() else rows.take(kept, *notes)
    kept, notes = _frequent(rows, rare)
    rows = rows if kept.all() else rows.take(kept, *notes)
    if not len(rows.value):
        raise DataError.of(
            "no measurement is left",
            rule=f"a channel is learned where at least {rare} stays have it",
            fix="give more stays, or check which column is which: [vitals] record, time, channel, value",
        )
    return rows


def _unknown(rows: Rows, said: Said) -> Iterator[Problem]:
    known = set(rows.channel)
    named = [*(name for chain in said.order for name in chain), *said.limits, *said.statics]
    for name in dict.fromkeys(named):
        if name not in known:
            fix = f"one of: {', '.join(sorted(known)[:20])}"
            yield Problem(f"no channel '{name}'", "[vitals] names a channel as the data do", fix)


def _missing(rows: Rows, said: Said) -> tuple[np.ndarray, list[str]]:
    gone = ~np.isfinite(rows.value)
    return ~gone, _told(rows, gone, lambda name, n: f"channel '{name}': {n} without a value left out")


def _declared(rows: Rows, said: Said) -> tuple[np.ndarray, list[str]]:
    gone = np.isin(rows.value, said.missing)
    return ~gone, _told(rows, gone, lambda name, n: f"channel '{name}': {n} declared missing left out")


def _sentinels(rows: Rows, said: Said) -> tuple[np.ndarray, list[str]]:
    """A sentinel is the only negative value of its channel."""
    below = rows.value < 0
    lowest = pd.Series(rows.value[below]).groupby(rows.channel[below]).agg(["min", "max"])
    single = lowest[(lowest["min"] == lowest["max"]) & lowest["min"].isin(SENTINELS)].index
    gone = below & np.isin(rows.channel, list(single))
    said_of = dict(zip(lowest.index, lowest["min"], strict=True))
    return ~gone, _told(
        rows, gone, lambda name, n: f"channel '{name}': {n} of {said_of[name]:g}, its only negative value, are missing"
    )


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
    keys = pd.DataFrame({"record": rows.record, "minute": rows.minute, "channel": rows.channel})
    gone = keys.duplicated().to_numpy()
    return ~gone, _told(rows, gone, lambda name, n: f"channel '{name}': {n} of a time that has one already left out")


def _frequent(rows: Rows, rare: int) -> tuple[np.ndarray, list[str]]:
    pairs = pd.DataFrame({"channel": rows.channel, "record": rows.record}).drop_duplicates()
    stays = pairs["channel"].value_counts()
    few = stays[stays < rare].index
    gone = np.isin(rows.channel, list(few))
    note = f"{len(few)} channels that fewer than {rare} stays have are left out"
    return ~gone, [note] if len(few) else []


def _told(rows: Rows, gone: np.ndarray, say: Callable[[str, str], str]) -> list[str]:
    """What is said of each channel, the most frequent first."""
    counts = pd.Series(rows.channel[gone]).value_counts()
    return [say(str(name), f"{n:,} value{'s' if n > 1 else ''}") for name, n in counts.items()]
