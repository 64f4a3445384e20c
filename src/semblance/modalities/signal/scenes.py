"""Recordings that are windows, one after the other: which state follows which, and how windows become a strip.

Where a recording is a single window its label is one of the columns of the frame, and what else is known of it is what
windows are learned given. A long recording is a chain of states, each window in the state that the chain is in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.shares import largest_remainder
from semblance.learn.drawn import Learned
from semblance.learn.person import FREE, Limits, Person
from semblance.modalities.signal import stitch
from semblance.modalities.signal.data import Lead, Marks, Pieces, Recordings
from semblance.modalities.signal.parts import Conditions, Part, Strip
from semblance.modalities.signal.pieces import STATE, Cut
from semblance.modalities.signal.wanted import ANY, Asked, Known, exactly

PRIOR = 0.5
"""How often each state is taken to have followed each other before anything was seen."""
SETTLED = 64
"""Windows after which nobody can tell how a recording began."""
SHARED = 16
"""The part of a window in which it is crossfaded with the next: one sample of so many."""


@dataclass(frozen=True, eq=False)
class Scenes:
    """`kinds` names the labels of windows; `target` is the column of the frame that holds them, or '' where states do.

    `chain` (k, k) is the probability of a state given the one of the window before, and `first` (k,) of the first one.
    """

    kinds: tuple[str, ...]
    target: str
    person: Person
    first: np.ndarray
    chain: np.ndarray
    seconds: float

    @classmethod
    def fit(
        cls, data: Recordings, cut: Cut, pieces: Pieces, coefficients: np.ndarray, *, kinds: tuple[str, ...], rare: int
    ) -> tuple[Scenes, Learned]:
        """From recordings, their windows of these kinds, and the (n, d) coefficients of these."""
        labels = pd.Index(kinds).get_indexer(pieces.labels)
        column = data.schema.where("target")
        person = Person.fit(data.frame, np.zeros((len(data), 0)), data.subjects, rare=rare)
        first, chain = _chain(labels, pieces.source, len(kinds))
        seconds = float(np.median([one.seconds for one in data.recordings]))
        made = cls(kinds, "" if column is None else column.name, person, first, chain, seconds)
        known = made.conditions(data, pieces, coefficients)
        return made, Learned(coefficients, labels, known.given, pieces.subjects, len(kinds))

    def conditions(self, data: Recordings, pieces: Pieces, coefficients: np.ndarray) -> Conditions:
        """Those of recordings' windows, all of known kinds. Their recordings have no style."""
        labels = pd.Index(self.kinds).get_indexer(pieces.labels)
        given, n = self.given_of(data.frame)[pieces.source], len(pieces)
        return Conditions(labels, given, np.zeros((n, 1)), np.ones(n))

    @property
    def given(self) -> int:
        """How many numbers a window is given."""
        return sum(scale.name != self.target for scale in self.person.scales)

    def given_of(self, frame: pd.DataFrame) -> np.ndarray:
        """(n, numbers) float32 normal scores of all that is known but the label."""
        scores = [one.scores_alone(frame[one.name]) for one in self.person.scales if one.name != self.target]
        return np.stack(scores, 1).astype(np.float32) if scores else np.zeros((len(frame), 0), dtype=np.float32)

    def known(self, leads: tuple[Lead, ...], tied: tuple[str, ...] = ()) -> Known:
        """What can be asked for."""
        states = not self.target and self.kinds != ("",)
        return Known(self.person, STATE if states else "", self.kinds, leads, None, tied)

    def draw(self, cut: Cut, *, rng: np.random.Generator, limits: Limits = FREE, asked: Asked = ANY) -> Part:
        """A new person's recording to be, as it was asked for."""
        frame, _ = self.person.draw(1, rng=rng, limits=limits)
        length = max(round(self.seconds * cut.rate), cut.size)
        step = cut.size - shared_of(cut)
        n = max(-(-(length - shared_of(cut)) // step), 1) if length > cut.size else 1
        kinds = self.kinds_of(frame, n, asked, rng=rng)
        none, one = np.zeros((len(self.kinds), 1)), np.ones(len(self.kinds))
        given, at = np.repeat(self.given_of(frame), n, 0), np.arange(n) * step
        return Part(frame, kinds, given, none, one, at, length, np.zeros((0, 0)), asked.knobs)

    def kinds_of(self, frame: pd.DataFrame, n: int, asked: Asked = ANY, *, rng: np.random.Generator) -> np.ndarray:
        """(n,) kinds of the windows of a recording of which `frame` (1 row) is known."""
        if self.target:
            place = pd.Index(self.kinds).get_indexer(frame[self.target].astype(str))
            return np.repeat(np.maximum(place, 0), n)
        if asked.mix is not None:
            usual = np.linalg.matrix_power(self.chain, SETTLED)[0]
            return exactly(largest_remainder(asked.mix, n), lambda _, b: self.chain[b], usual, rng=rng)
        made = np.empty(n, dtype=np.int64)
        shares = self.first
        for i, u in enumerate(rng.random(n)):
            made[i] = min(np.searchsorted(shares.cumsum(), u), len(shares) - 1)
            shares = self.chain[made[i]]
        return made

    def join(self, cut: Cut, waves: np.ndarray, part: Part) -> Strip:
        """The recording of (n, leads, samples) windows."""
        values = stitch.windows(waves, fade=shared_of(cut) if len(waves) > 1 else 0)[: part.length]
        if self.target or self.kinds == ("",):
            return Strip(values)
        begins = np.flatnonzero(np.diff(part.kinds, prepend=-1))
        return Strip(values, states=Marks(part.at[begins], np.array(self.kinds, dtype=object)[part.kinds[begins]]))

    def arrays(self) -> dict[str, np.ndarray]:
        """What is saved as tensors."""
        return {"scenes.first": self.first, "scenes.chain": self.chain, **self.person.arrays()}

    def to_json(self) -> dict[str, Any]:
        """All else as plain JSON."""
        told = {"kinds": list(self.kinds), "target": self.target, "seconds": self.seconds}
        return {**told, "person": self.person.to_json()}

    @classmethod
    def restored(cls, said: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Scenes:
        """The inverse of `to_json` and `arrays`."""
        person = Person.restored(said["person"], arrays)
        first, chain = arrays["scenes.first"], arrays["scenes.chain"]
        return cls(tuple(said["kinds"]), said["target"], person, first, chain, said["seconds"])


def kinds_of(pieces: Pieces, *, rare: int) -> tuple[str, ...]:
    """The labels that windows of at least `rare` patients have (or of all, where there are fewer), commonest first."""
    labels = pd.Series(pieces.labels)
    count, behind = labels.value_counts(), pd.Series(pieces.subjects).groupby(labels).nunique()
    least = min(rare, len(np.unique(pieces.subjects)))
    enough = [str(label) for label in count.index if behind[label] >= least]
    return tuple(enough or ["" if not len(count) else str(count.index[0])])


def _chain(labels: np.ndarray, source: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """(k,) and (k, k) shares of the first label of a recording, and of each label after another."""
    begins = np.flatnonzero(np.diff(source, prepend=-1))
    first = np.bincount(labels[begins], minlength=k) + PRIOR
    same = source[1:] == source[:-1]
    pairs = np.bincount(labels[:-1][same] * k + labels[1:][same], minlength=k * k).reshape(k, k) + PRIOR
    return first / first.sum(), pairs / pairs.sum(1, keepdims=True)


def shared_of(cut: Cut) -> int:
    """Samples in which a window is crossfaded with the next."""
    return max(cut.size // SHARED, 1)
