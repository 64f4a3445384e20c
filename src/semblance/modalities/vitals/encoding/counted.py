"""What is counted of stays under differential privacy, and what follows from noisy counts alone.

Of each patient one stay tells what is known of it, how long it is watched, how often each panel of channels is measured
and in which parts of the stay, and one value of each channel. A second look, by the scores that these counts make of
values, tells how values of a stay lie around their mean and change, how evenly panels follow in time, and whether stays
of each outcome lie above or below the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import logit, ndtr, ndtri

from semblance.core.schema import Schema
from semblance.core.shares import simplex
from semblance.learn.counts import Asked, cells_of, codes_of, each_alone, edges_of, normal_of, normal_of_one, shares
from semblance.modalities.vitals.data import Channel, Public, Stays
from semblance.modalities.vitals.encoding.facts import Fact
from semblance.modalities.vitals.encoding.marginals import Marginal
from semblance.privacy.noise import system

CELLS, WIDE = 32, 20.0
"""Cells of a channel's values; where the upper limit is so many times the lower one, they are even in the logarithm."""
LEVEL, SWAY = np.linspace(-6.0, 6.0, 41), np.linspace(np.log(0.02), np.log(2.0), 13)
"""Edges of cells: log odds of how often a panel is measured, log standard deviation of scores."""
EVEN, LENGTHS, BLOCKS = 8, 24, 8
"""Cells of how evenly a panel follows in time, and of how long a stay is, and the parts of a stay."""
FEWEST = 4
"""Values of a channel, or bins with a panel, from which a stay tells how they follow each other."""
ENDS = 1e-4
"""The share of values that lie beyond the outermost cells."""
SPREAD, APART = 0.3, 0.12
"""By how much a share is expected to differ from the usual one before anything is counted, and that of an outcome."""


