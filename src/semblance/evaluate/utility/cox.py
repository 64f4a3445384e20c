"""Proportional hazards (Cox 1972) with Efron's treatment of ties (1977), by Newton's method on whole arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semblance.evaluate.utility.performance import Score
from semblance.evaluate.utility.regression import TINY, Fit, grouped, newton


@dataclass(frozen=True)
class Cox:
    """A fitted model: the coefficients, and the cumulative hazard of a patient whose terms are all 0, at `times`."""

    fit: Fit
    times: np.ndarray
    hazard: np.ndarray

    def risk(self, x: np.ndarray) -> np.ndarray:
        """(n,) log relative hazards."""
        made: np.ndarray = x @ self.fit.beta
        return made

    def survival(self, x: np.ndarray, times: np.ndarray) -> np.ndarray:
        """(n, len(times)) probabilities of being free of the event."""
        place = np.searchsorted(self.times, times, side="right")
        reached = np.concatenate([[0.0], self.hazard])[place]
        with np.errstate(over="ignore"):
            return np.exp(-np.exp(np.minimum(self.risk(x), 500.0))[:, None] * reached)


@dataclass(frozen=True)
class _Sets:
    """Risk sets, which do not depend on the coefficients; records stand in the order of their times.

    `starts` (g,) is where each distinct time begins, `group` (n,) each record's time. Of each death, `death` is the
    record, `at` its time, and `share` the part of the tied deaths that no longer counts in its denominator.
    """

    x: np.ndarray
    event: np.ndarray
    starts: np.ndarray
    group: np.ndarray
    death: np.ndarray
    at: np.ndarray
    share: np.ndarray


@dataclass(frozen=True)
class _Sums:
    """At given coefficients: relative hazards (n,), denominators (e,) and mean terms (e, p) of deaths' risk sets."""

    hazard: np.ndarray
    below: np.ndarray
    mean: np.ndarray


def cox(x: np.ndarray, time: np.ndarray, event: np.ndarray) -> Cox:
    """Fit hazards of x (n, p), follow-up `time` (n,) and `event` (n,) in {0, 1}; at least one event.

    A tiny ridge bounds the coefficients where a term separates those who die. Influences are the score residuals times
    the inverse information (Lin and Wei 1989).
    """
    order = np.argsort(time, kind="stable")
    sets = _risk_sets(x[order], time[order], event[order] > 0)
    penalty = np.full(x.shape[1], TINY * len(x))

    def likelihood(beta: np.ndarray) -> float:
        below = np.log(_sums(sets, beta).below) + _shift(sets, beta)
        return float((sets.x[sets.death] @ beta - below).sum() - penalty @ beta**2 / 2)

    def slope(beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sums = _sums(sets, beta)
        seen = sums.hazard * _passed(sets, 1 / sums.below)
        bend = sets.x.T @ (sets.x * seen[:, None]) - sums.mean.T @ sums.mean
        return sets.x[sets.death].sum(axis=0) - sets.x.T @ seen - penalty * beta, bend + np.diag(penalty)

    beta = newton(likelihood, slope, np.zeros(x.shape[1]))
    sums = _sums(sets, beta)
    inverse = np.linalg.inv(slope(beta)[1])
    influence = np.empty_like(sets.x)
    influence[order] = _residuals(sets, sums) @ inverse
    rise = np.bincount(sets.at, weights=1 / sums.below, minlength=len(sets.starts)) * np.exp(-_shift(sets, beta))
    return Cox(Fit(beta, inverse, influence), time[order][sets.starts], np.cumsum(rise))


def explained(x: np.ndarray, time: np.ndarray, event: np.ndarray) -> Score:
    """The likelihood-ratio statistic of x (n, p) against no terms, per record, with each record's influence on it.

    At its maximum the partial likelihood moves with a record's weight by what the record adds to it: its own death less
    the log of the risk set, less what is expected of it while at risk. So the influences cost no further fit.
    """
    if not (event > 0).any():
        return Score(0.0, np.zeros(len(x)))
    beta, order = cox(x, time, event).fit.beta, np.argsort(time, kind="stable")
    sets = _risk_sets(x[order], time[order], event[order] > 0)
    gain = np.empty(len(x))
    gain[order] = 2 * (_added(sets, beta) - _added(sets, np.zeros_like(beta)))
    return Score(float(gain.mean()), gain - gain.mean())


def _added(sets: _Sets, beta: np.ndarray) -> np.ndarray:
    """(n,) what each record adds to the log partial likelihood."""
    sums = _sums(sets, beta)
    made = -sums.hazard * _passed(sets, 1 / sums.below)
    made[sets.death] += sets.x[sets.death] @ beta - np.log(sums.below) - _shift(sets, beta)
    return made


def _risk_sets(x: np.ndarray, time: np.ndarray, event: np.ndarray) -> _Sets:
    starts = np.flatnonzero(np.concatenate([[True], time[1:] > time[:-1]]))
    group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(time))))
    death = np.flatnonzero(event)
    at = group[death]
    tied = np.bincount(at, minlength=len(starts))[at]
    rank = np.arange(len(at)) - np.searchsorted(at, at)
    return _Sets(x, event, starts, group, death, at, rank / tied)


def _shift(sets: _Sets, beta: np.ndarray) -> float:
    """The largest log hazard, taken out so that no exponential overflows."""
    return float((sets.x @ beta).max(initial=0.0))


def _sums(sets: _Sets, beta: np.ndarray) -> _Sums:
    hazard = np.exp(sets.x @ beta - _shift(sets, beta))
    weighted = np.column_stack([hazard, hazard[:, None] * sets.x])
    everyone = np.add.reduceat(weighted, sets.starts, axis=0)[::-1].cumsum(axis=0)[::-1]
    dying = np.add.reduceat(weighted * sets.event[:, None], sets.starts, axis=0)
    total = everyone[sets.at] - sets.share[:, None] * dying[sets.at]
    below = np.maximum(total[:, 0], 1e-300)
    return _Sums(hazard, below, total[:, 1:] / below[:, None])


def _passed(sets: _Sets, values: np.ndarray) -> np.ndarray:
    """(n,) or (n, p): what each record gathers of the deaths' `values` while at risk; tied deaths count in part."""
    flat = values[:, None] if values.ndim == 1 else values
    gathered = grouped(flat, sets.at, len(sets.starts)).cumsum(axis=0)[sets.group]
    tied = grouped(flat * sets.share[:, None], sets.at, len(sets.starts))[sets.group]
    made = gathered - tied * sets.event[:, None]
    return made[:, 0] if values.ndim == 1 else made


def _residuals(sets: _Sets, sums: _Sums) -> np.ndarray:
    """(n, p) score residuals: a death's terms less the mean of its risk sets, less what was expected while at risk."""
    count = np.maximum(np.bincount(sets.at, minlength=len(sets.starts)), 1)
    mean = (grouped(sums.mean, sets.at, len(sets.starts)) / count[:, None])[sets.group]
    expected = _passed(sets, 1 / sums.below)[:, None] * sets.x - _passed(sets, sums.mean / sums.below[:, None])
    return (sets.x - mean) * sets.event[:, None] - sums.hazard[:, None] * expected
