"""Numbers as normal scores and back (a Gaussian copula's margins; Nelsen 2006), without any single patient's value.

Quantiles are means over groups of values, and their ends are where fewer than `rare` patients go beyond.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from semblance.core.bounds import ends

KNOTS, COMMON = 256, 0.9
"""Quantiles that are kept, and the share of values that common levels must cover to be all that is written."""


@dataclass(frozen=True, eq=False)
class Marginal:
    """`knots` (k,) are quantiles, `levels` (l,) the values that are common, none where any may occur."""

    knots: np.ndarray
    levels: np.ndarray
    decimals: int = 0

    @classmethod
    def of(cls, values: np.ndarray, who: np.ndarray, *, rare: int, decimals: int) -> Marginal:
        """Of (m,) values of patients (m,)."""
        low, high = ends(values, who, rare=rare)
        known = np.sort(np.clip(values, low, high))
        groups = np.array_split(known, int(np.clip(len(known) // max(rare, 1), 1, KNOTS))) if len(known) else []
        return cls(np.array([group.mean() for group in groups]), _levels(values, who, rare), decimals)

    def values(self, scores: np.ndarray) -> np.ndarray:
        """(m,) numbers of normal scores; NaN where there are none."""
        if not len(self.knots):
            return np.full(len(scores), np.nan)
        place = (np.arange(len(self.knots)) + 0.5) / len(self.knots)
        made = np.interp(ndtr(scores), place, self.knots)
        return nearest(made, self.levels) if len(self.levels) else np.round(made, self.decimals)


def _levels(values: np.ndarray, who: np.ndarray, rare: int) -> np.ndarray:
    """The values that at least `rare` patients have, where these are nearly all values."""
    if not len(values):
        return np.empty(0)
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
