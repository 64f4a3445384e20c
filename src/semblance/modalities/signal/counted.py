"""What is counted of recordings under differential privacy, and the habits that follow from noisy counts alone.

Of each patient one recording tells what is known of it, its usual rate, how that sways and how often each ectopic kind
comes; some beats tell which kind follows which, and how early; and one beat tells how large each of its cosines is.
A normal distribution is fitted to the counts of each number under the noise that they have, beside what hearts do in
general. What is not counted (which facts go with which rhythm, the wander of baselines) is not in the habits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.fft import dct

from semblance.core.schema import Schema
from semblance.learn.counts import Asked, cells_of, codes_of, each_alone, edges_of, normal_of, normal_of_one, shares
from semblance.learn.person import Person, Scale
from semblance.modalities.signal.cosines import Cosines
from semblance.modalities.signal.data import Pieces, Public, Recordings
from semblance.modalities.signal.habits import FAINT, Habits, as_often, beats
from semblance.modalities.signal.rhythm import CONTEXTS, JUMPS, Beats, hits_of, jump, sound
from semblance.modalities.signal.spectrum import BANDS
from semblance.modalities.signal.style import SHOWN, Fashion

LEVEL, SWAY = np.linspace(np.log(0.3), np.log(2.0), 25), np.linspace(np.log(0.003), np.log(0.5), 17)
BURDEN, RATIO = np.linspace(-6.0, 3.0, 19), np.linspace(-1.0, 1.0, 41)
NUMBER = np.linspace(-4.0, 4.0, 17)
"""Edges of cells: log seconds, log standard deviation, logit of a share, log ratio of intervals, units of cosines."""
KNOTS = 50
"""Quantiles by which a number that is known of a recording is drawn."""
EARLY = 0.25
"""How early and how late hearts are expected to beat around an ectopic beat (log ratio)."""


@dataclass(frozen=True)
class Grid:
    """What can be counted of recordings of a schema: of `kinds` of beats told by so many `numbers`."""

    schema: Schema
    kinds: tuple[str, ...]
    numbers: int

    @property
    def facts(self) -> list[int]:
        """How many cells each column has; the last of them is for what is missing."""
        return [cells_of(c) for c in self.schema.learned]

    @property
    def shapes(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """The shapes of all counts: of recordings, of beats, of pieces."""
        k = len(self.kinds)
        of_recordings = [*self.facts, len(LEVEL), len(SWAY), *[len(BURDEN)] * (k - 1)]
        of_beats = [k**3 + 1, (k - 1) * JUMPS * (len(RATIO) - 1) + 1]
        pairs = tuple((k, len(NUMBER) - 1) for _ in range(self.numbers))
        return tuple((size,) for size in of_recordings), tuple((size,) for size in of_beats), pairs

    def of_recordings(self, data: Recordings) -> Asked:
        """One row of each recording."""
        series = [beats(one, self.kinds) for one in data.recordings]
        facts = [codes_of(data.frame[c.name], c) for c in self.schema.learned]
        own = [self._of_rhythm(one) for one in series]
        numbers = np.array(own, dtype=np.int64).reshape(len(data), 1 + len(self.kinds))
        codes = np.column_stack([*facts, numbers]).astype(np.int64)
        return each_alone(codes, self.shapes[0], data.subjects)

    def _of_rhythm(self, one: Beats) -> list[int]:
        ok = sound(one.intervals) & (one.kinds == 0) & (np.roll(one.kinds, 1) == 0)
        ok[:1] = False
        steps = np.log(one.intervals[ok])
        known = len(steps) > 2
        level = _cell(np.median(steps), LEVEL) if known else len(LEVEL) - 1
        sway = _cell(np.log(steps.std() + 1e-9), SWAY) if known else len(SWAY) - 1
        n = len(one.kinds)
        share = [(np.sum(one.kinds == kind) + 0.1) / (n + 0.2) for kind in range(1, len(self.kinds))]
        return [level, sway, *(_cell(np.log(s / (1 - s)), BURDEN) if n else len(BURDEN) - 1 for s in share)]

    def of_beats(self, data: Recordings) -> Asked:
        """A row of each beat with two before it."""
        rows, whose = [np.empty((0, 2), dtype=np.int64)], [data.subjects[:0]]
        for one, patient in zip(data.recordings, data.subjects, strict=True):
            told = beats(one, self.kinds)
            if len(told.kinds) > 2:
                rows.append(self._of_beats(told)[2:])
                whose.append(np.full(len(told.kinds) - 2, patient))
        return each_alone(np.concatenate(rows), self.shapes[1], np.concatenate(whose))

    def _of_beats(self, one: Beats) -> np.ndarray:
        k, width = len(self.kinds), len(RATIO) - 1
        row, column = jump(one.kinds)
        fine = (row >= 0) & sound(one.intervals)
        ratio = np.log(np.where(fine, one.intervals, 1.0)) - one.normal
        cell = np.clip(np.searchsorted(RATIO, ratio, side="right") - 1, 0, width - 1)
        early = np.where(fine, (row * JUMPS + column) * width + cell, (k - 1) * JUMPS * width)
        triple = np.roll(one.kinds, 2) * k * k + np.roll(one.kinds, 1) * k + one.kinds
        return np.column_stack([triple, early])

    def of_pieces(self, pieces: Pieces, code: Cosines) -> Asked:
        """A row of one piece of each kind that a patient has, chosen by chance: so rare kinds are counted as well."""
        from semblance.privacy.noise import chosen

        labels = pd.Index(self.kinds).get_indexer(pieces.labels)
        few = chosen(pieces.subjects * len(self.kinds) + labels, most=1)
        some = pieces.take(few)
        cells = np.clip(np.searchsorted(NUMBER, code.encode(some), side="right") - 1, 0, len(NUMBER) - 2)
        sizes = np.array([len(self.kinds), *[len(NUMBER) - 1] * self.numbers])
        subsets = tuple((0, j + 1) for j in range(self.numbers))
        return Asked(np.column_stack([labels[few], cells]).astype(np.int64), sizes, some.subjects, subsets)

    @property
    def nothing(self) -> tuple[np.ndarray, ...]:
        """The counts of nobody."""
        return tuple(np.zeros(shape) for part in self.shapes for shape in part)


def _cell(value: float, edges: np.ndarray) -> int:
    return int(np.clip(np.searchsorted(edges, value, side="right") - 1, 0, len(edges) - 2))


@dataclass(frozen=True, eq=False)
class Counted:
    """Noisy counts as `Grid.shapes` has them, and the standard deviation of the noise of each of the three parts."""

    grid: Grid
    counts: tuple[np.ndarray, ...]
    sigmas: tuple[float, float, float]

    @property
    def patients(self) -> float:
        """About how many there are."""
        return max(float(np.mean([part.sum() for part in self._part(0)])), 1.0)

    def _part(self, i: int) -> tuple[np.ndarray, ...]:
        sizes = [len(part) for part in self.grid.shapes]
        return self.counts[sum(sizes[:i]) : sum(sizes[: i + 1])]

    def habits(self, public: Public) -> Habits:
        """Of recordings that nobody looked at any more."""
        kinds, scales = public.kinds, self._scales()
        mean, root = self._rhythm()
        rest = np.zeros(len(public.leads) * (BANDS + 1) + SHOWN + 1)
        rest[: len(public.leads) * (BANDS + 1)].reshape(len(public.leads), -1)[:, 1:] = 2 * np.log(FAINT)
        n, d = len(scales), len(scales) + len(mean) + len(rest)
        whole = np.zeros((d, d))
        whole[:n, :n], whole[n : n + len(mean), n : n + root.shape[1]] = np.eye(n), root
        person = Person(scales, np.concatenate([np.zeros(n), mean, rest]), whole)
        if len(kinds) > 1:  # as often as they were counted, in the contexts that the usual rhythm has them in
            hit, share = hits_of(self._often()), shares(self._triples().sum((0, 1)))[1:]
            person = as_often(person, hit * (share / hit.sum(1))[:, None], len(kinds))
        return Habits(kinds, person, self._fashion()[0], len(public.leads), public.seconds)

    def scaled(self, code: Cosines) -> Cosines:
        """The code in units of how pieces of the usual kind stray from their mean."""
        spread = self._fashion()[1].reshape(code.scale.shape)
        return replace(code, scale=code.scale * spread)

    def _scales(self) -> tuple[Scale, ...]:
        made = []
        for column, counts in zip(self.grid.schema.learned, self._part(0), strict=False):
            whole = shares(counts)
            known = shares(counts[:-1])
            if column.continuous:
                places = np.concatenate([[0.0], known.cumsum()])
                knots = np.interp((np.arange(KNOTS) + 0.5) / KNOTS, places, edges_of(column))
                told = tuple(map(float, knots))
                made.append(Scale(column.name, knots=told, missing=round(float(whole[-1]), 3), number=True))
            else:
                levels = [level for level, share in zip(column.categories or (), known, strict=True) if share > 0]
                ends = tuple(map(float, known[known > 0].cumsum()))
                made.append(Scale(column.name, tuple(levels), ends, missing=round(float(whole[-1]), 3)))
        return tuple(made)

    def _triples(self) -> np.ndarray:
        k = len(self.grid.kinds)
        return np.maximum(self._part(1)[0][:-1], 0.0).reshape(k, k, k)

    def _rhythm(self) -> tuple[np.ndarray, np.ndarray]:
        """The mean of the numbers of a rhythm, and what each of some independent numbers moves."""
        k, sigma = len(self.grid.kinds), self.sigmas[0]
        level, sway, *burden = self._part(0)[len(self.grid.facts) :]
        usual, differs = normal_of_one(level, LEVEL, sigma, mean=np.log(0.8), around=0.3, spread=0.15)
        swing, swings = normal_of_one(sway, SWAY, sigma, mean=np.log(0.04), around=0.7, spread=0.5)
        odds = [normal_of_one(counts, BURDEN, sigma, mean=-4.0, around=1.5, spread=1.0)[1] for counts in burden]
        same = dct(np.ones(BANDS), norm="ortho")  # of all bands
        bands = (2 * swing - np.log(BANDS)) * same
        early = (part.ravel() for part in self._early())
        none = np.append(np.zeros(k - 1), 0.0)  # episodes are not counted, and so not made
        mean = np.concatenate([[usual], bands, self._often().ravel(), *early, none])
        root = np.zeros((len(mean), 1 + k + 1))
        root[0, 0], root[1 : 1 + BANDS, 1] = differs, 2 * swings * same
        for i, spread in enumerate(odds):
            at = 1 + BANDS + i * CONTEXTS
            root[at : at + CONTEXTS, 2 + i] = spread
        return mean, root

    def _often(self) -> np.ndarray:
        """(k - 1, CONTEXTS) logits of kinds in their contexts."""
        table, k, calm = self._triples(), len(self.grid.kinds), 2 * self.sigmas[1]
        usual = shares(table.sum((0, 1)))
        made = np.zeros((k - 1, CONTEXTS))
        for kind in range(1, k):
            runs = table[kind, kind]  # how long they are is not counted
            told = (table[0, 0], table[kind, 0], table[:, kind].sum(0) - runs, runs, runs)
            for j, after in enumerate(told):
                share = (after[kind] + calm * usual[kind]) / (after.sum() + calm)
                share = np.clip(share, 1e-3, 0.95)
                made[kind - 1, j] = np.log(share / (1 - share))
        return made

    def _early(self) -> tuple[np.ndarray, np.ndarray]:
        """(k - 1, JUMPS) means of log ratios of intervals, and their log standard deviations."""
        k = len(self.grid.kinds)
        counts = self._part(1)[1][:-1].reshape((k - 1) * JUMPS, -1)
        before = np.tile([-EARLY, -EARLY, EARLY / 2], k - 1)
        if k == 1:
            return np.zeros((0, JUMPS)), np.zeros((0, JUMPS))
        mean, spread = normal_of(
            counts, RATIO, counts.sum(1), sigma=self.sigmas[1], mean=before, around=EARLY, spread=0.08
        )
        return mean.reshape(k - 1, JUMPS), np.log(spread).reshape(k - 1, JUMPS)

    def _fashion(self) -> tuple[Fashion, np.ndarray]:
        """The mean beats of all kinds, in units of how the usual kind strays, and these units."""
        counts, d = np.stack(self._part(2), 1), self.grid.numbers  # kinds, numbers, cells
        totals, sigma = counts.sum(2).mean(1), self.sigmas[2]
        every = np.full(d, totals.sum())
        mean, spread = normal_of(counts.sum(0), NUMBER, every, sigma=sigma, mean=0.0, around=1.5, spread=0.7)
        own = [
            normal_of(c, NUMBER, np.full(d, n), sigma=sigma, mean=mean, around=1.0, spread=spread)
            for c, n in zip(counts, totals, strict=True)
        ]
        unit = own[0][1]
        centre = np.stack([mean / unit for mean, _ in own])
        loose = np.array([np.log(np.sqrt(np.mean(np.square(spread / unit)))) for _, spread in own])
        k, none = len(own), np.zeros((SHOWN, d))
        stray = np.stack([loose, np.zeros(k)], 1)
        apart = centre - centre[:1]
        return Fashion(centre[0], none, np.zeros(d), apart, np.zeros((k, SHOWN, d)), stray), unit
