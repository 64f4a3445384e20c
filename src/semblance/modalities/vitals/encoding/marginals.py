"""Numbers as normal scores and back (a Gaussian copula's margins; Nelsen 2006), without any single patient's value.

Each quantile is a mean over a group of at least `rare` patients, in which each counts once however often it was
measured; the ends are where fewer than `rare` patients go beyond. Of fewer patients nothing is learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import ndtr, ndtri

from semblance.core.bounds import between_patients, ends

KNOTS, COMMON = 256, 0.9
"""Quantiles that are kept, besides those of the tails, and the share of values that common levels must cover to be all
that is written."""


@dataclass(frozen=True, eq=False)
class Marginal:
    """`knots` (k,) are quantiles at the shares `places` (k,), `levels` (l,) the values that are common, between which
    no others occur; none where any may."""

    knots: np.ndarray
    places: np.ndarray
    levels: np.ndarray
    decimals: int = 0

    @classmethod
    def none(cls) -> Marginal:
        """That of no value."""
        return cls(np.empty(0), np.empty(0), np.empty(0))

    @classmethod
    def of(cls, values: np.ndarray, who: np.ndarray, *, rare: int, decimals: int) -> Marginal:
        """Of (m,) values of patients (m,)."""
        if len(np.unique(who)) < max(rare, 1):
            return cls.none()
        low, high = ends(values, who, rare=rare)
        order = np.argsort(values, kind="stable")
        known, who = np.clip(values, low, high)[order], who[order]
        edges = _edges(who, rare)
        knots = [between_patients(known[a:b], who[a:b]) for a, b in pairwise(edges)]
        return cls(
            np.array(knots), (edges[1:] + edges[:-1]) / (2 * len(who)), _levels(values[order], who, rare), decimals
        )

    def values(self, scores: np.ndarray) -> np.ndarray:
        """(m,) numbers of normal scores; NaN where there are none."""
        if not len(self.knots):
            return np.full(len(scores), np.nan)
        made = np.interp(ndtr(scores), self.places, self.knots)
        plain: np.ndarray = np.round(made, self.decimals)
        if not len(self.levels):
            return plain
        # Extremes are seldom twice the same: beyond the levels any value is as rare as they are.
        beyond = (made < self.levels[0]) | (made > self.levels[-1])
        return np.where(beyond, plain, nearest(made, self.levels))

    def scores(self, values: np.ndarray) -> np.ndarray:
        """(m,) the normal scores that numbers come from; of a number that many scores have, the one in their midst."""
        if len(self.knots) < 2:
            return np.zeros(len(values))
        left, right = (np.searchsorted(self.knots, values, side=side) for side in ("left", "right"))
        inner = np.interp(values, self.knots, self.places)
        tied = (self.places[np.minimum(left, len(self.places) - 1)] + self.places[np.maximum(right - 1, 0)]) / 2
        made: np.ndarray = ndtri(np.clip(np.where(right > left, tied, inner), self.places[0], self.places[-1]))
        return made

    def arrays(self) -> dict[str, np.ndarray]:
        """All but the decimals."""
        return {"knots": self.knots, "places": self.places, "levels": self.levels}


def _edges(who: np.ndarray, rare: int) -> np.ndarray:
    """(k + 1,) where groups of sorted values begin and end, each of `rare` patients or more: about equally large, but
    that tails are halved again and again, for the extremes of patients lie there."""
    groups = int(np.clip(len(who) // max(rare, 1), 1, KNOTS))
    halves = len(who) / groups / 2.0 ** np.arange(1, 32)
    tail = halves[halves >= rare]
    edges = [0]
    wanted = np.concatenate([tail, np.linspace(0, len(who), groups + 1), len(who) - tail])
    for edge in np.unique(wanted.astype(np.int64))[1:]:
        if len(np.unique(who[edges[-1] : edge])) >= rare:
            edges.append(int(edge))
    edges[-1 if len(edges) > 1 else len(edges) :] = [len(who)]  # what is left joins the last group
    return np.array(edges)


def _levels(values: np.ndarray, who: np.ndarray, rare: int) -> np.ndarray:
    """The values that at least `rare` patients have, where these are nearly all values."""
    found, code = np.unique(values, return_inverse=True)
    patient = np.unique(who, return_inverse=True)[1]
    pairs = np.unique(code * (int(patient.max()) + 1) + patient) // (int(patient.max()) + 1)
    common = np.bincount(pairs, minlength=len(found)) >= rare
    return found[common] if common[code].mean() >= COMMON else np.empty(0)


def nearest(values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """(m,) each value's nearest of the sorted levels."""
    above = np.clip(np.searchsorted(levels, values), 1, len(levels) - 1) if len(levels) > 1 else 0
    if len(levels) == 1:
        return np.full(len(values), levels[0])
    made: np.ndarray = np.where(values - levels[above - 1] <= levels[above] - values, levels[above - 1], levels[above])
    return made


def scores(values: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """(m,) normal scores, equal values in random order; NaN stays NaN."""
    made = np.full(len(values), np.nan)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.lexsort((rng.random(len(known)), values[known]))]
    made[order] = ndtri((np.arange(len(order)) + 0.5) / max(len(order), 1))
    return made