@dataclass(frozen=True)
class Grid:
    """What can be counted of stays under declarations."""

    schema: Schema
    channels: tuple[Channel, ...]
    public: Public

    @property
    def several(self) -> tuple[int, ...]:
        """The channels that are measured with others."""
        return tuple(i for panel in self.public.panels for i in panel if len(panel) > 1)

    @cached_property
    def outcome(self) -> int | None:
        """The place of the outcome among the facts, where it is one of a few classes."""
        target = self.schema.where("target")
        if target is None or target.continuous:
            return None
        return [column.name for column in self.schema.learned].index(target.name)

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """The places of facts that are numbers."""
        return tuple(i for i, column in enumerate(self.schema.learned) if column.continuous)

    @property
    def lengths(self) -> int:
        """Cells of how long a stay is."""
        return min(self.public.bins, LENGTHS)

    @property
    def blocks(self) -> int:
        """Parts of a stay."""
        return min(self.public.bins, BLOCKS)

    @cached_property
    def panel(self) -> np.ndarray:
        """(c,) the panel of each channel."""
        made = np.zeros(len(self.channels), dtype=np.int64)
        for i, panel in enumerate(self.public.panels):
            made[list(panel)] = i
        return made

    @property
    def shapes(self) -> tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]:
        """The shapes of all counts of the first look: facts, lengths, how often panels are measured, whether one bin
        has them, their channels, and values; and of the second one: evenness, how values lie and change, and, where
        there is an outcome, how many of each lie below and above the middle of each channel and number."""
        g, c = len(self.public.panels), len(self.channels)
        first: list[tuple[int, ...]] = [(cells_of(column),) for column in self.schema.learned]
        first += [(self.lengths + 1,), *[(len(LEVEL),)] * g, *[(self.blocks + 1, 2)] * g]
        first += [*[(3,)] * len(self.several), *[(CELLS + 1,)] * c]
        second: list[tuple[int, ...]] = [*[(EVEN + 1,)] * g, *[(len(SWAY),)] * (2 * c)]
        if self.outcome is not None:
            second += [(first[self.outcome][0], 3)] * (c + len(self.numbers))
        return tuple(first), tuple(second)

    def edges(self, channel: int) -> np.ndarray:
        """(CELLS + 1,) where the cells of a channel's values begin and end."""
        low, high = self.public.limits[channel]
        return np.geomspace(low, high, CELLS + 1) if 0 < low * WIDE <= high else np.linspace(low, high, CELLS + 1)

    def bins_of(self, stays: Stays) -> np.ndarray:
        """(m,) the bin of each measurement."""
        return np.clip((stays.minute // self.public.step).astype(np.int64), 0, self.public.bins - 1)

    def there(self, stays: Stays) -> tuple[np.ndarray, np.ndarray]:
        """(n, bins, g) bool: the bins that have a panel, and (n,) the last bin that has any; -1 where none has."""
        bins = self.bins_of(stays)
        made = np.zeros((len(stays), self.public.bins, len(self.public.panels)), dtype=bool)
        made[stays.stay, bins, self.panel[stays.channel]] = True
        last = np.full(len(stays), -1, dtype=np.int64)
        np.maximum.at(last, stays.stay, bins)
        return made, last

    def of_stays(self, stays: Stays) -> Asked:
        """The first look: a row of each stay; which bin and which value tell is a matter of chance."""
        there, last = self.there(stays)
        n, g = len(stays), len(self.public.panels)
        facts = [codes_of(stays.frame[c.name], c) for c in self.schema.learned]
        length = np.where(last < 0, self.lengths, last * self.lengths // self.public.bins)
        seen = (system().random(n) * (last + 1)).astype(np.int64)
        part = np.where(last < 0, self.blocks, seen * self.blocks // self.public.bins)
        present = there[np.arange(n), seen]
        level = _cells(often(there, last, rng=system()), LEVEL)
        columns = [*facts, length, *level.T, *present.T, *self._members(stays).T]
        codes = np.column_stack([*columns, self._values(stays), part]).astype(np.int64)
        sizes = np.array([*[2 if len(shape) > 1 else shape[0] for shape in self.shapes[0]], self.blocks + 1])
        ahead, place = len(facts) + 1 + g, len(sizes) - 1
        subsets = tuple((place, j) if ahead <= j < ahead + g else (j,) for j in range(place))
        return Asked(codes, sizes, stays.subjects, subsets)

    def _members(self, stays: Stays) -> np.ndarray:
        """(n, several) whether one of the bins that have its panel has a channel; 2 where none has."""
        bins, several = self.bins_of(stays), list(self.several)
        own = np.zeros((len(stays), self.public.bins, len(self.channels)), dtype=bool)
        own[stays.stay, bins, stays.channel] = True
        panel = self.there(stays)[0][:, :, self.panel[several]]
        luck = np.where(panel, system().random(panel.shape), -1.0)
        one = luck.argmax(1)[:, None]
        made = np.take_along_axis(own[:, :, several], one, 1)[:, 0].astype(np.int64)
        return np.where(panel.any(1), made, 2)

    def _values(self, stays: Stays) -> np.ndarray:
        """(n, c) the cell of one value of each channel; CELLS where it has none."""
        made = np.full((len(stays), len(self.channels)), CELLS, dtype=np.int64)
        mixed = system().permutation(len(stays.value))
        for i in range(len(self.channels)):
            own = mixed[stays.channel[mixed] == i]
            edges = self.edges(i)
            cell = np.clip(np.searchsorted(edges, stays.value[own], side="right") - 1, 0, CELLS - 1)
            made[stays.stay[own], i] = cell
        return made

    def of_motion(self, stays: Stays, told: Counted) -> Asked:
        """The second look: a row of each stay, by the scores that the first one makes of its values."""
        there, last = self.there(stays)
        score, c = told.scores(stays), len(self.channels)
        columns = np.concatenate([_even(there, last), *_motion(stays, score, c)], axis=1)
        if self.outcome is None:
            return each_alone(columns, self.shapes[1], stays.subjects)
        column = self.schema.learned[self.outcome]
        key = stays.stay * c + stays.channel
        size = len(stays) * c
        count = np.bincount(key, minlength=size)
        mean = np.where(count > 0, np.bincount(key, score, minlength=size) / np.maximum(count, 1), np.nan)
        sides = np.column_stack([mean.reshape(len(stays), c), told.numbers(stays)])
        side = np.where(np.isnan(sides), 2, sides > 0).astype(np.int64)
        codes = np.column_stack([columns, side, codes_of(stays.frame[column.name], column)])
        sizes = np.array([shape[-1] for shape in self.shapes[1]] + [cells_of(column)])
        own, place = columns.shape[1], codes.shape[1] - 1
        subsets = tuple((j,) if j < own else (place, j) for j in range(place))
        return Asked(codes, sizes, stays.subjects, subsets)


def often(there: np.ndarray, last: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """(n, g) log odds of how often each panel is measured as long as a stay is watched; NaN where it never is. Where a
    number of bins lies between this one and the next is a matter of chance, so that few numbers are as good as many."""
    count, room = there.sum(1), (last + 1)[:, None]
    share = (count + np.clip(rng.random(count.shape), 0.01, 0.99)) / (room + 1)
    return np.where(count > 0, logit(share), np.nan)


def _cells(numbers: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The cells of numbers, the last one where there is none."""
    cell = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, len(edges) - 2)
    return np.where(np.isfinite(numbers), cell, len(edges) - 1)


def _even(there: np.ndarray, last: np.ndarray) -> np.ndarray:
    """(n, g) cells of how evenly panels follow: 0 as by chance, EVEN - 1 as by the clock, EVEN where too few do.

    It is how seldom two bins in a row have a panel, between what coins would give and what a clock would.
    """
    count, room = there.sum(1), (last + 1)[:, None]
    rate = count / np.maximum(room, 1)
    pairs = (there[:, 1:] & there[:, :-1]).sum(1)
    coins, clock = rate**2 * (room - 1), np.maximum(2 * rate - 1, 0) * (room - 1)
    told = (count >= FEWEST) & (coins - clock > 0.25)
    share = (coins - pairs) / np.where(told, coins - clock, 1)
    return np.where(told, np.clip(share * EVEN, 0, EVEN - 1).astype(np.int64), EVEN)


def _motion(stays: Stays, score: np.ndarray, c: int) -> tuple[np.ndarray, np.ndarray]:
    """Two times (n, c): cells of how scores of a stay's channel lie around their mean, and how they change."""
    n = len(stays)
    key = stays.stay * c + stays.channel
    order = np.argsort(key, kind="stable")
    key, score = key[order], score[order]
    count = np.bincount(key, minlength=n * c)
    mean = np.bincount(key, score, minlength=n * c) / np.maximum(count, 1)
    around = np.bincount(key, (score - mean[key]) ** 2, minlength=n * c) / np.maximum(count - 1, 1)
    same = key[1:] == key[:-1]
    change = np.bincount(key[1:][same], np.diff(score)[same] ** 2, minlength=n * c) / np.maximum(count - 1, 1) / 2
    told = [np.where(count >= FEWEST, np.log(np.sqrt(v) + 1e-9), np.nan) for v in (around, change)]
    one, other = (_cells(v, SWAY).reshape(n, c) for v in told)
    return one, other


@dataclass(frozen=True, eq=False)
class Counted:
    """Noisy counts as `Grid.shapes` has them, and the standard deviation of the noise of each look; without the second
    one, what follows from the first."""

    grid: Grid
    counts: tuple[np.ndarray, ...]
    sigmas: tuple[float, ...]

    @classmethod
    def nothing(cls, grid: Grid) -> Counted:
        """The counts of nobody."""
        return cls(grid, tuple(np.zeros(shape) for look in grid.shapes for shape in look), (1.0, 1.0))

    def _part(self, start: int, count: int) -> tuple[np.ndarray, ...]:
        return self.counts[start : start + count]

    @cached_property
    def _ends(self) -> np.ndarray:
        """Where the counts of facts, lengths, levels, parts, channels, values, evenness, sway and change end."""
        g, c = len(self.grid.public.panels), len(self.grid.channels)
        few = [] if self.grid.outcome is None else [c, len(self.grid.numbers)]
        return np.cumsum([len(self.grid.schema.learned), 1, g, g, len(self.grid.several), c, g, c, c, *few])

    def _of(self, place: int) -> tuple[np.ndarray, ...]:
        return self.counts[self._ends[place - 1] if place else 0 : self._ends[place]]

    @property
    def patients(self) -> float:
        """About how many there are."""
        whole = [part.sum() for part in self.counts[: self._ends[5]]]
        return max(float(np.mean(whole)), 1.0)

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """What is known of stays, in the order of the schema."""
        made = []
        for column, counts in zip(self.grid.schema.learned, self._of(0), strict=True):
            whole, none = shares(counts), np.empty(0)
            missing = float(whole[-1])
            if column.continuous:
                digits = 0 if column.kind == "integer" else column.decimals
                margin = margin_of(counts[:-1], edges_of(column), sigma=self.sigmas[0], decimals=digits)
                made.append(Fact(column.name, True, (), none, margin, missing))
            else:
                levels = tuple(map(str, column.categories or ()))
                made.append(Fact(column.name, False, levels, shares(counts[:-1]), Marginal.none(), missing))
        return tuple(made)

    @cached_property
    def last(self) -> Marginal:
        """The last bin of stays, as a number of bins."""
        edges = np.linspace(0, self.grid.public.bins, self.grid.lengths + 1)
        (counts,) = self._of(1)
        known = shares(counts[:-1])
        return Marginal(edges, _places(known), np.empty(0), 3)

    @cached_property
    def ever(self) -> np.ndarray:
        """(g,) the share of stays that have each panel at all."""
        return np.array([_drawn(part[:-1].sum(), part.sum(), 0.5, self.sigmas[0]) for part in self._of(2)])

    @cached_property
    def levels(self) -> tuple[Marginal, ...]:
        """How often each panel is measured in stays that have it, in log odds."""
        return tuple(margin_of(part[:-1], LEVEL, sigma=self.sigmas[0], decimals=6) for part in self._of(2))

    @cached_property
    def course(self) -> np.ndarray:
        """(g, blocks) log odds by which a panel is measured more or less often in a part of the stay."""
        made = []
        for part in self._of(3):
            known = part[:-1]
            usual = _drawn(known[:, 1].sum(), known.sum(), 0.5, self.sigmas[0])
            found = logit([_drawn(one[1], one.sum(), usual, self.sigmas[0]) for one in known])
            made.append(found - found.mean())
        return np.array(made).reshape(-1, self.grid.blocks)

    @cached_property
    def member(self) -> np.ndarray:
        """(c,) the share of a panel's moments that have each channel."""
        made = np.ones(len(self.grid.channels))
        for i, part in zip(self.grid.several, self._of(4), strict=True):
            made[i] = _drawn(part[1], part[:2].sum(), 1.0, self.sigmas[0])
        return made

    @cached_property
    def margins(self) -> tuple[Marginal, ...]:
        """The values of each channel."""
        told = zip(self._of(5), self.grid.channels, strict=True)
        return tuple(
            margin_of(part[:-1], self.grid.edges(i), sigma=self.sigmas[0], decimals=channel.decimals)
            for i, (part, channel) in enumerate(told)
        )

    def scores(self, stays: Stays) -> np.ndarray:
        """(m,) the normal scores of values, each by its channel's margin."""
        made = np.zeros(len(stays.value))
        for i, margin in enumerate(self.margins):
            own = stays.channel == i
            made[own] = margin.scores(stays.value[own])
        return made

    def numbers(self, stays: Stays) -> np.ndarray:
        """(n, numbers) the normal scores of facts that are numbers; NaN where they are missing."""
        made = np.full((len(stays), len(self.grid.numbers)), np.nan)
        for j, i in enumerate(self.grid.numbers):
            values = stays.frame[self.facts[i].name].to_numpy(dtype=float)
            known = np.isfinite(values)
            made[known, j] = self.facts[i].marginal.scores(values[known])
        return made

    @cached_property
    def apart(self) -> tuple[np.ndarray, np.ndarray]:
        """By how much stays of each outcome lie above the others: (kinds, c) scores of channels, and (kinds, numbers)
        of facts; a row of none where there is no outcome."""
        if self.grid.outcome is None:
            return np.zeros((1, len(self.grid.channels))), np.zeros((1, len(self.grid.numbers)))
        share = shares(self.counts[self.grid.outcome][:-1])
        level = np.sqrt(1 - self.within[0])
        channels, facts = (np.array([self._apart(part, share) for part in self._of(place)]) for place in (9, 10))
        return (channels * level[:, None]).T, facts.reshape(-1, len(share)).T

    def _apart(self, part: np.ndarray, share: np.ndarray) -> np.ndarray:
        below, above = part[:-1, 0], part[:-1, 1]
        whole, sigma = below + above, self.sigmas[1]
        usual = _drawn(above.sum(), whole.sum(), 0.5, sigma * np.sqrt(len(share)))
        found = ndtri([_drawn(some, of, usual, sigma, spread=APART) for some, of in zip(above, whole, strict=True)])
        moved: np.ndarray = found - share @ found
        return moved

    @cached_property
    def even(self) -> np.ndarray:
        """(g,) the share of stays in which a panel follows by the clock; in the others by chance."""
        middle = (np.arange(EVEN) + 0.5) / EVEN
        return np.array(
            [_drawn(float(part[:-1] @ middle), part[:-1].sum(), 0.5, self.sigmas[1]) for part in self._of(6)]
        )

    @cached_property
    def within(self) -> tuple[np.ndarray, np.ndarray]:
        """Two times (c,): the variance of scores within a stay, and the part of it that does not last."""
        around, change = (
            np.array([_variance(part, self.sigmas[1], usual) for part in self._of(place)])
            for place, usual in ((7, 0.6), (8, 0.4))
        )
        around = np.clip(around, 0.05, 0.9)
        return around, np.clip(change, 0.02, 0.95 * around)


def _variance(counts: np.ndarray, sigma: float, usual: float) -> float:
    mean, _ = normal_of_one(counts, SWAY, sigma, mean=float(np.log(usual)), around=0.5, spread=0.4)
    return float(np.exp(2 * mean))


def _drawn(some: float, whole: float, usual: float, sigma: float, *, spread: float = SPREAD) -> float:
    """The share of noisy numbers, drawn towards the usual one as far as noise asks; never all or none."""
    whole = max(float(whole), 0.0)
    told = (whole * spread) ** 2
    share = usual + (float(some) - whole * usual) * whole * spread**2 / (told + sigma**2)
    return float(np.clip(share, 1e-3, 1 - 1e-3))


def _places(known: np.ndarray) -> np.ndarray:
    """(k + 1,) the shares below the edges of cells."""
    made: np.ndarray = np.clip(np.concatenate([[0.0], np.cumsum(known)]), ENDS, 1 - ENDS)
    return made


def margin_of(counts: np.ndarray, edges: np.ndarray, *, sigma: float, decimals: int) -> Marginal:
    """The margin of a number of which so many (cells,) were counted with noise.

    Counts are drawn towards those of a normal distribution over the cells, the further the less they differ from it
    beyond the noise (James & Stein 1961), and tails in which noise alone may stand are cut.
    """
    smooth = smoothed(counts, sigma=sigma)
    low, high = _support(counts, sigma)
    known = simplex(smooth[low:high] / max(smooth[low:high].sum(), 1.0))
    return Marginal(edges[low : high + 1], _places(known), np.empty(0), decimals)


def smoothed(counts: np.ndarray, *, sigma: float) -> np.ndarray:
    """(cells,) noisy counts, drawn towards those of the normal distribution that fits them."""
    cells, total = len(counts), np.array([max(float(counts.sum()), 1.0)])
    even = np.linspace(0, 1, cells + 1)
    mean, spread = normal_of(counts[None], even, total, sigma=sigma, mean=0.5, around=0.3, spread=0.15)
    below = ndtr((even[1:-1] - mean) / spread)
    fit = total * np.diff(below, prepend=0.0, append=1.0)
    differ = max(float(np.mean((counts - fit) ** 2)) - sigma**2, 0.0)
    made: np.ndarray = fit + differ / (differ + sigma**2) * (counts - fit)
    return made


def _support(counts: np.ndarray, sigma: float) -> tuple[int, int]:
    """The cells but for the longest tails on either side whose sum noise alone explains."""
    noise = sigma * np.sqrt(np.arange(1, len(counts) + 1))
    below, above = (np.flatnonzero(np.cumsum(side) <= noise) for side in (counts, counts[::-1]))
    low, high = (int(own[-1]) + 1 if len(own) else 0 for own in (below, above))
    return (low, len(counts) - high) if low + high < len(counts) else (0, len(counts))
