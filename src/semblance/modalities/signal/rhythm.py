"""The rhythm of a heart: which kind of beat follows which, and after how long.

A recording is told by some numbers (`Rhythm.vector`): the level and the spectrum of its normal-to-normal intervals, how
often each kind of ectopic beat comes (alone, every other beat, in runs), and how early it comes and how late the next
beat follows. A new recording is drawn from such numbers; which ones occur together is learned by `person`. After the
semi-Markov view of heart beats; intervals as a Gaussian process on the log scale with a spectrum by bands, since the
variability of the heart is told by bands (Task Force of the ESC and NASPE, Circulation 1996).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from semblance.modalities.signal.spectrum import BANDS, band_power, noise

SHORTEST, LONGEST = 0.2, 3.0
"""Seconds between beats that are taken for an interval; what is longer is a gap in the marks."""
PRIOR = 4.0
"""Beats of the cohort's habits that each recording starts with."""
CONTEXTS, JUMPS = 3, 3
SETTLED = 60
"""Beats after which nobody can tell how a recording began."""


@dataclass(frozen=True, eq=False)
class Rhythm:
    """`level` log seconds; `bands` (BANDS,) log power; `often` (k - 1, CONTEXTS) logits of an ectopic beat of each kind
    after two normal beats, after one of its kind and a normal one, and after one of its kind; `early` and `spread`
    (k - 1, JUMPS) mean and log standard deviation of the log ratio of an interval to the normal one: before the first
    of a run, within it, and after it.
    """

    level: float
    bands: np.ndarray
    often: np.ndarray
    early: np.ndarray
    spread: np.ndarray

    @property
    def vector(self) -> np.ndarray:
        """All numbers in a row."""
        return np.concatenate([[self.level], self.bands, self.often.ravel(), self.early.ravel(), self.spread.ravel()])

    @classmethod
    def of_vector(cls, numbers: np.ndarray, kinds: int) -> Rhythm:
        """The inverse of `vector`; what follows in `numbers` is not looked at."""
        parts = np.split(numbers[1:], np.cumsum([BANDS, *[(kinds - 1) * CONTEXTS] * 3]))
        often, early, spread = (part.reshape(kinds - 1, CONTEXTS) for part in parts[1:4])
        return cls(float(numbers[0]), parts[0], often, early, spread)

    @cached_property
    def shares(self) -> np.ndarray:
        """(k, k, k) probability of a kind given the kind before the last one and the last one."""
        return shares_of(self.often)

    @cached_property
    def mix(self) -> np.ndarray:
        """(k,) share of each kind in a long recording."""
        return mix_of(self.shares)

    def kinds(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n,) kinds of beats, 0 for normal."""
        bounds, drawn = self.shares.cumsum(2).tolist(), rng.random(n).tolist()
        made, a, b = [0] * n, 0, 0
        for i, u in enumerate(drawn):
            row = bounds[a][b]
            c = 0
            while c < len(row) - 1 and u > row[c]:
                c += 1
            a, b, made[i] = b, c, c
        return np.array(made, dtype=np.int64)

    def intervals(self, kinds: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n,) seconds from the beat before to each beat."""
        n = len(kinds)
        steady = self.level + noise(np.exp(self.bands), n, rng=rng)
        row, column = jump(kinds)
        mean, sd = np.zeros(n), np.zeros(n)
        moved = row >= 0
        mean[moved], sd[moved] = self.early[row[moved], column[moved]], np.exp(self.spread[row[moved], column[moved]])
        return np.clip(np.exp(steady + mean + sd * rng.standard_normal(n)), SHORTEST, LONGEST)


def shares_of(often: np.ndarray) -> np.ndarray:
    """(..., k, k, k) probabilities of a kind after two others, of (..., k - 1, CONTEXTS) logits."""
    k = often.shape[-2] + 1
    chance = 1 / (1 + np.exp(-often))
    table = np.zeros((*often.shape[:-2], k, k, k))
    table[..., 1:] = chance[..., None, None, :, 0]
    for c in range(1, k):
        table[..., c, 0, c] = chance[..., c - 1, 1]
        table[..., :, c, c] = chance[..., c - 1, 2, None]
    ectopic = table[..., 1:]
    ectopic /= np.maximum(ectopic.sum(-1, keepdims=True) / 0.98, 1.0)
    table[..., 0] = 1 - ectopic.sum(-1)
    return table


