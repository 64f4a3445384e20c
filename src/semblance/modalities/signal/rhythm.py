"""The rhythm of a heart: which kind of beat follows which, and after how long.

A recording is told by some numbers (`Rhythm.vector`): the level and the spectrum of its normal-to-normal intervals, how
often each kind of ectopic beat comes (alone, every other beat, in runs), and how early it comes and how late the next
beat follows. A new recording is drawn from such numbers; which ones occur together is learned by `person`. After the
semi-Markov view of heart beats; intervals as a Gaussian process on the log scale with a spectrum by bands, since the
variability of the heart is told by bands (Task Force of the ESC and NASPE, Circulation 1996).

Ectopic beats come in episodes: a hidden state of two, calm and busy, makes those of each kind begin more or less often
(a hidden Markov model; Rabiner, Proc. IEEE 1989).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.fft import dct, idct
from scipy.special import expit

from semblance.modalities.signal.spectrum import BANDS, band_power, noise

SHORTEST, LONGEST = 0.2, 3.0
"""Seconds between beats that are taken for an interval; what is longer is a gap in the marks."""
PRIOR = 4.0
"""Beats of the cohort's habits that each recording starts with."""
CONTEXTS, JUMPS = 5, 3
THIRD, MORE = 3, 4
"""The contexts of a run's third beat, and of all later ones."""
WINDOW = 100
"""Beats over which it is counted how often ectopic beats begin, to tell episodes."""
SEEN, MOST = 10.0, 0.97
"""Ectopic beats by which a recording's episodes are drawn towards those of all, and by how much of the usual odds a
state moves these at most."""
LENGTHS = np.geomspace(30, 3000, 60)
"""Beats that a state may last."""
SETTLED = 60
"""Beats after which nobody can tell how a recording began."""


