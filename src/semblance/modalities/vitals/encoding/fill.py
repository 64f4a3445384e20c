"""Cells that a stay is to have, drawn given those that were measured.

Scores of a stay are jointly normal: factors move its trajectory, what is left lasts a while and is shared by channels
(`What`). So cells are drawn from a conditional normal distribution (Rasmussen & Williams, Gaussian Processes for
Machine Learning, 2006, eq. 2.19), and written as drawn stays are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from semblance.core.rng import stream
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.encoding import order
from semblance.modalities.vitals.encoding.clock import Clock
from semblance.modalities.vitals.encoding.what import What

MOST = 1_500
"""Measured cells that a gap is drawn from, at most: those that are nearest in time."""
BLUR = 0.02
"""Share of the variance that two measurements of a channel at one mark do not share."""


def filled(what: What, clock: Clock, stays: Stays, *, seed: int) -> np.ndarray:
    """(m,) values of stays of the known channels, in which those that are missing are drawn; the others stay."""
    gap = np.isnan(stays.value)
    bins, _ = clock.bins_of(stays, clock.phase_of(stays))
    kind = what.kinds(stays.stay, stays.channel)
    value = stays.value.copy()
    for i in np.unique(stays.stay[gap]):
        own = slice(stays.starts[i], stays.starts[i + 1])
        cells = Cells(bins[own], stays.channel[own], what.scores(value[own], kind[own]))
        drawn = cells.drawn(what, rng=stream(seed, "stay", int(i)))
        value[own] = np.where(gap[own], what.written(drawn, kind[own]), value[own])
    return ordered(what.chains, stays, value, gap)


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of a stay: (m,) `bins`, `channel` codes and `score`, NaN where it is to be drawn."""

    bins: np.ndarray
    channel: np.ndarray
    score: np.ndarray

    def drawn(self, what: What, *, rng: np.random.Generator) -> np.ndarray:
        """(m,) scores; those that are known stay."""
        gap = np.flatnonzero(np.isnan(self.score))
        known = self._nearest(gap, np.flatnonzero(~np.isnan(self.score)))
        mean, cover = law(what, self.bins, self.channel)
        made, between = self.score.copy(), cover[np.ix_(gap, known)]
        factor = cho_factor(cover[np.ix_(known, known)], lower=True)
        expected = mean[gap] + between @ cho_solve(factor, self.score[known] - mean[known])
        left = cover[np.ix_(gap, gap)] - between @ cho_solve(factor, between.T)
        size, axes = np.linalg.eigh((left + left.T) / 2)
        root = axes * np.sqrt(np.maximum(size, 0))
        made[gap] = expected + root @ rng.standard_normal(len(gap))
        return made

    def _nearest(self, gap: np.ndarray, known: np.ndarray) -> np.ndarray:
        if len(known) <= MOST:
            return known
        far = np.abs(self.bins[known, None] - np.unique(self.bins[gap])).min(1)
        return np.sort(known[np.argsort(far, kind="stable")[:MOST]])


def law(what: What, bins: np.ndarray, channel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(m,) means and (m, m) covariance of the scores of a stay's cells, over all stays."""
    centre, axes = what.ways(bins, channel)
    left = what.residuals
    keep = np.exp(-1 / left.span)[channel]
    lasting, spread = left.lasting[channel], left.spread[channel]
    alike = (left.root @ left.root.T)[np.ix_(channel, channel)]
    ahead = bins[None] - bins[:, None]
    # Of two channels with innovations in common, each forgets at its own pace.
    joint = np.sqrt(np.outer(1 - keep**2, 1 - keep**2)) / (1 - np.outer(keep, keep))
    decay = np.where(ahead >= 0, keep[None] ** np.abs(ahead), keep[:, None] ** np.abs(ahead))
    slow = np.sqrt(np.outer(lasting, lasting)) * joint * decay
    quick = np.sqrt(np.outer(1 - lasting, 1 - lasting)) * (ahead == 0)
    cover = axes @ axes.T + np.outer(spread, spread) * alike * (slow + quick)
    return centre, cover + np.diag(BLUR * np.diag(cover))


def ordered(chains: Sequence[Sequence[int]], stays: Stays, value: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """The values, those that were drawn within what was measured above and below them in a chain, and in order."""
    decimals = np.array([channel.decimals for channel in stays.channels], dtype=np.int64)
    moments = int(stays.moment[-1]) + 1 if len(stays.moment) else 0
    made = value.copy()
    for chain in chains:
        for codes, bound in ((chain, np.minimum), (chain[::-1], np.maximum)):
            _bounded(stays, made, gap, codes, bound, moments)
    at = np.flatnonzero(gap)
    made[at] = order.kept(stays.moment[at], stays.channel[at], made[at], chains, decimals)
    return made


def _bounded(
    stays: Stays, value: np.ndarray, gap: np.ndarray, codes: Sequence[int], bound: np.ufunc, moments: int
) -> None:
    """Bring drawn values of a chain, in place, to the measured one before them in the chain, where they are beyond."""
    worst = np.inf if bound is np.minimum else -np.inf
    edge = np.full(moments, worst)
    for before, code in pairwise(codes):
        measured = np.flatnonzero((stays.channel == before) & ~gap)
        edge[stays.moment[measured]] = bound(edge[stays.moment[measured]], value[measured])
        at = np.flatnonzero((stays.channel == code) & gap)
        value[at] = bound(value[at], edge[stays.moment[at]])
