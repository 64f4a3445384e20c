"""How a recording with a heart in it comes about: the person, the rhythm, the style of its beats, its baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.interpolate import CubicSpline

from semblance.core.rng import stream
from semblance.core.shares import largest_remainder
from semblance.learn.drawn import Learned
from semblance.learn.person import FAR, FREE, Limits, Person
from semblance.modalities.signal import stitch
from semblance.modalities.signal.aami import classes
from semblance.modalities.signal.data import AFTER, BEFORE, Lead, Marks, Pieces, Recording, Recordings
from semblance.modalities.signal.parts import Conditions, Part, Strip
from semblance.modalities.signal.pieces import BEAT, Cut, beats_of, heart, wander
from semblance.modalities.signal.rhythm import (
    LONGEST,
    SHORTEST,
    Beats,
    Rhythm,
    hits_of,
    moved,
    often_at,
    swing_at,
    told,
)
from semblance.modalities.signal.spectrum import BANDS, band_power, noise
from semblance.modalities.signal.style import Fashion, Styles
from semblance.modalities.signal.wanted import ANY, Asked, Known, exactly

TRIED, ROUNDS = 1024, 8
"""Recordings that are tried to see how often kinds come, and how often their mean is corrected."""
FEWEST = 1e-5
"""The share of beats below which what comes in a context counts as never."""
FAINT = 1e-6
"""Power of a wander below which there is none."""
INSIDE = 0.5
"""Beats per minute by which a heart rate keeps from the ends of what was asked for: beats stand on whole samples."""
FILLED, LEFT = 12, 1.5
"""How often the number of beats is corrected, until less than so many intervals are left at the end of a recording."""
SLOW = 2.0
"""Hz at which a baseline's wander is kept."""


