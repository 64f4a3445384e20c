"""When a stay is measured, as numbers, and back: how often each group of channels is in each part of the stay, which
groups there are at all, how long the stay is watched, and how strictly its clock is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import expit, logit

from semblance.core.arrays import under, within
from semblance.core.rng import root_of, stream
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.encoding import flags
from semblance.modalities.vitals.encoding.clock import FINE, ROUND, Clock
from semblance.modalities.vitals.encoding.factors import Factors, patients_of
from semblance.modalities.vitals.encoding.groups import Groups
from semblance.modalities.vitals.encoding.hazards import Hazards
from semblance.modalities.vitals.encoding.marginals import Marginal, scores

CALM = 2.0
"""Bins by which a rate is drawn towards that of all stays."""
TRIED, TRIES = 400, 3


@dataclass(frozen=True, eq=False)
class Seen:
    """What real stays show.

    `phase` (n,), the `bins` (m,) of measurements and whether they are `on` the mark, the bins that groups are in as
    `there` (n, bins, g), `last` (n,) the last bin, `strict` (n,) log odds of being on the mark.
    """

    phase: np.ndarray
    bins: np.ndarray
    on: np.ndarray
    there: np.ndarray
    last: np.ndarray
    strict: np.ndarray

    @classmethod
    def of(cls, stays: Stays, clock: Clock, groups: Groups) -> Seen:
        """Of stays under a clock."""
        phase = clock.phase_of(stays)
        bins, on = clock.bins_of(stays, phase)
        there = np.zeros((len(stays), clock.bins, len(groups)), dtype=bool)
        there[stays.stay, bins, groups.of[stays.channel]] = True
        last = np.full(len(stays), -1)
        np.maximum.at(last, stays.stay, bins)
        first = np.diff(stays.moment, prepend=-1) > 0
        moments = np.bincount(stays.stay[first], minlength=len(stays))
        kept = np.bincount(stays.stay[first & on], minlength=len(stays))
        return cls(phase, bins, on, there, last, logit((kept + 1) / (moments + 2)))


@dataclass(frozen=True, eq=False)
class When:
    """`clock`, `groups`, the `hazards` of these given rates, the `factors` of rates in `blocks` parts of the stay, the
    `shares` (g,) of stays that have a group, the shares of these that have it `again` (g,), `on` (g, ROUND) log odds of
    being on the mark, and the margins of the last bin and of strictness. What comes once only has no rate."""

    clock: Clock
    groups: Groups
    factors: Factors
    hazards: Hazards
    blocks: int
    shares: np.ndarray
    again: np.ndarray
    on: np.ndarray
    last: Marginal
    strict: Marginal

    @classmethod
    def fit(
        cls, stays: Stays, *, blocks: int, k: int, rare: int, rng: np.random.Generator
    ) -> tuple[When, Seen, np.ndarray]:
        """From stays; with it what they show, and their numbers (n, width)."""
        clock, groups = Clock.of(stays, rare=rare), Groups.find(stays)
        seen, blocks = Seen.of(stays, clock, groups), min(blocks, clock.bins)
        rates, known, ever, often = _rates(seen, blocks)
        n, g = ever.shape
        flat = known.reshape(n, len(groups) * blocks)
        flat = (flat & (patients_of(flat, stays.subjects) >= rare)).astype(float)
        factors = Factors.fit(rates.reshape(n, len(groups) * blocks), flat, k=k, rng=rng)
        drawn = factors.draw(rates.reshape(n, len(groups) * blocks), flat, rng=rng)
        shares = np.where(patients_of(ever, stays.subjects) >= rare, ever.mean(0), 0.0)
        again = _again(ever, often, stays.subjects, rare)
        often &= again > 0
        margins = (
            Marginal.of(np.maximum(values, 0) if i == 0 else values, stays.subjects, rare=rare, decimals=digits)
            for i, (values, digits) in enumerate(((seen.last, 0), (seen.strict, 3)))
        )
        made = cls(clock, groups, factors, _none(g), blocks, shares, again, _on(stays, seen, groups), *margins)
        inside = np.arange(clock.bins) <= seen.last[:, None]
        hazards = Hazards.fit(seen.there, made.rates(drawn), inside, often, rng=rng)
        made = replace(made, hazards=hazards)._calibrated(seen, drawn, inside, often, rng=rng)
        groups_of = np.concatenate(
            [flags.encoded(ever, shares), np.where(ever, flags.encoded(often, again), 0.0)], axis=1
        )
        ends = [scores(values.astype(float), rng=rng)[:, None] for values in (seen.last, seen.strict)]
        return made, seen, np.concatenate([drawn, groups_of, *ends], axis=1)

    @property
    def width(self) -> int:
        """How many numbers a stay has."""
        return self.factors.axes.shape[1] + 2 * len(self.groups) + 2

    def rates(self, numbers: np.ndarray) -> np.ndarray:
        """(n, bins, g) log odds of each group at each mark, from the first numbers."""
        k, g = self.factors.axes.shape[1], len(self.groups)
        made = self.factors.means(numbers[:, :k]).reshape(len(numbers), self.blocks, g)
        return between(made, self.clock.bins)

    def _calibrated(
        self, seen: Seen, drawn: np.ndarray, inside: np.ndarray, often: np.ndarray, *, rng: np.random.Generator
    ) -> When:
        """With levels such that real stays' rates give as many measurements as they have."""
        some = rng.permutation(len(drawn))[:TRIED]
        rates, inside, often, there = self.rates(drawn[some]), inside[some], often[some], seen.there[some]
        room = np.maximum((inside[:, :, None] & often[:, None]).sum((0, 1)), 1)
        wanted, hazards, seed = (there & often[:, None]).sum((0, 1)) / room, self.hazards, root_of(rng)
        for _ in range(TRIES):
            made = hazards.draw(rates, inside, often, often, rng=stream(seed, "tried")).sum((0, 1)) / room
            step = logit(np.clip(wanted, 1e-5, 1 - 1e-5)) - logit(np.clip(made, 1e-5, 1 - 1e-5))
            hazards = replace(hazards, level=hazards.level + np.clip(step, -1, 1))
        return replace(self, hazards=hazards)

    def draw(
        self, numbers: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """From (n, width) numbers the stay, the bin, the channel and the minute of all measurements, in order."""
        k, g = self.factors.axes.shape[1], len(self.groups)
        ever = flags.above(numbers[:, k : k + g], self.shares) > 0
        often = ever & (flags.above(numbers[:, k + g : k + 2 * g], self.again) > 0)
        last, strict = (m.values(numbers[:, k + 2 * g + i]) for i, m in enumerate((self.last, self.strict)))
        inside = np.arange(self.clock.bins) <= last[:, None]
        there = self.hazards.draw(self.rates(numbers), inside, ever, often, rng=rng)
        return self._placed(there, strict, rng=rng)

    def _placed(
        self, there: np.ndarray, strict: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        n, bins, _ = there.shape
        phase = self.clock.draw(n, rng=rng)
        luck = rng.random((n, bins))  # one for all groups at a mark, so that they keep it together or not
        side = rng.choice([-1, 1], (n, bins)) * rng.integers(1, (FINE + 1) // 2, (n, bins))
        alone = rng.random((n, bins, len(self.groups.of)))
        odds = self.on[:, np.arange(bins) % ROUND].T + (strict - self._usual)[:, None, None]
        off = np.where(luck[:, :, None] < expit(odds), 0, side[:, :, None])
        stay, at, channel = np.nonzero(there[:, :, self.groups.of] & (alone < self.groups.share))
        minute = self.clock.minutes(at, phase[stay], off[stay, at, self.groups.of[channel]])
        order = np.lexsort((channel, minute, stay))
        order = order[(minute[order] >= 0) & (minute[order] <= self.clock.horizon)]
        again = [np.diff(part[order], prepend=-1) == 0 for part in (stay, minute, channel)]
        order = order[~np.logical_and.reduce(again)]  # two bins may come to one time that files can tell
        return stay[order], at[order], channel[order], minute[order]

    @property
    def _usual(self) -> float:
        return float(self.strict.knots.mean()) if len(self.strict.knots) else 0.0

    def arrays(self) -> dict[str, np.ndarray]:
        """What is saved as tensors."""
        told = {"shares": self.shares, "again": self.again, "on": self.on, "phases": self.clock.phases}
        told |= {"groups": self.groups.of, "together": self.groups.share}
        told |= {**within("hazards", vars(self.hazards)), **within("factors", vars(self.factors))}
        return told | within("last", self.last.arrays()) | within("strict", self.strict.arrays())

    def to_json(self) -> dict[str, Any]:
        """All else as plain JSON."""
        told = {name: getattr(self.clock, name) for name in ("width", "horizon", "grain")}
        return {**told, "blocks": self.blocks}

    @classmethod
    def restored(cls, told: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> When:
        """The inverse of `to_json` and `arrays`."""
        hazards, factors = Hazards(**under(arrays, "hazards")), Factors(**under(arrays, "factors"))
        last, strict = (Marginal(**under(arrays, name), decimals=digits) for name, digits in ENDS.items())
        clock = Clock(told["width"], told["horizon"], arrays["phases"], told["grain"])
        groups = Groups(arrays["groups"], arrays["together"])
        shares, again = arrays["shares"], arrays["again"]
        return cls(clock, groups, factors, hazards, told["blocks"], shares, again, arrays["on"], last, strict)


ENDS = {"last": 0, "strict": 3}
"""The numbers of a stay that have margins, and their decimals."""


def between(made: np.ndarray, bins: int) -> np.ndarray:
    """(n, bins, d) values at each bin of (n, blocks, d) values at the middle of blocks, linearly between them."""
    low, share = places(made.shape[1], bins)
    high = np.minimum(low + 1, made.shape[1] - 1)
    return made[:, low] * (1 - share)[:, None] + made[:, high] * share[:, None]


def places(blocks: int, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """(bins,) the block whose middle is before each bin, and how far it is to the next one's."""
    at = np.clip((np.arange(bins) + 0.5) / bins * blocks - 0.5, 0, blocks - 1)
    low = np.minimum(at.astype(np.int64), max(blocks - 2, 0))
    return low, at - low


def _rates(seen: Seen, blocks: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(n, blocks, g) log odds, whether they are known, and (n, g) whether a group is measured at all, and again."""
    bins = seen.there.shape[1]
    block = np.arange(bins) * blocks // bins
    cut = np.searchsorted(block, np.arange(blocks))
    count = np.add.reduceat(seen.there, cut, axis=1, dtype=float)
    room = np.add.reduceat(np.arange(bins) <= seen.last[:, None], cut, axis=1, dtype=float)[:, :, None]
    ever, often = (count.sum(1) > least for least in (0, 1))
    usual = (count * often[:, None]).sum((0, 1)) / np.maximum((room * often[:, None]).sum((0, 1)), 1)
    usual = np.clip(usual, 1e-4, 1 - 1e-4)
    share = (count + CALM * usual) / (room + CALM)
    return logit(np.clip(share, 1e-5, 1 - 1e-5)), np.logical_and(room > 0, often[:, None]), ever, often


def _again(ever: np.ndarray, often: np.ndarray, who: np.ndarray, rare: int) -> np.ndarray:
    """(g,) of stays that have a group, the share of those that have it again; all or none where few do otherwise."""
    share = often.sum(0) / np.maximum(ever.sum(0), 1)
    share = np.where(patients_of(ever & ~often, who) >= rare, share, 1.0)
    return np.where(patients_of(often, who) >= rare, share, 0.0)


def _on(stays: Stays, seen: Seen, groups: Groups) -> np.ndarray:
    """(g, ROUND) log odds of being on the mark."""
    key = groups.of[stays.channel] * ROUND + seen.bins % ROUND
    size = len(groups) * ROUND
    hit, all_of = np.bincount(key[seen.on], minlength=size), np.bincount(key, minlength=size)
    made: np.ndarray = logit((hit + 1) / (all_of + 2)).reshape(len(groups), ROUND)
    return made


def _none(g: int) -> Hazards:
    return Hazards(np.zeros(g), np.zeros(g), *(np.zeros((g, 1)),) * 3, np.zeros(g), np.zeros((g, g)))
