"""Cutting recordings into pieces that are all alike: beats around their R peak, or windows one after the other.

Beats: the baseline's wander (below 0.5 Hz) is taken away first, as the American Heart Association allows for (Kligfield
et al., Circulation 2007), and lives on in a model of its own; faster recordings come down to 250 Hz.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.signal import butter, resample_poly, sosfiltfilt

from semblance.core.schema import Column, Schema
from semblance.modalities.signal import stitch
from semblance.modalities.signal.aami import CLASSES, classes
from semblance.modalities.signal.data import AFTER, BEFORE, Lead, Marks, Pieces, Recording, Recordings

RATE, SIZE, WHOLE = 250.0, 256, 1024
R_AT = 0.4
"""Seconds of a beat that stand before its R peak."""
WANDER = 0.5
"""Hz below which an electrocardiogram's baseline wanders."""
BEAT, STATE = "beat", "state"


@dataclass(frozen=True)
class Cut:
    """How recordings become pieces: `size` samples of `leads` at `rate` Hz, beats or windows."""

    beats: bool
    rate: float
    size: int
    leads: tuple[Lead, ...]

    @classmethod
    def of(cls, data: Recordings) -> Cut:
        """Beats where most recordings have marked ones. Windows are whole recordings if these are short and alike."""
        ones = data.recordings
        beats = hearts(ones)
        rate = Counter(one.rate for one in ones).most_common(1)[0][0] if ones else RATE
        leads = converters(ones)
        lengths = {one.length for one in ones}
        if beats:
            return cls(True, min(rate, RATE), max(2, round(min(rate, RATE) * SIZE / RATE)), leads)
        if len(lengths) == 1 and max(lengths) <= WHOLE:
            return cls(False, rate, max(lengths), leads)
        shortest = min((int(one.seconds * min(rate, RATE)) for one in ones), default=SIZE)
        return cls(False, min(rate, RATE), max(min(SIZE, shortest), 2), leads)

    @property
    def before(self) -> int:
        """Samples of a beat before its R peak."""
        return round(R_AT * self.rate)

    def alone(self, pieces: Pieces) -> Pieces:
        """The pieces as they are learned: beats without what belongs to their neighbours."""
        if not self.beats:
            return pieces
        gaps = pieces.frame[[BEFORE, AFTER]].to_numpy(dtype=float)
        return replace(pieces, waves=stitch.alone(pieces.waves, gaps, rate=self.rate, before=self.before))

    def joined(self, pieces: Pieces) -> Pieces:
        """All pieces of recordings as they are among each other: beats with their neighbours."""
        if not self.beats or not len(pieces):
            return pieces
        ends = np.flatnonzero(np.diff(pieces.source)) + 1
        after = pieces.frame[AFTER].to_numpy(dtype=float)
        some = zip(np.split(pieces.waves, ends), np.split(after, ends), strict=True)
        return replace(pieces, waves=np.concatenate([self._joined(*one) for one in some]))

    def _joined(self, waves: np.ndarray, after: np.ndarray) -> np.ndarray:
        """(n, leads, size) all beats of a recording, so many seconds apart."""
        at = self.size + np.round(np.concatenate([[0.0], np.cumsum(after[:-1])]) * self.rate).astype(np.int64)
        values = stitch.beats(waves, at, int(at[-1]) + 2 * self.size, rate=self.rate, before=self.before)
        return _windows(values, at - self.before, self.size)

    def pieces(self, data: Recordings) -> Pieces:
        """All pieces of all recordings, in order."""
        cut = [self._cut(one) for one in data.recordings]
        counts = [len(part) for _, part in cut]
        source = np.repeat(np.arange(len(data)), counts)
        own = pd.concat([part for _, part in cut], ignore_index=True) if cut else self._columns(0)
        known = data.frame.iloc[source].reset_index(drop=True)
        labelled = data.schema.where("target") is not None and not self.beats
        if labelled or (not self.beats and not (own[STATE] != "").any()):
            own = own.drop(columns=[STATE])
        for name in set(own) & {BEAT, STATE}:
            own[name] = own[name].astype("category")
        return Pieces(
            self._schema(data.schema, tuple(own)),
            pd.concat([own, known], axis=1),
            np.concatenate([waves for waves, _ in cut]) if cut else self._empty(),
            self.rate,
            self.leads,
            source,
            data.subjects[source],
            data.recordings,
        )

    def _schema(self, schema: Schema, own: tuple[str, ...]) -> Schema:
        """The columns of a piece, then those of its recording."""
        added = [
            Column(name, "numeric") if name in (BEFORE, AFTER) else Column(name, "categorical", "target")
            for name in own
        ]
        ours = any(column.role == "target" for column in added)
        known = (replace(c, role="feature") if ours and c.role == "target" else c for c in schema.learned)
        return schema.with_columns((*added, *known))

    def _empty(self) -> np.ndarray:
        return np.empty((0, len(self.leads), self.size), dtype=np.float32)

    def _columns(self, n: int) -> pd.DataFrame:
        names = {BEAT: str, BEFORE: float, AFTER: float} if self.beats else {STATE: str}
        return pd.DataFrame({name: np.zeros(n, dtype=kind) for name, kind in names.items()})

    def _cut(self, one: Recording) -> tuple[np.ndarray, pd.DataFrame]:
        return self._beats(one) if self.beats else self._windows(one)

    def _beats(self, one: Recording) -> tuple[np.ndarray, pd.DataFrame]:
        """Every beat that has a neighbour on both sides, and fits."""
        marks = beats_of(one)
        seconds = marks.at / one.rate
        first = np.round(seconds * self.rate).astype(np.int64) - self.before
        values = without_wander(self.values(one), self.rate)
        fits = (first >= 0) & (first + self.size <= len(values))
        fits[:1], fits[-1:] = False, False
        gaps, at = np.diff(seconds), np.flatnonzero(fits)
        if not len(at):
            return self._empty(), self._columns(0)
        told = {BEAT: classes(marks.symbol[at]), BEFORE: gaps[at - 1], AFTER: gaps[at]}
        return _windows(values, first[at], self.size), pd.DataFrame(told)

    def _windows(self, one: Recording) -> tuple[np.ndarray, pd.DataFrame]:
        values = self.values(one)
        first = np.arange(0, len(values) - self.size + 1, self.size)
        if not len(first):
            return self._empty(), self._columns(0)
        middle = ((first + self.size // 2) * one.rate / self.rate).astype(np.int64)
        return _windows(values, first, self.size), pd.DataFrame({STATE: one.states.state_at(middle)})

    def values(self, one: Recording) -> np.ndarray:
        """(samples, leads) float32 at the rate of pieces."""
        return resampled(one.values(), one.rate, self.rate)


def pieces(data: Recordings, reference: Recordings) -> Pieces:
    """The pieces of recordings, cut as those of the reference are."""
    return Cut.of(reference).pieces(data)


def converters(ones: Sequence[Recording]) -> tuple[Lead, ...]:
    """The leads of recordings as they are written: a converter that all have is kept. Where each has its own, made for
    its own extremes, it would cut others off, and would tell of one patient: then the steps to a unit are a round
    number, 1, 2 or 5 times a power of ten, by which every recording fits."""
    each = zip(*(one.leads for one in ones), strict=True)
    return tuple(
        _shared(one) if len({(lead.gain, lead.baseline) for lead in one}) == 1 else _plain(one) for one in each
    )


def _shared(own: Sequence[Lead]) -> Lead:
    """A lead whose gain and baseline all have, with its bits and its middle where all have these, too."""
    return own[0] if len({(lead.bits, lead.middle) for lead in own}) == 1 else replace(own[0], bits=0, middle=0)


def _plain(own: Sequence[Lead]) -> Lead:
    """A lead with half of the range on either side of 0, and no finer steps than the coarsest of its own."""
    most = min(lead.gain for lead in own) / 2
    power = 10.0 ** np.floor(np.log10(most))
    gain = max(float(power * step) for step in (1, 2, 5) if power * step <= most)
    return replace(own[0], gain=gain, baseline=0, bits=0, middle=0)


def hearts(ones: Sequence[Recording]) -> bool:
    """Whether heart beats are marked in most recordings, so that beats are learned."""
    return sum(heart(one) for one in ones) * 2 > len(ones)


def heart(one: Recording) -> bool:
    """Whether heart beats are marked in a recording."""
    return len(beats_of(one)) > 2


def beats_of(one: Recording) -> Marks:
    """The marks that are beats."""
    known, which = np.unique(one.beats.symbol.astype(str), return_inverse=True)
    is_beat = np.array([symbol in CLASSES for symbol in known], dtype=bool)
    return one.beats.take(is_beat[which]) if len(known) else one.beats


def resampled(values: np.ndarray, rate: float, to: float) -> np.ndarray:
    """(samples, leads) at another rate, by a polyphase filter; what is missing is filled with its lead's mean."""
    if rate == to:
        return values
    known = np.isfinite(values)
    filled = values if known.all() else np.where(known, values, _means(values, known))
    ratio = Fraction(to / rate).limit_denominator(1000)
    made = resample_poly(filled, ratio.numerator, ratio.denominator, padtype="line").astype(np.float32)
    lost = ~known.any(0)
    made[:, lost] = np.nan
    return made


def _means(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    means: np.ndarray = np.where(known, values, 0).sum(0) / np.maximum(known.sum(0), 1)
    return means


def wander(values: np.ndarray, rate: float) -> np.ndarray:
    """(samples, leads) what moves slower than WANDER, without a shift in time; a short recording only has a level."""
    known = np.isfinite(values)
    filled = np.where(known, values, _means(values, known))
    if len(values) < 4 * rate / WANDER:
        return np.broadcast_to(filled.mean(0), values.shape)
    return sosfiltfilt(_slower(rate), filled, axis=0, padlen=int(3 * rate)).astype(np.float32)


@lru_cache
def _slower(rate: float) -> np.ndarray:
    """The filter that passes what moves slower than WANDER: to design it takes as long as to filter twenty seconds."""
    made: np.ndarray = butter(2, WANDER, fs=rate, output="sos")
    return made


def without_wander(values: np.ndarray, rate: float) -> np.ndarray:
    """The recording on a steady baseline."""
    return values - wander(values, rate)


def _windows(values: np.ndarray, first: np.ndarray, size: int) -> np.ndarray:
    """(n, leads, size) float32 from (samples, leads), each from its first sample."""
    return np.moveaxis(values[first[:, None] + np.arange(size)], 2, 1).astype(np.float32)