@dataclass(frozen=True, eq=False)
class Rhythm:
    """`level` log seconds; `bands` (BANDS,) log power; `often` (k - 1, CONTEXTS) logits of an ectopic beat of each kind
    after two normal beats, after one of its kind and a normal one, after one of its kind, after two, and after three or
    more (few runs are long, but those that are, last); `early` and `spread` (k - 1, JUMPS) mean and log standard
    deviation of the log ratio of an interval to the normal one: before the first of a run, within it, and after it.
    `swing` (k - 1,): a busy state raises the chance of the first
    context by its tanh, a calm one lowers it so; `lasting` is the log of how many beats a state lasts.
    """

    level: float
    bands: np.ndarray
    often: np.ndarray
    early: np.ndarray
    spread: np.ndarray
    swing: np.ndarray | float = 0.0
    lasting: float = 5.0

    @property
    def vector(self) -> np.ndarray:
        """All numbers in a row. Bands are told by their cosines: a heart that varies much does so in all of them, and
        what is the same of all must be one number, for a person of few recordings is drawn of numbers nearly apart."""
        swing = np.broadcast_to(self.swing, len(self.often))
        bands = dct(self.bands, norm="ortho")
        parts = (bands, self.often.ravel(), self.early.ravel(), self.spread.ravel(), swing, [self.lasting])
        return np.concatenate([[self.level], *parts])

    @classmethod
    def of_vector(cls, numbers: np.ndarray, kinds: int) -> Rhythm:
        """The inverse of `vector`; what follows in `numbers` is not looked at."""
        few = kinds - 1
        parts = np.split(numbers[1:], np.cumsum([BANDS, few * CONTEXTS, few * JUMPS, few * JUMPS, few, 1]))
        sizes = zip(parts[1:4], (CONTEXTS, JUMPS, JUMPS), strict=True)
        often, early, spread = (part.reshape(few, size) for part, size in sizes)
        bands = idct(parts[0], norm="ortho")
        return cls(float(numbers[0]), bands, often, early, spread, parts[4], float(parts[5][0]))

    @cached_property
    def shares(self) -> np.ndarray:
        """(k, k, k) probability of a kind given the kind before the last one and the last one."""
        return shares_of(self.often)

    @cached_property
    def mix(self) -> np.ndarray:
        """(k,) share of each kind in a long recording, of which half is calm and half busy."""
        swing = np.broadcast_to(self.swing, len(self.often))
        return np.mean([mix_of(shares_of(moved(self.often, side * swing))) for side in (-1, 1)], axis=0)

    def kinds(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n,) kinds of beats, 0 for normal."""
        states, drawn = self.states(n, rng=rng), rng.random(n).tolist()
        every = [self._in(state) for state in range(2 ** len(self.often))]
        bounds = [[_table(often, often[:, at]).cumsum(2).tolist() for often in every] for at in (THIRD, MORE)]
        made, a, b, longer = [0] * n, 0, 0, False
        for i, u in enumerate(drawn):
            row = bounds[longer][states[i]][a][b]
            c = 0
            while c < len(row) - 1 and u > row[c]:
                c += 1
            longer = 0 < a == b == c
            a, b, made[i] = b, c, c
        return np.array(made, dtype=np.int64)

    def states(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n,) in which state each beat finds ectopic beats: the sum of 2^i where those of kind i + 1 are busy."""
        turns = rng.random((n, len(self.often))) < np.exp(-max(self.lasting, 0.0))
        busy = (rng.random(len(self.often)) < 0.5) ^ (np.cumsum(turns, axis=0) % 2 > 0)
        made: np.ndarray = busy @ 2 ** np.arange(len(self.often), dtype=np.int64)
        return made

    def _in(self, state: int) -> np.ndarray:
        """(k - 1, CONTEXTS) the logits in a state."""
        busy = np.where(state >> np.arange(len(self.often)) & 1, 1.0, -1.0)
        return moved(self.often, busy * np.maximum(np.broadcast_to(self.swing, len(self.often)), 0))

    def intervals(self, kinds: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n,) seconds from the beat before to each beat."""
        n = len(kinds)
        steady = self.level + noise(np.exp(self.bands), n, rng=rng)
        row, column = jump(kinds)
        mean, sd = np.zeros(n), np.zeros(n)
        moved = row >= 0
        mean[moved], sd[moved] = self.early[row[moved], column[moved]], np.exp(self.spread[row[moved], column[moved]])
        return np.clip(np.exp(steady + mean + sd * rng.standard_normal(n)), SHORTEST, LONGEST)


def moved(often: np.ndarray, swing: np.ndarray) -> np.ndarray:
    """(..., k - 1, CONTEXTS) logits in a state that moves the chance of the first context by the tanh of (..., k - 1)
    `swing`, below 0 in a calm one, so that calm and busy states have the usual one in their mean."""
    made = often.copy()
    share = expit(often[..., 0]) * (1 + np.clip(np.tanh(swing), -MOST, MOST))
    made[..., 0] = _logit(np.clip(share, 1e-9, 0.98))
    return made


def shares_of(often: np.ndarray) -> np.ndarray:
    """(..., k, k, k) probabilities of a kind after two others, of (..., k - 1, CONTEXTS) logits; whether a run has two
    beats or more is not asked, and in the mean runs are as long."""
    more = np.exp(often[..., THIRD]) / (1 + np.exp(often[..., THIRD])) * (1 + np.exp(often[..., MORE]))
    return _table(often, np.log(more))


def _table(often: np.ndarray, on: np.ndarray) -> np.ndarray:
    """(..., k, k, k) the same where a run of two goes on by (..., k - 1) logits `on`."""
    k = often.shape[-2] + 1
    chance, on = expit(often), expit(on)
    table = np.zeros((*often.shape[:-2], k, k, k))
    table[..., 1:] = chance[..., None, None, :, 0]
    for c in range(1, k):
        table[..., c, 0, c] = chance[..., c - 1, 1]
        table[..., :, c, c] = chance[..., c - 1, 2, None]
        table[..., c, c, c] = on[..., c - 1]
    ectopic = table[..., 1:]
    ectopic /= np.maximum(ectopic.sum(-1, keepdims=True) / 0.98, 1.0)
    table[..., 0] = 1 - ectopic.sum(-1)
    return table


def mix_of(shares: np.ndarray) -> np.ndarray:
    """(..., k) share of each kind in a long recording of (..., k, k, k) `shares`."""
    mix: np.ndarray = _pairs(shares).sum(-2)
    return mix


def hits_of(often: np.ndarray) -> np.ndarray:
    """(..., k - 1, CONTEXTS) of the beats of a long recording, those of each kind in each context, of such logits."""
    shares = shares_of(often)
    triples, own = _pairs(shares)[..., None] * shares, np.arange(1, shares.shape[-1])
    runs, more = triples[..., own, own, own], expit(often[..., MORE])
    after_one = triples.sum(-3)[..., own, own] - runs
    each = [triples[..., 0, 0, 1:], triples[..., own, 0, own], after_one, runs * (1 - more), runs * more]
    return np.stack(each, axis=-1)


def _pairs(shares: np.ndarray) -> np.ndarray:
    """(..., k, k) shares of two beats in a row."""
    pairs = np.full(shares.shape[:-1], 1.0 / np.prod(shares.shape[-2:]))
    for _ in range(SETTLED):
        pairs = np.einsum("...ab,...abc->...bc", pairs, shares)
    return pairs


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
        before = np.concatenate([[0], a])[: len(a)]
        found = np.zeros((k - 1, CONTEXTS, 2))
        for kind in range(1, k):
            contexts = (
                (a == 0) & (b == 0),
                (a == kind) & (b == 0),
                (a != kind) & (b == kind),
                (before != kind) & (a == kind) & (b == kind),
                (before == kind) & (a == kind) & (b == kind),
            )
            found[kind - 1] = [[(where & (c == kind)).sum(), where.sum()] for where in contexts]
        return found

    def begun(self, k: int) -> np.ndarray:
        """(k - 1, windows, 2) how many beats of each kind came after two normal ones, of how many that could."""
        a, b, c = self.kinds[:-2], self.kinds[1:-1], self.kinds[2:]
        free, windows = (a == 0) & (b == 0), np.arange(max(len(c), 0)) // WINDOW
        size = len(c) // WINDOW
        could = np.bincount(windows[free], minlength=size)[:size]
        came = (np.bincount(windows[free & (c == kind)], minlength=size)[:size] for kind in range(1, k))
        return np.stack([np.stack([own, could], 1) for own in came]) if k > 1 else np.zeros((0, size, 2))

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
    swing, lasting = episodes([one.begun(k) for one in beats])
    rows = [
        Rhythm(float(np.median(one.normal)), np.log(band_power(one.normal) + 1e-8), _logit(o), e, s, w, lasting).vector
        for one, o, e, s, w in zip(beats, often, early, spread, swing, strict=True)
    ]
    return np.array(rows)


def episodes(begun: list[np.ndarray]) -> tuple[np.ndarray, float]:
    """(recordings, k - 1) `swing` and the `lasting` of all, from what `Beats.begun` tells of each.

    By moments: how much more the numbers of windows differ than coins would make them, and how much of that two windows
    in a row share. What few beats tell is drawn towards what all do.
    """
    more, whole, shared, seen = (np.array(part) for part in zip(*(_excess(one) for one in begun), strict=True))
    share = float(np.clip(shared.sum() / max(more.sum(), 1e-9), 0, 1)) if more.sum() > 0 else 0.0
    x = 2 * WINDOW / LENGTHS
    left = x - 1 + np.exp(-x)
    at = int(np.argmin(np.abs((1 - np.exp(-x)) ** 2 / (2 * left) - share)))
    kept = 2 * left[at] / x[at] ** 2  # of the variance, in means over windows
    usual, own = (_swing(a, b, kept) for a, b in ((more.sum(0), whole.sum(0)), (more, whole)))
    return (seen * own + SEEN * usual) / (seen + SEEN), float(np.log(LENGTHS[at]))


def _excess(begun: np.ndarray) -> tuple[np.ndarray, ...]:
    """Of each kind what windows differ beyond coins, what that is a share of, what two in a row share, and beats."""
    came, could = begun[..., 0], begun[..., 1]
    usual = came.sum(1) / np.maximum(could.sum(1), 1)
    away = came - usual[:, None] * could
    chance = usual * (1 - usual) * could.sum(1)
    whole, shared = ((usual[:, None] * could) ** 2).sum(1), (away[:, 1:] * away[:, :-1]).sum(1)
    return (away**2).sum(1) - chance, whole, shared, came.sum(1)


def _swing(more: np.ndarray, whole: np.ndarray, kept: float) -> np.ndarray:
    square = np.clip(more / np.maximum(whole * kept, 1e-9), 0, MOST**2)
    made: np.ndarray = np.arctanh(np.sqrt(square))
    return made


def swing_at(kinds: int) -> np.ndarray:
    """(kinds - 1,) the places in a `vector` that say how much episodes differ."""
    return 1 + BANDS + (kinds - 1) * (CONTEXTS + 2 * JUMPS) + np.arange(kinds - 1)


def often_at(kinds: int) -> np.ndarray:
    """(kinds - 1, CONTEXTS) the places in a `vector` that say how often a kind comes."""
    return 1 + BANDS + np.arange((kinds - 1) * CONTEXTS).reshape(kinds - 1, CONTEXTS)


def _logit(share: np.ndarray) -> np.ndarray:
    return np.log(share / (1 - share))
