"""Follow-up that ends before the event: survival curves, concordance and Brier scores that account for censoring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semblance.evaluate.utility.performance import Score

PAIRS = 4_000_000  # compared at once


@dataclass(frozen=True)
class Curve:
    """A step function: `survival` from each of `times` (g,) on, 1 before; `at_risk` just before each."""

    times: np.ndarray
    survival: np.ndarray
    at_risk: np.ndarray

    def at(self, times: np.ndarray) -> np.ndarray:
        """Values at `times`; beyond the last one the curve stays where it was."""
        made: np.ndarray = np.concatenate([[1.0], self.survival])[np.searchsorted(self.times, times, side="right")]
        return made


def kaplan_meier(time: np.ndarray, event: np.ndarray) -> Curve:
    """The product-limit estimate (Kaplan and Meier 1958)."""
    times, died, _, at_risk = _table(time, event)
    return Curve(times, np.cumprod(1 - died / at_risk), at_risk)


def martingale(time: np.ndarray, event: np.ndarray) -> np.ndarray:
    """(n,) events less those that the cumulative hazard of all (Nelson 1972, Aalen 1978) expects of each.

    Their correlation with a term says what that term could explain (Therneau, Grambsch and Fleming 1990).
    """
    times, died, _, at_risk = _table(time, event)
    made: np.ndarray = event - np.cumsum(died / at_risk)[np.searchsorted(times, time)]
    return made


def uncensored(time: np.ndarray, event: np.ndarray) -> Curve:
    """The chance of still being followed, with the deaths of a time before its censorings."""
    times, died, lost, at_risk = _table(time, event)
    still = at_risk - died
    rate = np.divide(lost, still, out=np.zeros(len(times)), where=still > 0)
    return Curve(times, np.cumprod(1 - rate), still)


def _table(time: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The life table: distinct times, and at each the deaths, the censorings, and those at risk just before."""
    times, place = np.unique(time, return_inverse=True)
    died, lost = (np.bincount(place, weights=w, minlength=len(times)) for w in (event, 1 - event))
    return times, died, lost, (died + lost)[::-1].cumsum()[::-1]


def concordance(time: np.ndarray, event: np.ndarray, risk: np.ndarray) -> Score:
    """Harrell's C (1982) and each record's influence on it, over all pairs whose order is known.

    Of two records the one with the event, and the shorter time (or the same one without an event on the other side),
    ought to have the higher risk; equal risks count half. C is a ratio of U-statistics, so a record's influence is
    twice what its own pairs have beyond C, over the mean number of pairs.
    """
    n = len(time)
    right, pairs = np.zeros(n), np.zeros(n)
    died = np.flatnonzero(event > 0)
    for rows in np.array_split(died, max(1, -(-len(died) * n // PAIRS))):
        later = time > time[rows, None]
        later |= (time == time[rows, None]) & ~(event > 0)
        ordered = later * ((risk < risk[rows, None]) + 0.5 * (risk == risk[rows, None]))
        right[rows] += ordered.sum(axis=1)
        pairs[rows] += later.sum(axis=1)
        right += ordered.sum(axis=0)
        pairs += later.sum(axis=0)
    if not pairs.sum() > 0:
        return Score(0.5, np.zeros(n))
    value = float(right.sum() / pairs.sum())
    return Score(value, 2 * (right - value * pairs) / pairs.mean())


def brier(time: np.ndarray, event: np.ndarray, survival: np.ndarray, times: np.ndarray, followed: Curve) -> np.ndarray:
    """(n,) each record's integrated Brier score, weighted for censoring (Graf et al. 1999); their mean is the score.

    `survival` (n, g) are predictions at rising `times` (g,), two or more; `followed` is the curve of `uncensored`.
    """
    dead = (time[:, None] <= times) & (event[:, None] > 0)
    alive = time[:, None] > times
    own, then = (_weight(followed.at(at)) for at in (time, times))
    scores = survival**2 * dead * own[:, None] + (1 - survival) ** 2 * alive * then
    made: np.ndarray = np.trapezoid(scores, times, axis=1) / (times[-1] - times[0])
    return made


def _weight(chance: np.ndarray) -> np.ndarray:
    return np.divide(1.0, chance, out=np.zeros(len(chance)), where=chance > 0)
