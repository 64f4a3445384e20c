"""A stay as a vector under declarations and noisy counts alone, and back.

How often each panel of channels is measured, and how each channel's scores lie, is some cosines of time: what little a
stay shows of them is drawn from what its measurements leave open under normal distributions that counts tell (Bishop,
Pattern Recognition and Machine Learning, 2006, eq. 3.49). So all numbers are about normal, also those of a stay that
never has a channel, and no stay's vector depends on another's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from semblance.core.arrays import under, within
from semblance.core.classes import Classes
from semblance.core.rng import root_of, stream
from semblance.core.schema import Schema
from semblance.learn.drawn import Learned, Sizes
from semblance.modalities.vitals.data import Channel, Layout, Public, Stays
from semblance.modalities.vitals.encoding import order
from semblance.modalities.vitals.encoding.counted import Counted, Grid, often
from semblance.modalities.vitals.encoding.cuts import hidden, seen
from semblance.modalities.vitals.encoding.encoding import completed, known_of, labels_of
from semblance.modalities.vitals.encoding.facts import Fact
from semblance.modalities.vitals.encoding.fill import ordered
from semblance.modalities.vitals.encoding.when import between

WAVES = 2
"""Cosines of time beside the level, of rates and of scores."""
SWAY = 0.7
"""Standard deviation of each cosine of a panel's log odds, around those of all stays."""
FARTHEST, HALVINGS = 12.0, 16
"""By how much a course may move the level of log odds, and halvings in which that is found."""
FAR = 4.0
"""Numbers of a vector are at most so far from zero."""