@dataclass(frozen=True, eq=False)
class Habits:
    """`kinds` names the kinds of beats, the usual one first; `seconds` is how long a recording is."""

    kinds: tuple[str, ...]
    person: Person
    fashion: Fashion
    leads: int
    seconds: float

    @classmethod
    def fit(
        cls, data: Recordings, cut: Cut, pieces: Pieces, coefficients: np.ndarray, *, kinds: tuple[str, ...], rare: int
    ) -> tuple[Habits, Learned]:
        """From recordings, their pieces of these kinds, and the (n, d) coefficients of these."""
        labels, source = pd.Index(kinds).get_indexer(pieces.labels), pieces.source
        styles = Styles.of(coefficients, labels, source, len(data), len(kinds))
        habits = cls._of(data, cut, kinds, styles, rare=rare)
        known = habits.under(pieces, labels, styles)
        return habits, Learned(known.relative(coefficients), labels, known.given, pieces.subjects, len(kinds))

    def conditions(self, data: Recordings, pieces: Pieces, coefficients: np.ndarray) -> Conditions:
        """Those of recordings' pieces, all of known kinds, from their (n, d) coefficients."""
        labels = pd.Index(self.kinds).get_indexer(pieces.labels)
        styles = Styles.of(coefficients, labels, pieces.source, len(data), len(self.kinds))
        return self.under(pieces, labels, styles)

    def under(self, pieces: Pieces, labels: np.ndarray, styles: Styles) -> Conditions:
        """The conditions of pieces of these labels and styles."""
        source, shown = pieces.source, self.fashion.shown(styles.centre, styles.spread)
        before, after = (pieces.frame[name].to_numpy() for name in (BEFORE, AFTER))
        given = np.zeros((len(pieces), self.given), dtype=np.float32)
        for one in np.unique(source):
            rows = source == one
            given[rows] = given_of(before[rows], after[rows], shown[one, labels[rows]])
        return Conditions(labels, given, styles.centre[source, labels], np.exp(styles.spread[source, labels]))

    @classmethod
    def _of(cls, data: Recordings, cut: Cut, kinds: tuple[str, ...], styles: Styles, *, rare: int) -> Habits:
        series = [beats(one, kinds) for one in data.recordings]
        hit = np.mean([one.counts(len(kinds))[..., 0] / max(len(one.kinds), 1) for one in series], axis=0)
        slow = _filled(np.array([_slow(cut.values(one), cut.rate) for one in data.recordings]))
        fashion = Fashion.of(styles)
        numbers = np.concatenate([told(series, len(kinds)), slow, fashion.told(styles)], 1)
        person = as_often(Person.fit(data.frame, numbers, data.subjects, rare=rare), hit, len(kinds))
        seconds = float(np.median([one.seconds for one in data.recordings]))
        return cls(kinds, person, fashion, len(cut.leads), seconds)

    def known(self, leads: tuple[Lead, ...], tied: tuple[str, ...] = ()) -> Known:
        """What can be asked for."""
        return Known(self.person, BEAT, self.kinds, leads, len(self.person.scales), tied)

    def draw(self, cut: Cut, *, rng: np.random.Generator, limits: Limits = FREE, asked: Asked = ANY) -> Part:
        """A new person's recording to be, as it was asked for."""
        frame, (numbers,) = self.person.draw(1, rng=rng, limits=limits)
        own = numbers[-self.fashion.numbers :]
        slow = numbers[: -self.fashion.numbers][-self.leads * (BANDS + 1) :]
        kinds, intervals = _until(Rhythm.of_vector(numbers, len(self.kinds)), self.seconds, asked, rng=rng)
        centre, spread = self.fashion.draw(own, rng=rng)
        after = np.append(intervals[1:], np.median(intervals) if len(intervals) else [])
        given = given_of(intervals, after, self.fashion.shown(centre, spread)[kinds])
        length = round(self.seconds * cut.rate)
        at = np.minimum(np.round(np.cumsum(intervals) * cut.rate).astype(np.int64), length - 1)
        baseline = _baseline(slow, self.leads, self.seconds, rng=rng)
        return Part(frame, kinds, given, centre, np.exp(spread), at, length, baseline, asked.knobs)

    def join(self, cut: Cut, waves: np.ndarray, part: Part) -> Strip:
        """The recording of (n, leads, samples) beats."""
        waves = part.knobs.turn(waves, np.exp(part.given[:, 0]), part.kinds, rate=cut.rate, before=cut.before)
        values = stitch.beats(waves, part.at, part.length, rate=cut.rate, before=cut.before)
        place = np.linspace(0, len(part.slow) - 1, part.length)
        values += CubicSpline(np.arange(len(part.slow)), part.slow)(place).astype(np.float32)
        return Strip(values, Marks(part.at, np.array(self.kinds, dtype=object)[part.kinds]))

    @property
    def given(self) -> int:
        """How many numbers a beat is given."""
        return 4 + self.fashion.numbers

    def arrays(self) -> dict[str, np.ndarray]:
        """What is saved as tensors."""
        return {**self.fashion.arrays(), **self.person.arrays()}

    def to_json(self) -> dict[str, Any]:
        """All else as plain JSON."""
        told = {"kinds": list(self.kinds), "leads": self.leads, "seconds": self.seconds}
        return {**told, "person": self.person.to_json()}

    @classmethod
    def restored(cls, said: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Habits:
        """The inverse of `to_json` and `arrays`."""
        person, fashion = Person.restored(said["person"], arrays), Fashion.restored(arrays)
        return cls(tuple(said["kinds"]), person, fashion, said["leads"], said["seconds"])


def patients_of(data: Recordings) -> dict[str, int]:
    """How many patients have each kind of beat, the commonest kind first."""
    frames = [
        pd.DataFrame({"kind": classes(beats_of(one).symbol), "patient": patient})
        for one, patient in zip(data.recordings, data.subjects, strict=True)
    ]
    every = pd.concat(frames, ignore_index=True)
    behind = every.groupby("kind")["patient"].nunique()
    return {str(kind): int(behind[kind]) for kind in every["kind"].value_counts().index}


def kinds_of(data: Recordings, *, rare: int) -> tuple[str, ...]:
    """The kinds of beats that at least `rare` patients have, the commonest first; where none is, the commonest."""
    return _enough(patients_of(data), rare)


def unlearned(data: Recordings, *, rare: int) -> dict[str, int]:
    """The kinds of beats that are not learned, as fewer than `rare` patients have them, and how many do."""
    behind = patients_of(data.take(np.array([heart(one) for one in data.recordings])))
    known = _enough(behind, rare)
    return {kind: patients for kind, patients in behind.items() if kind not in known}


def _enough(behind: Mapping[str, int], rare: int) -> tuple[str, ...]:
    """The kinds that so many patients have; where none is, the commonest."""
    enough = tuple(kind for kind, patients in behind.items() if patients >= rare)
    return enough or tuple(behind)[:1]


def beats(one: Recording, kinds: tuple[str, ...]) -> Beats:
    """The beats of known kinds; the interval after a beat of another kind is none."""
    marks = beats_of(one)
    place = pd.Index(kinds).get_indexer(classes(marks.symbol))
    gaps = np.concatenate([[np.nan], np.diff(marks.at) / one.rate])[: len(marks)]
    gaps[1:][place[:-1] < 0] = np.nan
    return Beats(place[place >= 0], gaps[place >= 0])


def given_of(before: np.ndarray, after: np.ndarray, style: np.ndarray) -> np.ndarray:
    """(n, 4 + numbers) what a beat is learned given: its two intervals (log seconds), the same relative to its
    recording's median, and its style. One recording at a time."""
    two = np.log(np.clip(np.stack([before, after], 1), SHORTEST, LONGEST))
    usual = np.median(two[:, 0]) if len(two) else 0.0
    return np.concatenate([two, two - usual, style], 1)


def as_often(person: Person, hit: np.ndarray, kinds: int) -> Person:
    """The person with whom each kind of beat comes in each context as often as in the cohort: `hit` (kinds - 1,
    CONTEXTS) of the beats of the mean recording.

    A Gaussian of logits alone has too few recordings in which a rare kind is frequent, and too many with long runs.
    """
    rng, at, swing_of = stream(0, "often"), often_at(kinds), swing_at(kinds)
    moves = rng.standard_normal((TRIED, len(person.mean))) @ person.root.T
    moves = moves.clip(-FAR * person.spread, FAR * person.spread)  # as people are drawn
    for _ in range(ROUNDS):
        vectors = (person.mean + moves)[:, len(person.scales) :]
        often, swing = vectors[:, at], np.maximum(vectors[:, swing_of], 0)
        made = np.mean([hits_of(moved(often, side * swing)).mean(0) for side in (-1, 1)], axis=0)
        step = np.clip(np.log(np.maximum(hit, FEWEST) / np.maximum(made, FEWEST)), -1, 1)
        mean = person.mean.copy()
        mean[len(person.scales) + at] += step
        person = replace(person, mean=mean)
    return person


def _until(rhythm: Rhythm, seconds: float, asked: Asked, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Kinds and intervals of beats until the recording ends."""
    n = int(seconds / SHORTEST) + 2
    some = min(n, int(2 * seconds / np.exp(np.clip(rhythm.level, -1.2, 0.8))) + 8)
    kinds = rhythm.kinds(some, rng=rng)
    intervals = _paced(rhythm.intervals(kinds, rng=rng), kinds, seconds, asked)
    count = int((np.cumsum(intervals) < seconds).sum())
    if asked.mix is not None and count:
        return _mixed(rhythm, count, seconds, asked, rng=rng)
    return kinds[:count], intervals[:count]


def _mixed(
    rhythm: Rhythm, count: int, seconds: float, asked: Asked, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """As many beats of exactly the mix that was asked for as fill the recording; `count` is a first guess."""
    assert asked.mix is not None
    for _ in range(FILLED):
        kinds = exactly(largest_remainder(asked.mix, count), lambda a, b: rhythm.shares[a, b], rhythm.mix, rng=rng)
        intervals = _paced(rhythm.intervals(kinds, rng=rng), kinds, seconds, asked)
        usual = intervals.mean()
        if 0 < seconds - intervals.sum() < LEFT * usual:
            return kinds, intervals
        count = max(round((seconds / usual) - LEFT / 2), 1)
    return kinds, intervals * ((seconds - SHORTEST) / intervals.sum())


def _paced(intervals: np.ndarray, kinds: np.ndarray, seconds: float, asked: Asked) -> np.ndarray:
    """The intervals, all as much longer or shorter as it takes to have the heart rate that was asked for."""
    heard = np.cumsum(intervals)[1:] < seconds
    normal = intervals[1:][(kinds[1:] == 0) & (kinds[:-1] == 0) & heard]
    normal = normal if len(normal) else intervals[1:][heard]  # of beats that are all ectopic, the rate of all
    if asked.rate is None or not len(normal):
        return intervals
    usual, (low, high) = 60 / np.median(normal), asked.rate
    inside = min(INSIDE, (high - low) / 4)
    paced: np.ndarray = intervals * usual / np.clip(usual, low + inside, high - inside)
    return paced


def _slow(values: np.ndarray, rate: float) -> np.ndarray:
    """(leads * (BANDS + 1),) the level of each lead and the log power of its wander by bands; NaN if not measured."""
    moved = wander(values, rate)[:: max(int(rate / SLOW), 1)]
    rows = np.array([[lead.mean(), *np.log(band_power(lead) + FAINT)] for lead in moved.T])
    rows[~np.isfinite(values).any(0)] = np.nan
    return rows.ravel()


def _filled(rows: np.ndarray) -> np.ndarray:
    """What a recording does not tell is as in the mean of the others."""
    known = np.isfinite(rows)
    mean = np.where(known, rows, 0).sum(0) / np.maximum(known.sum(0), 1)
    return np.where(known, rows, mean)


def _baseline(told: np.ndarray, leads: int, seconds: float, *, rng: np.random.Generator) -> np.ndarray:
    """(slow samples, leads) of a baseline."""
    n = max(int(seconds * SLOW) + 2, 2)
    rows = told.reshape(leads, BANDS + 1)
    return np.stack([row[0] + noise(np.exp(row[1:]), n, rng=rng) for row in rows], 1)
