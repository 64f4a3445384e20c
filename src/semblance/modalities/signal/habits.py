"""What a recording is like as a whole, and how it comes about: the person, the rhythm, the style of its pieces.

The style of a recording is the mean of its pieces' first coefficients, of each kind of beat its own; what few pieces
tell is drawn towards the cohort's mean. Pieces are learned given their style, so a new recording has one heart in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.interpolate import CubicSpline

from semblance.core.rng import stream
from semblance.modalities.signal import stitch
from semblance.modalities.signal.aami import classes
from semblance.modalities.signal.data import AFTER, BEFORE, Marks, Pieces, Recording, Recordings
from semblance.modalities.signal.parts import Learned, Part, Strip
from semblance.modalities.signal.person import Person
from semblance.modalities.signal.pieces import Cut, beats_of, wander
from semblance.modalities.signal.rhythm import LONGEST, SHORTEST, Beats, Rhythm, often_at, told
from semblance.modalities.signal.spectrum import BANDS, band_power, noise

TRIED, ROUNDS = 256, 12
"""Recordings that are tried to see how often kinds come, and how often their mean is corrected."""
STYLE, PRIOR = 8, 5.0
"""How many numbers tell a style, and with how many pieces of the cohort's mean each begins."""
SLOW = 2.0
"""Hz at which a baseline's wander is kept."""