@dataclass(frozen=True, eq=False)
class PublicEncoding:
    """What is declared of stays, the `chains` of channels that keep an order, and what was counted, with noise."""

    counted: Counted
    layout: Layout
    chains: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, stays: Stays, counted: Counted) -> PublicEncoding:
        """Of what stays were read under."""
        chains = order.named(stays.said.order, stays) if stays.said.order else ()
        return cls(counted, stays.layout, chains)

    @property
    def grid(self) -> Grid:
        """What was counted."""
        return self.counted.grid

    @cached_property
    def outcome(self) -> Fact | None:
        """The outcome, where it is one of a few classes."""
        target = self.grid.schema.where("target")
        if target is None or target.continuous:
            return None
        return next(fact for fact in self.counted.facts if fact.name == target.name)

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """What is known of a stay, but for such an outcome."""
        return tuple(fact for fact in self.counted.facts if fact is not self.outcome)

    @property
    def _parts(self) -> np.ndarray:
        """How many numbers there are of: whether panels are measured, how often, how that changes; scores; the length;
        and each fact."""
        g, c = len(self.grid.public.panels), len(self.grid.channels)
        return np.array([g, g, WAVES * g, (1 + WAVES) * c, 1, *(1 + (fact.missing > 0) for fact in self.facts)])

    @property
    def sizes(self) -> Sizes:
        """How many numbers a vector has, and of how many classes it may be."""
        return Sizes(int(self._parts.sum()), 0, len(self.outcome.levels) if self.outcome is not None else 1)

    @property
    def known(self) -> Classes:
        """What can be asked for."""
        return known_of(self.outcome)

    def vectors(self, stays: Stays, *, rng: np.random.Generator) -> Learned:
        """The vectors of stays whose outcome is one of the classes (of all, where there is none). What a stay leaves
        open is drawn: under differential privacy `rng` must be one that nobody can repeat."""
        there, last = self.grid.there(stays)
        ever = np.asarray(there.any(1))
        level = often(there, last, rng=rng)
        shares = np.column_stack([1 - self.counted.ever, self.counted.ever])
        flags = [hidden(own, share, rng=rng) for own, share in zip(ever.T.astype(np.int64), shares, strict=True)]
        rates = [m.scores(np.nan_to_num(own)) for m, own in zip(self.counted.levels, level.T, strict=True)]
        rate = np.where(ever, np.stack(rates, 1), rng.standard_normal(ever.shape))
        length = self.counted.last.scores(last + rng.random(len(last)))
        labels = labels_of(stays, self.outcome)
        told = [_told(fact, stays.frame[fact.name], rng=rng) for fact in self.facts]
        facts = [part - self._moved(fact, part, labels) for fact, part in zip(self.facts, told, strict=True)]
        numbers = np.concatenate(
            [
                np.stack(flags, 1),
                rate,
                self._courses(there, last, level, rng=rng),
                self._scores(stays, labels, rng=rng),
                length[:, None],
                *facts,
            ],
            axis=1,
        )
        kept = labels >= 0
        rows = numbers[kept].clip(-FAR, FAR).astype(np.float32)
        none = np.zeros((len(rows), 0), np.float32)
        return Learned(rows, labels[kept], none, stays.subjects[kept], self.sizes.kinds)

    def _courses(
        self, there: np.ndarray, last: np.ndarray, level: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """(n, WAVES g) how much more or less often than usual a stay has a panel in its parts."""
        n, bins, g = there.shape
        inside = (np.arange(bins) <= last[:, None])[:, :, None]
        odds = np.clip(self._odds(np.nan_to_num(level), 0.0, inside), 0.01, 0.99)
        weight = np.where(inside & ~np.isnan(level)[:, None], odds * (1 - odds), 0.0)
        away = np.where(inside, there - odds, 0.0) / np.maximum(odds * (1 - odds), 1e-9)
        waves = cosines((np.arange(bins) + 0.5) / bins)[:, 1:]
        left = np.einsum("nbg,bj,bk->ngjk", weight, waves, waves)
        right = np.einsum("nbg,nbg,bj->ngj", weight, away, waves)
        return posterior(left, right, np.full((g, WAVES), SWAY**2), rng=rng).reshape(n, g * WAVES)

    def _moved(self, fact: Fact, part: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """(n, 1 or 2) by how much a number lies above others, by the outcome."""
        made = np.zeros_like(part)
        if fact.number:
            names = [self.grid.schema.learned[i].name for i in self.grid.numbers]
            made[:, 0] = self.counted.apart[1][np.maximum(labels, 0), names.index(fact.name)]
        return made

    def _scores(self, stays: Stays, labels: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, (1 + WAVES) c) level and cosines of the scores of each channel, around those of the outcome."""
        usual = self.counted.apart[0][np.maximum(labels, 0)[stays.stay], stays.channel]
        return self._fitted(stays, self.counted.scores(stays) - usual, rng=rng).reshape(len(stays), self._parts[3])

    def _fitted(self, stays: Stays, score: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, c, 1 + WAVES) units of what moves scores (m,), drawn from what these leave open; NaN is no score."""
        n, c, k = len(stays), len(self.grid.channels), 1 + WAVES
        some = np.isfinite(score)
        key = (stays.stay * c + stays.channel)[some]
        waves = cosines(stays.minute[some] / self.grid.public.horizon)
        noise = self._noise[stays.channel[some]]
        left, right = np.zeros((n * c, k, k)), np.zeros((n * c, k))
        for i in range(k):
            right[:, i] = np.bincount(key, waves[:, i] * score[some] / noise, minlength=n * c)
            for j in range(k):
                left[:, i, j] = np.bincount(key, waves[:, i] * waves[:, j] / noise, minlength=n * c)
        return posterior(left.reshape(n, c, k, k), right.reshape(n, c, k), self._spread, rng=rng)

    @property
    def _noise(self) -> np.ndarray:
        """(c,) the variance of scores that does not last."""
        return self.counted.within[1]

    @cached_property
    def _spread(self) -> np.ndarray:
        """(c, 1 + WAVES) variances of the level and of each cosine of scores, which with the noise make 1."""
        around, noise = self.counted.within
        slow = (around - noise) / WAVES
        return np.column_stack([1 - around, *[slow] * WAVES])

    @cached_property
    def _course(self) -> np.ndarray:
        """(bins, g) log odds by which panels are measured more or less often in the course of a stay."""
        made: np.ndarray = between(self.counted.course.T[None], self.grid.public.bins)[0]
        return made

    def _odds(self, level: np.ndarray, own: np.ndarray | float, inside: np.ndarray) -> np.ndarray:
        """(n, bins, g) odds of panels that come as often as their (n, g) `level` says, in the usual course and, beside
        it, their `own`: moved, so that neither makes them more or fewer in the bins that are `inside`."""
        wanted, course = expit(level), self._course[None] + own
        room = np.maximum(inside.sum(1), 1)
        low, high = level - FARTHEST, level + FARTHEST
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            more = (expit(middle[:, None] + course) * inside).sum(1) / room > wanted
            low, high = np.where(more, low, middle), np.where(more, middle, high)
        made: np.ndarray = expit(low[:, None] + course)
        return made

    def stays(
        self, numbers: np.ndarray, labels: np.ndarray, *, first: int, rng: np.random.Generator, sure: bool = False
    ) -> Stays:
        """Stays of (n, width) vectors of classes (n,); the first one is of patient number `first`. Where it is `sure`,
        no outcome is missing."""
        seed, ends = root_of(rng), np.cumsum(self._parts)[:-1]
        ever, rate, course, scores, length, *told = np.split(numbers.astype(float), ends, axis=1)
        there = self._there(ever, rate, course, length[:, 0], rng=stream(seed, "when"))
        stay, bins, channel = self._measured(there, rng=stream(seed, "channels"))
        minute = bins * self.grid.public.step
        value = self._values(scores, labels, stay, channel, minute, rng=stream(seed, "what"))
        both = zip(self.facts, told, strict=True)
        frame: dict[str, Any] = {f.name: _fact(f, part + self._moved(f, part, labels)) for f, part in both}
        if self.outcome is not None:
            frame[self.outcome.name] = self.outcome.outcomes(labels, sure=sure, rng=stream(seed, "outcome"))
        names = [column.name for column in self.grid.schema.learned]
        starts = np.concatenate([[0], np.cumsum(np.bincount(stay, minlength=len(numbers)))]).astype(np.int64)
        return Stays(
            self.grid.schema,
            pd.DataFrame(frame, index=pd.RangeIndex(len(numbers)), columns=names),
            self.grid.channels,
            starts,
            minute,
            channel,
            value,
            np.arange(first, first + len(numbers)),
            self.layout,
        )

    def _there(
        self, ever: np.ndarray, rate: np.ndarray, course: np.ndarray, length: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """(n, bins, g) bool: the bins that have a panel. In stays that keep to the clock a panel comes whenever the sum
        of its odds passes a whole number, in others by chance; both as often."""
        n, bins, g = len(ever), self.grid.public.bins, len(self.grid.public.panels)
        level = np.stack([margin.values(own) for margin, own in zip(self.counted.levels, rate.T, strict=True)], 1)
        waves = cosines((np.arange(bins) + 0.5) / bins)[:, 1:]
        own = np.einsum("ngj,bj->nbg", SWAY * course.reshape(n, g, WAVES), waves)
        last = np.clip(np.floor(self.counted.last.values(length)), 0, bins - 1)
        inside = (np.arange(bins) <= last[:, None])[:, :, None]
        shares = np.column_stack([1 - self.counted.ever, self.counted.ever])
        some = np.stack([seen(part, share) for part, share in zip(ever.T, shares, strict=True)], 1) > 0
        odds = np.where(inside & some[:, None], self._odds(level, own, inside), 0.0)
        passed = np.floor(np.cumsum(odds, axis=1) + rng.random((n, 1, g)))
        clock = np.diff(passed, axis=1, prepend=np.zeros((n, 1, g))) > 0
        made = np.where(rng.random((n, 1, g)) < self.counted.even, clock, rng.random((n, bins, g)) < odds)
        # A panel that there is comes at least once.
        stay, panel = np.nonzero((odds.max(1) > 0) & ~made.any(1))
        likely = np.log(np.maximum(odds[stay, :, panel], 1e-12)) + rng.gumbel(size=(len(stay), bins))
        made[stay, np.where(inside[stay, :, 0], likely, -np.inf).argmax(1), panel] = True
        return made

    def _measured(self, there: np.ndarray, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The stay, the bin and the channel of all measurements, in order; a panel has one channel at least."""
        n, bins, _ = there.shape
        luck = rng.random((n, bins, len(self.grid.channels)))
        panel = self.grid.panel
        most = np.array([self.counted.member[panel == p].max() for p in range(len(self.grid.public.panels))])
        chosen = luck < self.counted.member / most[panel]
        stay, at, channel = np.nonzero(there[:, :, panel] & chosen)
        return stay, at, channel

    def _values(
        self,
        scores: np.ndarray,
        labels: np.ndarray,
        stay: np.ndarray,
        channel: np.ndarray,
        minute: np.ndarray,
        *,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """(m,) values of measurements, pressures in their order."""
        units = scores.reshape(len(scores), len(self.grid.channels), 1 + WAVES)
        usual = self.counted.apart[0][labels[stay], channel]
        value = self._written(units, usual, stay, channel, minute, rng=rng)
        moment = np.cumsum((np.diff(stay, prepend=-1) != 0) | (np.diff(minute, prepend=-1.0) != 0))
        decimals = np.array([one.decimals for one in self.grid.channels], dtype=np.int64)
        return order.kept(moment, channel, value, self.chains, decimals)

    def _written(
        self,
        units: np.ndarray,
        usual: np.ndarray | float,
        stay: np.ndarray,
        channel: np.ndarray,
        minute: np.ndarray,
        *,
        rng: np.random.Generator,
    ) -> np.ndarray:
        waves = cosines(minute / self.grid.public.horizon)
        means = (units[stay, channel] * np.sqrt(self._spread)[channel] * waves).sum(1)
        score = usual + means + np.sqrt(self._noise)[channel] * rng.standard_normal(len(stay))
        value = np.zeros(len(stay))
        for i, margin in enumerate(self.counted.margins):
            own = channel == i
            value[own] = np.clip(margin.values(score[own]), *self.grid.public.limits[i])
        return value

    def completed(self, stays: Stays, *, seed: int) -> Stays:
        """Stays whose missing values are drawn given those of the same channel that were measured. Raises UsageError
        where one that is missing is of no known channel."""
        return completed(stays, self.grid.channels, lambda known: self._filled(known, stream(seed, "cells")))

    def _filled(self, stays: Stays, rng: np.random.Generator) -> np.ndarray:
        gap = np.isnan(stays.value)
        score = np.where(gap, np.nan, self.counted.scores(stays))
        units = self._fitted(stays, score, rng=rng)
        drawn = self._written(units, 0.0, stays.stay, stays.channel, stays.minute, rng=rng)
        return ordered(self.chains, stays, np.where(gap, drawn, stays.value), gap)

    def arrays(self) -> dict[str, np.ndarray]:
        """What is saved as tensors."""
        return within("counts", {str(i): np.asarray(part) for i, part in enumerate(self.counted.counts)})

    def to_json(self) -> dict[str, Any]:
        """All else as plain JSON."""
        return {
            "schema": self.grid.schema.to_json(),
            "channels": [asdict(channel) for channel in self.grid.channels],
            "layout": self.layout.to_json(),
            "public": self.grid.public.to_json(),
            "chains": [list(map(int, chain)) for chain in self.chains],
            "sigmas": list(self.counted.sigmas),
        }

    @classmethod
    def restored(cls, told: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> PublicEncoding:
        """The inverse of `to_json` and `arrays`."""
        channels = tuple(Channel(**channel) for channel in told["channels"])
        grid = Grid(Schema.from_json(told["schema"]), channels, Public.from_json(told["public"]))
        held = under(arrays, "counts")
        counted = Counted(grid, tuple(held[str(i)] for i in range(len(held))), tuple(told["sigmas"]))
        return cls(counted, Layout.from_json(told["layout"]), tuple(map(tuple, told["chains"])))


def _told(fact: Fact, values: pd.Series, *, rng: np.random.Generator) -> np.ndarray:
    """(n, 1 or 2) normal numbers of a fact, and whether it is missing, where it ever is."""
    known = values.notna().to_numpy()
    free = rng.standard_normal(len(values))
    if fact.levels:
        codes = pd.Index(fact.levels).get_indexer(pd.Index(values.astype(object)))
        numbers = hidden(codes, fact.shares, rng=rng)
    else:
        numbers = np.where(known, fact.marginal.scores(np.nan_to_num(values.to_numpy(dtype=float))), free)
    gone = [hidden((~known).astype(np.int64), _missing(fact), rng=rng)] if fact.missing > 0 else []
    return np.column_stack([numbers, *gone])


def _fact(fact: Fact, numbers: np.ndarray) -> Any:
    """(n,) the column as a frame holds it: the way back."""
    gone = seen(numbers[:, 1], _missing(fact)) > 0 if fact.missing > 0 else np.zeros(len(numbers), dtype=bool)
    if fact.levels:
        return fact.chosen(np.where(gone, -1, seen(numbers[:, 0], fact.shares)))
    return np.where(gone, np.nan, fact.marginal.values(numbers[:, 0]))


def _missing(fact: Fact) -> np.ndarray:
    return np.array([1 - fact.missing, fact.missing])


def cosines(at: np.ndarray) -> np.ndarray:
    """(m, 1 + WAVES) a level and cosines, of mean square 1, at shares (m,) of a stay's longest time."""
    made: np.ndarray = np.cos(np.pi * at[:, None] * np.arange(1 + WAVES)) * np.sqrt([1.0, *[2.0] * WAVES])
    return made


def posterior(left: np.ndarray, right: np.ndarray, spread: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """(n, d, k) units of normal numbers of variances `spread` (d, k), drawn from what measurements leave open: their
    precision `left` (n, d, k, k), and their pull `right` (n, d, k)."""
    root = np.sqrt(spread)
    precision = left * root[:, :, None] * root[:, None] + np.eye(left.shape[-1])
    mean = np.linalg.solve(precision, (right * root)[..., None])[..., 0]
    lower = np.linalg.cholesky(precision)
    free = np.linalg.solve(np.swapaxes(lower, -1, -2), rng.standard_normal(mean.shape)[..., None])[..., 0]
    made: np.ndarray = mean + free
    return made
