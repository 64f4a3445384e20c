"""A stay as a vector: when it is measured, what is measured, what is known of it, and its outcome as a class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.arrays import under, within
from semblance.core.classes import Classes
from semblance.core.errors import UsageError
from semblance.core.rng import root_of, stream
from semblance.core.schema import Schema
from semblance.learn.drawn import Learned, Sizes
from semblance.modalities.vitals.data import Channel, Layout, Stays
from semblance.modalities.vitals.encoding.facts import Fact
from semblance.modalities.vitals.encoding.fill import filled
from semblance.modalities.vitals.encoding.what import What
from semblance.modalities.vitals.encoding.when import When


@dataclass(frozen=True, eq=False)
class Encoding:
    """`when` and `what`, the `facts` but for the outcome, and the `outcome`, whose levels are classes of vectors."""

    schema: Schema
    channels: tuple[Channel, ...]
    layout: Layout
    when: When
    what: What
    facts: tuple[Fact, ...]
    outcome: Fact | None

    @classmethod
    def fit(
        cls,
        stays: Stays,
        *,
        blocks: int,
        factors: int,
        rare: int,
        rng: np.random.Generator,
    ) -> tuple[Encoding, Learned]:
        """From stays; with it their vectors, which are to be learned.

        Channels that fewer than `rare` patients have are left out. `blocks` parts of a stay and `factors` are at most
        so many.
        """
        stays = _frequent(stays, rare)
        seed = root_of(rng)
        target = stays.schema.where("target")
        columns = [column for column in stays.schema.learned if column is not target or column.continuous]
        when, seen, times = When.fit(stays, blocks=blocks, k=factors, rare=rare, rng=stream(seed, "when"))
        what, values = What.fit(
            stays, seen.bins, when, k=factors, rare=rare, chains=stays.said.order, rng=stream(seed, "what")
        )
        facts = tuple(Fact.of(c, stays.frame[c.name], stays.subjects, rare=rare) for c in columns)
        outcome = outcome_of(stays, rare=rare)
        made = cls(stays.schema, stays.channels, stays.layout, when, what, facts, outcome)
        told = [fact.encode(stays.frame[fact.name], rng=stream(seed, fact.name)) for fact in facts]
        return made, made._learned(stays, np.concatenate([times, values, *told], axis=1))

    def _learned(self, stays: Stays, numbers: np.ndarray) -> Learned:
        """The vectors of stays whose outcome is one of the classes (of all, where there is none)."""
        labels = labels_of(stays, self.outcome)
        kept = labels >= 0
        rows = numbers[kept].astype(np.float32)
        return Learned(rows, labels[kept], np.zeros((len(rows), 0), np.float32), stays.subjects[kept], self.sizes.kinds)

    @property
    def sizes(self) -> Sizes:
        """How many numbers a vector has, and of how many classes it may be."""
        width = self.when.width + self.what.width + sum(fact.width for fact in self.facts)
        return Sizes(width, 0, max(len(self.outcome.levels), 1) if self.outcome is not None else 1)

    @property
    def known(self) -> Classes:
        """What can be asked for."""
        return known_of(self.outcome)

    def stays(
        self, numbers: np.ndarray, labels: np.ndarray, *, first: int, rng: np.random.Generator, sure: bool = False
    ) -> Stays:
        """Stays of (n, width) vectors of classes (n,); the first one is of patient number `first`. Where it is `sure`,
        no outcome is missing."""
        seed, numbers = root_of(rng), numbers.astype(float)
        ends = np.cumsum([self.when.width, self.what.width, *(fact.width for fact in self.facts)])
        times, values, *told = np.split(numbers, ends[:-1], axis=1)
        stay, bins, channel, minute = self.when.draw(times, rng=stream(seed, "when"))
        value = self.what.draw(values, stay, bins, channel, minute, rng=stream(seed, "what"))
        frame: dict[str, Any] = {f.name: f.decode(part) for f, part in zip(self.facts, told, strict=True)}
        if self.outcome is not None:
            frame[self.outcome.name] = self.outcome.outcomes(labels, sure=sure, rng=stream(seed, "outcome"))
        names = [column.name for column in self.schema.learned]
        starts = np.concatenate([[0], np.cumsum(np.bincount(stay, minlength=len(numbers)))]).astype(np.int64)
        return Stays(
            self.schema,
            pd.DataFrame(frame, index=pd.RangeIndex(len(numbers)), columns=names),
            self.channels,
            starts,
            minute,
            channel,
            value,
            np.arange(first, first + len(numbers)),
            self.layout,
        )

    def completed(self, stays: Stays, *, seed: int) -> Stays:
        """Stays whose missing values are drawn given those that were measured. Raises UsageError where one that is
        missing is of no known channel."""
        return completed(stays, self.channels, lambda known: filled(self.what, self.when.clock, known, seed=seed))

    def arrays(self) -> dict[str, np.ndarray]:
        """What is saved as tensors."""
        return {**within("when", self.when.arrays()), **within("what", self.what.arrays())}

    def to_json(self) -> dict[str, Any]:
        """All else as plain JSON."""
        return {
            "schema": self.schema.to_json(),
            "channels": [asdict(channel) for channel in self.channels],
            "layout": self.layout.to_json(),
            "when": self.when.to_json(),
            "what": self.what.to_json(),
            "facts": [fact.to_json() for fact in self.facts],
            "outcome": None if self.outcome is None else self.outcome.to_json(),
        }

    @classmethod
    def restored(cls, told: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Encoding:
        """The inverse of `to_json` and `arrays`."""
        when = When.restored(told["when"], under(arrays, "when"))
        what = What.restored(told["what"], under(arrays, "what"))
        outcome = None if told["outcome"] is None else Fact.from_json(told["outcome"])
        return cls(
            Schema.from_json(told["schema"]),
            tuple(Channel(**channel) for channel in told["channels"]),
            Layout.from_json(told["layout"]),
            when,
            what,
            tuple(map(Fact.from_json, told["facts"])),
            outcome,
        )


def completed(stays: Stays, channels: Sequence[Channel], fill: Callable[[Stays], np.ndarray]) -> Stays:
    """Stays with what `fill` makes of those of their measurements that are of these channels. Raises UsageError where
    one that is missing is of no such channel."""
    code = pd.Index([channel.name for channel in channels]).get_indexer(pd.Index(stays.names))
    known = code[stays.channel] >= 0
    lost = np.isnan(stays.value) & ~known
    if lost.any():
        raise UsageError.of(
            f"{int(lost.sum()):,} cells to be drawn of channels that the model does not know",
            rule="what is drawn is of a channel that was learned",
            fix=f"leave these rows out; known are: {', '.join(channel.name for channel in channels)}",
        )
    value = stays.value.copy()
    value[known] = fill(stays.coded(tuple(channels)))
    # Where a file has few values of a channel, it shows too few digits.
    fine = {channel.name: channel.decimals for channel in channels}
    held = tuple(replace(c, decimals=max(c.decimals, fine.get(c.name, 0))) for c in stays.channels)
    return replace(stays, value=value, channels=held)


def outcome_of(stays: Stays, *, rare: int) -> Fact | None:
    """The outcome as a fact, where it is one of a few classes."""
    target = stays.schema.where("target")
    if target is None or target.continuous:
        return None
    return Fact.of(target, stays.frame[target.name], stays.subjects, rare=rare)


def labels_of(stays: Stays, outcome: Fact | None) -> np.ndarray:
    """(n,) the classes of stays by their outcome, -1 where it is none of them; 0 where there is no outcome."""
    if outcome is None or not outcome.levels:
        return np.zeros(len(stays), dtype=np.int64)
    return np.asarray(
        pd.Index(outcome.levels).get_indexer(pd.Index(stays.frame[outcome.name].astype(object))), dtype=np.int64
    )


def known_of(outcome: Fact | None) -> Classes:
    """What can be asked for of stays with such an outcome."""
    if outcome is None or not outcome.levels:
        return Classes("", (), np.empty(0))
    return Classes(outcome.name, tuple(map(str, outcome.levels)), np.array(outcome.shares))


def _frequent(stays: Stays, rare: int) -> Stays:
    """The stays without channels that fewer than `rare` patients have."""
    pairs = np.unique(np.column_stack([stays.channel, stays.subjects[stays.stay]]), axis=0)[:, 0]
    count = np.bincount(pairs, minlength=len(stays.channels))
    return stays.coded(tuple(one for one, n in zip(stays.channels, count, strict=True) if n >= rare))