@dataclass(frozen=True, eq=False)
class Habits:
    """`kinds` names the kinds of beats, the usual one first. `mean` (k, STYLE) and `root` (k, STYLE, STYLE) tell how a
    kind's style differs from the usual kind's. `seconds` is how long a recording is."""

    kinds: tuple[str, ...]
    person: Person
    mean: np.ndarray
    root: np.ndarray
    leads: int
    seconds: float

    @classmethod
    def fit(
        cls, data: Recordings, cut: Cut, pieces: Pieces, coefficients: np.ndarray, *, kinds: tuple[str, ...], rare: int
    ) -> tuple[Habits, Learned]:
        """From recordings, their pieces of these kinds, and the (n, d) coefficients of these."""
        labels = pd.Index(kinds).get_indexer(pieces.labels)
        styles = styles_of(coefficients, labels, pieces.source, len(data), len(kinds))
        before, after = (pieces.frame[name].to_numpy() for name in (BEFORE, AFTER))
        given = np.zeros((len(pieces), 4 + STYLE), dtype=np.float32)
        for one in np.unique(pieces.source):
            rows = pieces.source == one
            given[rows] = given_of(before[rows], after[rows], styles[one, labels[rows]])
        habits = cls._of(data, cut, kinds, styles, rare=rare)
        return habits, Learned(coefficients, labels, given, pieces.subjects, len(kinds))

    @classmethod
    def _of(cls, data: Recordings, cut: Cut, kinds: tuple[str, ...], styles: np.ndarray, *, rare: int) -> Habits:
        series = [beats(one, kinds) for one in data.recordings]
        one_each = np.mean([np.bincount(one.kinds, minlength=len(kinds)) / max(len(one.kinds), 1) for one in series], 0)
        rhythm = told(series, len(kinds))
        slow = np.array([_slow(cut.values(one), cut.rate) for one in data.recordings])
        numbers = np.concatenate([rhythm, slow, styles[:, 0]], 1)
        person = _as_often(Person.fit(data.frame, numbers, rare=rare), one_each, len(kinds))
        apart = styles - styles[:, :1]
        root = np.array([_root(apart[:, k]) for k in range(len(kinds))])
        seconds = float(np.median([one.seconds for one in data.recordings]))
        return cls(kinds, person, apart.mean(0), root, len(cut.leads), seconds)

    def draw(self, cut: Cut, *, rng: np.random.Generator) -> Part:
        """A new person's recording to be."""
        frame, (numbers,) = self.person.draw(1, rng=rng)
        slow, usual = numbers[-STYLE - self.leads * (BANDS + 1) : -STYLE], numbers[-STYLE:]
        rhythm = Rhythm.of_vector(numbers, len(self.kinds))
        kinds, intervals = _until(rhythm, self.seconds, rng=rng)
        seconds = np.cumsum(intervals)
        styles = usual + self.mean + np.einsum("kij,kj->ki", self.root, rng.standard_normal(self.mean.shape))
        given = given_of(intervals, np.append(intervals[1:], np.median(intervals)), styles[kinds])
        length = round(self.seconds * cut.rate)
        at = np.round(seconds * cut.rate).astype(np.int64)
        return Part(frame, kinds, given, at, length, _baseline(slow, self.leads, self.seconds, rng=rng))

    def join(self, cut: Cut, waves: np.ndarray, part: Part) -> Strip:
        """The recording of (n, leads, samples) beats."""
        values = stitch.beats(waves, part.at, part.length, rate=cut.rate, before=cut.before)
        place = np.linspace(0, len(part.slow) - 1, part.length)
        values += CubicSpline(np.arange(len(part.slow)), part.slow)(place).astype(np.float32)
        return Strip(values, Marks(part.at, np.array(self.kinds, dtype=object)[part.kinds]))

    def arrays(self) -> dict[str, np.ndarray]:
        """What is saved as tensors."""
        return {"habits.mean": self.mean, "habits.root": self.root, **self.person.arrays()}

    def to_json(self) -> dict[str, Any]:
        """All else as plain JSON."""
        return {
            "kinds": list(self.kinds),
            "person": self.person.to_json(),
            "leads": self.leads,
            "seconds": self.seconds,
        }

    @classmethod
    def restored(cls, said: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Habits:
        """The inverse of `to_json` and `arrays`."""
        person = Person.restored(said["person"], arrays)
        mean, root = arrays["habits.mean"], arrays["habits.root"]
        return cls(tuple(said["kinds"]), person, mean, root, said["leads"], said["seconds"])


def kinds_of(data: Recordings, *, rare: int) -> tuple[str, ...]:
    """The kinds of beats that at least `rare` patients have, the commonest first; where none is, the commonest."""
    frames = [
        pd.DataFrame({"kind": classes(beats_of(one).symbol), "patient": patient})
        for one, patient in zip(data.recordings, data.subjects, strict=True)
    ]
    every = pd.concat(frames, ignore_index=True)
    if not len(every):
        return ()
    count, behind = every["kind"].value_counts(), every.groupby("kind")["patient"].nunique()
    enough = [str(kind) for kind in count.index if behind[kind] >= rare]
    return tuple(enough or [str(count.index[0])])


def beats(one: Recording, kinds: tuple[str, ...]) -> Beats:
    """The beats of known kinds; the interval after a beat of another kind is none."""
    marks = beats_of(one)
    place = pd.Index(kinds).get_indexer(classes(marks.symbol))
    gaps = np.concatenate([[np.nan], np.diff(marks.at) / one.rate])[: len(marks)]
    gaps[1:][place[:-1] < 0] = np.nan
    return Beats(place[place >= 0], gaps[place >= 0])


def styles_of(coefficients: np.ndarray, labels: np.ndarray, source: np.ndarray, n: int, kinds: int) -> np.ndarray:
    """(n, kinds, STYLE) the style of each recording from (pieces, d) coefficients, their kinds and recordings."""
    few = coefficients[:, :STYLE]
    sums, counts = np.zeros((n, kinds, STYLE)), np.zeros((n, kinds, 1))
    np.add.at(sums, (source, labels), few)
    np.add.at(counts, (source, labels), 1)
    usual = sums.sum((0, 1)) / max(len(few), 1)
    first = (sums[:, :1] + PRIOR * usual) / (counts[:, :1] + PRIOR)
    apart = sums - counts * first
    typical = apart.sum(0) / np.maximum(counts.sum(0), 1)
    styles: np.ndarray = first + (apart + PRIOR * typical) / (counts + PRIOR)
    styles[:, :1] = first
    return styles


def given_of(before: np.ndarray, after: np.ndarray, style: np.ndarray) -> np.ndarray:
    """(n, 4 + STYLE) what a beat is learned given: its two intervals (log seconds), the same relative to its
    recording's median, and its style. One recording at a time."""
    two = np.log(np.clip(np.stack([before, after], 1), SHORTEST, LONGEST))
    usual = np.median(two[:, 0]) if len(two) else 0.0
    return np.concatenate([two, two - usual, style], 1)


def _as_often(person: Person, share: np.ndarray, kinds: int) -> Person:
    """The person with whom each kind of beat has its `share` (kinds,) of the mean recording, as it has in the cohort.

    A Gaussian of logits alone has too few recordings in which a rare kind is frequent.
    """
    rng, at = stream(0, "often"), often_at(kinds)
    noise = rng.standard_normal((TRIED, len(person.mean)))
    for _ in range(ROUNDS):
        vectors = (person.mean + noise @ person.root.T)[:, len(person.scales) :]
        mix = np.mean([Rhythm.of_vector(vector, kinds).mix for vector in vectors], 0)
        step = np.clip(np.log(np.maximum(share[1:], 1e-6) / np.maximum(mix[1:], 1e-6)), -1, 1)
        mean = person.mean.copy()
        mean[len(person.scales) + at] += step[:, None]
        person = replace(person, mean=mean)
    return person


def _root(apart: np.ndarray) -> np.ndarray:
    """(STYLE, STYLE) whose square is the covariance, with half of it taken from the diagonal."""
    spread = np.cov(apart.T) if len(apart) > 1 else np.zeros((apart.shape[1],) * 2)
    calm = 0.5 * spread + 0.5 * np.diag(np.diag(spread))
    values, vectors = np.linalg.eigh(calm)
    root: np.ndarray = vectors * np.sqrt(np.maximum(values, 0))
    return root


def _until(rhythm: Rhythm, seconds: float, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Kinds and intervals of beats until the recording ends."""
    n = int(seconds / SHORTEST) + 2
    some = min(n, int(2 * seconds / np.exp(np.clip(rhythm.level, -1.2, 0.8))) + 8)
    kinds = rhythm.kinds(some, rng=rng)
    intervals = rhythm.intervals(kinds, rng=rng)
    keep = np.cumsum(intervals) < seconds
    return kinds[keep], intervals[keep]


def _slow(values: np.ndarray, rate: float) -> np.ndarray:
    """(leads * (BANDS + 1),) the level of each lead and the log power of its wander by bands."""
    moved = wander(values, rate)[:: max(int(rate / SLOW), 1)]
    rows = [[lead.mean(), *np.log(band_power(lead) + 1e-8)] for lead in moved.T]
    return np.nan_to_num(np.concatenate(rows))


def _baseline(told: np.ndarray, leads: int, seconds: float, *, rng: np.random.Generator) -> np.ndarray:
    """(slow samples, leads) of a baseline."""
    n = max(int(seconds * SLOW) + 2, 2)
    rows = told.reshape(leads, BANDS + 1)
    return np.stack([row[0] + noise(np.exp(row[1:]), n, rng=rng) for row in rows], 1)