def mix_of(shares: np.ndarray) -> np.ndarray:
    """(..., k) share of each kind in a long recording of (..., k, k, k) `shares`."""
    pairs = np.full(shares.shape[:-1], 1.0 / np.prod(shares.shape[-2:]))
    for _ in range(SETTLED):
        pairs = np.einsum("...ab,...abc->...bc", pairs, shares)
    mix: np.ndarray = pairs.sum(-2)
    return mix


def jump(kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each interval that is no normal one: the kind that it belongs to (less 1), and which of the three it is."""
    before = np.concatenate([kinds[:1], kinds[:-1]])
    row = np.where(kinds > 0, kinds, before) - 1
    column = np.where(kinds > 0, np.where(before == kinds, 1, 0), 2)
    return row, column


@dataclass(frozen=True, eq=False)
class Beats:
    """The beats of a recording: (n,) kinds, 0 for normal, and (n,) seconds since the beat before, NaN for the first."""

    kinds: np.ndarray
    intervals: np.ndarray

    @cached_property
    def normal(self) -> np.ndarray:
        """(n,) log seconds between normal beats; where there are none, what lies between."""
        ok = (self.kinds == 0) & (np.roll(self.kinds, 1) == 0) & sound(self.intervals)
        ok[:1] = False
        at, every = np.flatnonzero(ok), np.arange(len(self.kinds))
        if not len(at):
            known = self.intervals[sound(self.intervals)]
            return np.full(len(every), np.log(np.median(known)) if len(known) else 0.0)
        return np.interp(every, at, np.log(self.intervals[at]))

    def counts(self, k: int) -> np.ndarray:
        """(k - 1, CONTEXTS, 2) how often each kind came, of how many times that it could, in each context."""
        a, b, c = self.kinds[:-2], self.kinds[1:-1], self.kinds[2:]
        found = np.zeros((k - 1, CONTEXTS, 2))
        for kind in range(1, k):
            contexts = ((a == 0) & (b == 0), (a == kind) & (b == 0), b == kind)
            found[kind - 1] = [[(where & (c == kind)).sum(), where.sum()] for where in contexts]
        return found

    def jumps(self, k: int) -> np.ndarray:
        """(k - 1, JUMPS, 3) count, sum and sum of squares of the log ratios of intervals to normal ones."""
        row, column = jump(self.kinds)
        ok = (row >= 0) & sound(self.intervals)
        ratio = np.log(self.intervals[ok]) - self.normal[ok]
        place = row[ok] * JUMPS + column[ok]
        sums = [np.bincount(place, weights=ratio**p, minlength=(k - 1) * JUMPS) for p in (0, 1, 2)]
        return np.stack(sums, 1).reshape(k - 1, JUMPS, 3)


def sound(intervals: np.ndarray) -> np.ndarray:
    """(n,) bool: intervals that are some, and no gaps in the marks."""
    return (intervals >= SHORTEST) & (intervals <= LONGEST)


def told(beats: list[Beats], k: int) -> np.ndarray:
    """(recordings, numbers) the `vector` of each recording; what few beats tell is drawn towards the habits of all."""
    counts, jumps = (np.array([getattr(one, what)(k) for one in beats]) for what in ("counts", "jumps"))
    habit = (counts[..., 0].sum(0) + 0.5) / (counts[..., 1].sum(0) + 20)
    often = (counts[..., 0] + PRIOR * habit) / (counts[..., 1] + PRIOR)
    whole = jumps.sum(0)
    usual = whole[..., 1] / np.maximum(whole[..., 0], 1)
    width = np.maximum(whole[..., 2] / np.maximum(whole[..., 0], 1) - usual**2, 0) + 0.03**2
    count = jumps[..., 0] + PRIOR
    early = (jumps[..., 1] + PRIOR * usual) / count
    around = jumps[..., 2] - 2 * early * jumps[..., 1] + jumps[..., 0] * early**2
    spread = 0.5 * np.log((np.maximum(around, 0) + PRIOR * width) / count)
    rows = [
        Rhythm(float(np.median(one.normal)), np.log(band_power(one.normal) + 1e-8), _logit(o), e, s).vector
        for one, o, e, s in zip(beats, often, early, spread, strict=True)
    ]
    return np.array(rows)


def often_at(kinds: int) -> np.ndarray:
    """(kinds - 1, CONTEXTS) the places in a `vector` that say how often a kind comes."""
    return 1 + BANDS + np.arange((kinds - 1) * CONTEXTS).reshape(kinds - 1, CONTEXTS)


def _logit(share: np.ndarray) -> np.ndarray:
    return np.log(share / (1 - share))
