"""What is measured, as numbers, and back: the trajectory of each channel through the stay as normal scores, around it
what lasts and what does not, and values as they are written, in the order that pressures keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from semblance.core.arrays import under, within
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.encoding import order
from semblance.modalities.vitals.encoding.factors import Factors, patients_of
from semblance.modalities.vitals.encoding.marginals import Marginal, scores
from semblance.modalities.vitals.encoding.residuals import Residuals, firsts
from semblance.modalities.vitals.encoding.when import When, places

CALM = 20.0
"""Measurements by which a stay's unrest is drawn towards that of all."""
TRIED, NODES = 800, np.linspace(-3.3, 3.3, 65)
"""Stays that are drawn on trial, and the normal scores at which these are compared with what they are to be."""


@dataclass(frozen=True, eq=False)
class What:
    """How values of stays come about.

    `factors` of the means of scores in `blocks` parts of the stay, the `residuals` around them, the `marginals` of
    channels, then those of the first value of each (patients come otherwise than they stay), the `bend` (2 c, nodes)
    that makes drawn scores normal, the odds `hold` (c,) that a value is the one before, and the `chains` of channels
    that keep an order. `unrest` is how much stays differ in the log of their variance.
    """

    factors: Factors
    residuals: Residuals
    marginals: tuple[Marginal, ...]
    bend: np.ndarray
    hold: np.ndarray
    chains: tuple[tuple[int, ...], ...]
    unrest: float
    blocks: int
    bins: int

    @classmethod
    def fit(
        cls,
        stays: Stays,
        bins: np.ndarray,
        when: When,
        *,
        k: int,
        rare: int,
        chains: Sequence[Sequence[str]],
        rng: np.random.Generator,
    ) -> tuple[What, np.ndarray]:
        """From stays whose measurements are in `bins` (m,); with it their numbers (n, width)."""
        n, c, blocks, total = len(stays), len(stays.channels), when.blocks, when.clock.bins
        who = stays.subjects[stays.stay]
        score, marginals = np.zeros(len(stays.value)), []
        kind = _kinds(stays.stay, stays.channel, c)
        for code, channel in enumerate((*stays.channels, *stays.channels)):
            at = kind == code
            score[at] = scores(stays.value[at], rng=rng)
            few = len(np.unique(who[at])) < rare  # hardly anybody's is measured again
            of = stays.channel == code % c if few else at
            marginals.append(Marginal.of(stays.value[of], who[of], rare=rare, decimals=channel.decimals))
        key = (stays.stay * blocks + bins * blocks // total) * c + stays.channel
        count = np.bincount(key, minlength=n * blocks * c).astype(float).reshape(n, blocks * c)
        count *= patients_of(count > 0, stays.subjects) >= rare
        total_score = np.bincount(key, score, minlength=n * blocks * c).reshape(n, blocks * c)
        means = np.where(count > 0, total_score / np.maximum(count, 1), 0.0)
        factors = Factors.fit(means, count, k=k, rng=rng)
        drawn = factors.draw(means, count, rng=rng)
        known = order.named(chains, stays) if chains else order.found(stays)
        made = cls(factors, _still(c), tuple(marginals), _straight(2 * c), np.zeros(c), known, 0.0, blocks, total)
        left = score - made._trajectory(drawn, stays.stay, bins, stays.channel)
        told = {"stay": stays.stay, "bins": bins, "channel": stays.channel, "moment": stays.moment}
        made = replace(made, residuals=Residuals.fit(left, **told, c=c))
        unrest = _unrest(left / made.residuals.spread[stays.channel], stays.stay, n)
        made = replace(made, unrest=max(float(unrest.std()), 1e-6))
        numbers = np.concatenate([drawn, (unrest / made.unrest)[:, None]], axis=1)
        return made._calibrated(stays, bins, numbers, rng=rng), numbers

    @property
    def width(self) -> int:
        """How many numbers a stay has."""
        return self.factors.axes.shape[1] + 1

    @property
    def _channels(self) -> int:
        return len(self.marginals) // 2

    def _trajectory(self, numbers: np.ndarray, stay: np.ndarray, bins: np.ndarray, channel: np.ndarray) -> np.ndarray:
        """(m,) the score that is expected at each measurement."""
        k, c = self.factors.axes.shape[1], self._channels
        means = self.factors.means(numbers[:, :k]).reshape(len(numbers), self.blocks, c)
        low, share = places(self.blocks, self.bins)
        high = np.minimum(low + 1, self.blocks - 1)
        made: np.ndarray = (
            means[stay, low[bins], channel] * (1 - share[bins]) + means[stay, high[bins], channel] * share[bins]
        )
        return made

    def _drawn(
        self, numbers: np.ndarray, stay: np.ndarray, bins: np.ndarray, channel: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """(m,) scores of measurements."""
        noise = self.residuals.draw(len(numbers), self.bins, rng=rng)[stay, bins, channel]
        loud = np.exp(np.clip(numbers[stay, -1] * self.unrest, -2, 2) / 2)
        known = self._trajectory(numbers, stay, bins, channel)
        made: np.ndarray = known + self.residuals.spread[channel] * loud * noise
        return made

    def _calibrated(self, stays: Stays, bins: np.ndarray, numbers: np.ndarray, *, rng: np.random.Generator) -> What:
        """With scores that are normal where real stays are measured, and values that repeat as often as theirs."""
        c = self._channels
        some = np.sort(rng.permutation(len(stays))[:TRIED])
        part = np.isin(stays.stay, some)
        stay, at, channel = np.searchsorted(some, stays.stay[part]), bins[part], stays.channel[part]
        score = self._drawn(numbers[some], stay, at, channel, rng=rng)
        bend, kind = self.bend.copy(), self.kinds(stay, channel)
        for code in range(2 * c):
            own = score[kind == code]
            if len(own) >= len(NODES):
                bend[code] = _quantiles(own)
        made = replace(self, bend=bend)
        value = made.written(score, kind)
        hold = [
            _held(stays.value[part][channel == code], value[channel == code], stay[channel == code])
            for code in range(c)
        ]
        return replace(made, hold=np.array(hold, dtype=float))

    def kinds(self, stay: np.ndarray, channel: np.ndarray) -> np.ndarray:
        """(m,) the margin of each measurement, of those in order of stay and time."""
        return _kinds(stay, channel, self._channels)

    def ways(self, bins: np.ndarray, channel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(m,) the expected score of cells over all stays, and (m, k) how a stay's numbers move it."""
        low, share = places(self.blocks, self.bins)
        high = np.minimum(low + 1, self.blocks - 1)
        whole = np.column_stack([self.factors.centre, self.factors.axes]).reshape(self.blocks, self._channels, -1)
        made = (
            whole[low[bins], channel] * (1 - share[bins])[:, None] + whole[high[bins], channel] * share[bins][:, None]
        )
        return made[:, 0], made[:, 1:]

    def scores(self, value: np.ndarray, kind: np.ndarray) -> np.ndarray:
        """(m,) scores that values come from; NaN stays NaN."""
        score = np.full(len(value), np.nan)
        for code, marginal in enumerate(self.marginals):
            at = (kind == code) & np.isfinite(value)
            score[at] = _straightened(marginal.scores(value[at]), self.bend[code])
        return score

    def written(self, score: np.ndarray, kind: np.ndarray) -> np.ndarray:
        """(m,) values of scores."""
        value = np.zeros(len(score))
        for code, marginal in enumerate(self.marginals):
            at = kind == code
            value[at] = marginal.values(_bent(score[at], self.bend[code]))
        return value

    def draw(
        self,
        numbers: np.ndarray,
        stay: np.ndarray,
        bins: np.ndarray,
        channel: np.ndarray,
        minute: np.ndarray,
        *,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """(m,) values of measurements in order of stay and time, from (n, width) numbers of stays."""
        value = self.written(self._drawn(numbers, stay, bins, channel, rng=rng), self.kinds(stay, channel))
        luck = rng.random(len(value))
        for code, odds in enumerate(self.hold):
            at = np.flatnonzero(channel == code)
            value[at] = _repeated(value[at], stay[at], luck[at] < odds)
        moment = np.cumsum((np.diff(stay, prepend=-1) != 0) | (np.diff(minute, prepend=-1.0) != 0))
        decimals = np.array([marginal.decimals for marginal in self.marginals[: self._channels]], dtype=np.int64)
        return order.kept(moment, channel, value, self.chains, decimals)

    def arrays(self) -> dict[str, np.ndarray]:
        """What is saved as tensors."""
        told = {"bend": self.bend, "hold": self.hold}
        told |= {**within("residuals", vars(self.residuals)), **within("factors", vars(self.factors))}
        for code, marginal in enumerate(self.marginals):
            told |= within(str(code), marginal.arrays())
        return told

    def to_json(self) -> dict[str, Any]:
        """All else as plain JSON."""
        chains = [list(map(int, chain)) for chain in self.chains]
        digits = [marginal.decimals for marginal in self.marginals]
        return {"chains": chains, "unrest": self.unrest, "blocks": self.blocks, "bins": self.bins, "decimals": digits}

    @classmethod
    def restored(cls, told: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> What:
        """The inverse of `to_json` and `arrays`."""
        residuals, factors = Residuals(**under(arrays, "residuals")), Factors(**under(arrays, "factors"))
        marginals = (Marginal(**under(arrays, str(i)), decimals=d) for i, d in enumerate(told["decimals"]))
        chains = tuple(tuple(chain) for chain in told["chains"])
        held = arrays["bend"], arrays["hold"], chains, told["unrest"], told["blocks"], told["bins"]
        return cls(factors, residuals, tuple(marginals), *held)


def _kinds(stay: np.ndarray, channel: np.ndarray, c: int) -> np.ndarray:
    """(m,) the channel of each measurement, and c more where it is a stay's first one of it."""
    made: np.ndarray = channel + c * firsts(stay, channel, c)
    return made


def _quantiles(score: np.ndarray) -> np.ndarray:
    """(nodes,) which of (m,) scores stand for normal ones at NODES; beyond all but two, they move like these."""
    reach = -ndtri(min(2 / len(score), 0.5))
    inner = np.clip(NODES, -reach, reach)
    made: np.ndarray = np.quantile(score, ndtr(inner)) + NODES - inner
    return made


def _bent(score: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(m,) scores, those at the quantiles that were seen brought to the normal ones; beyond, moved like the last."""
    inner = np.interp(score, seen, NODES)
    return np.where(
        score < seen[0], NODES[0] + score - seen[0], np.where(score > seen[-1], NODES[-1] + score - seen[-1], inner)
    )


def _straightened(normal: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(m,) the scores of normal ones: the inverse of `_bent`."""
    inner = np.interp(normal, NODES, seen)
    beyond = normal - np.clip(normal, NODES[0], NODES[-1])
    made: np.ndarray = inner + beyond
    return made


def _held(real: np.ndarray, made: np.ndarray, stay: np.ndarray) -> float:
    """The odds that a value is taken from before, such that values repeat as often as real ones."""
    same = stay[1:] == stay[:-1]
    if same.sum() < len(NODES):
        return 0.0
    theirs, mine = (float((v[1:] == v[:-1])[same].mean()) for v in (real, made))
    return max(0.0, (theirs - mine) / max(1 - mine, 1e-6))


def _repeated(value: np.ndarray, stay: np.ndarray, held: np.ndarray) -> np.ndarray:
    """(m,) values of one channel, where held that of the last one that was not."""
    first = np.diff(stay, prepend=-1) != 0
    source = np.maximum.accumulate(np.where(first | ~held, np.arange(len(value)), 0))
    return value[source]


def _unrest(unit: np.ndarray, stay: np.ndarray, n: int) -> np.ndarray:
    """(n,) the logarithm of how much stays vary, in units of the variance of all, around its mean."""
    square = np.bincount(stay, np.minimum(unit**2, 16), minlength=n)
    made = np.log((square + CALM) / (np.bincount(stay, minlength=n) + CALM))
    centred: np.ndarray = made - made.mean()
    return centred


def _straight(c: int) -> np.ndarray:
    """A bend that is none."""
    return np.tile(NODES, (c, 1))


def _still(c: int) -> Residuals:
    return Residuals(np.ones(c), np.zeros(c), np.ones(c), np.eye(c), np.array([100.0]))
