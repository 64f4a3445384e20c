"""How far the survival curves of two data sets are apart, with a jackknife over blocks of both sides' patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semblance.core.estimate import Estimate, folded, jackknife
from semblance.core.judge import patient_blocks

BLOCKS = 20


@dataclass(frozen=True)
class Followed:
    """Times (n,), events (n,) in {0, 1}, and the jackknife's block (n,) of each record."""

    time: np.ndarray
    event: np.ndarray
    block: np.ndarray

    @classmethod
    def of(cls, time: np.ndarray, event: np.ndarray, patient: np.ndarray, *, rng: np.random.Generator) -> Followed:
        """Deal the patients into blocks."""
        return cls(time, event, patient_blocks(patient, BLOCKS, rng=rng) if len(time) else np.zeros(0, dtype=int))

    def take(self, rows: np.ndarray) -> Followed:
        """Some of them; the blocks stay."""
        return Followed(self.time[rows], self.event[rows], self.block[rows])


@dataclass(frozen=True)
class Gap:
    """Two curves apart: `apart` (1 + BLOCKS, g) is the first less the second, of all and without each block.

    The g steps last for `widths` (g,), as shares of the whole time that is looked at.
    """

    apart: np.ndarray
    widths: np.ndarray
    n: int

    @property
    def largest(self) -> Estimate:
        """The largest distance (as Kolmogorov and Smirnov's)."""
        distance = np.abs(self.apart).max(axis=1)
        return jackknife(float(distance[0]), distance[1:], n=self.n, within=(0.0, 1.0))

    @property
    def areas(self) -> np.ndarray:
        """(1 + BLOCKS,) the area between the curves over the time: their mean distance."""
        made: np.ndarray = np.abs(self.apart) @ self.widths
        return made

    @property
    def area(self) -> Estimate:
        """The area between the curves."""
        return area([self])

    @property
    def mean(self) -> Estimate:
        """The difference of the restricted mean times (Royston and Parmar 2013) as a share of the time, either way."""
        signed = self.apart @ self.widths
        return folded(jackknife(float(signed[0]), signed[1:], n=self.n))


def area(gaps: Sequence[Gap]) -> Estimate:
    """The mean of the areas of several pairs of curves."""
    areas = np.mean([gap.areas for gap in gaps], axis=0)
    return jackknife(float(areas[0]), areas[1:], n=sum(gap.n for gap in gaps), within=(0.0, 1.0))


def gap(first: Followed, second: Followed, *, until: float, reverse: bool = False) -> Gap:
    """The curves of two data sets up to `until`; with `reverse` those of being followed (reverse Kaplan-Meier)."""
    times = np.unique(np.concatenate([first.time, second.time, [0.0]]))
    times = times[times <= until]
    a, b = (curves(side, times, reverse=reverse) for side in (first, second))
    widths = np.diff(np.append(times, until)) / until
    return Gap(a - b, widths, max(min(len(first.time), len(second.time)), 1))


def curves(side: Followed, times: np.ndarray, *, reverse: bool = False) -> np.ndarray:
    """(1 + BLOCKS, g) values at rising `times` (g,): the product-limit curve of all and without each block.

    It stays where it was after the last record. The censorings of a time come after its events.
    """
    place, t = np.searchsorted(times, side.time, side="left"), len(times) + 1
    died, left = (
        np.bincount(side.block * t + place, weights=w, minlength=BLOCKS * t).reshape(BLOCKS, t)
        for w in (side.event, np.ones(len(side.time)))
    )
    died, left = (np.concatenate([a.sum(axis=0)[None], a.sum(axis=0) - a]) for a in (died, left))
    at_risk = left[:, ::-1].cumsum(axis=1)[:, ::-1]
    lost, of = (left - died, at_risk - died) if reverse else (died, at_risk)
    rate = np.divide(lost, of, out=np.zeros(lost.shape), where=of > 0)
    made: np.ndarray = np.cumprod(1 - rate, axis=1)[:, : len(times)]
    return made
