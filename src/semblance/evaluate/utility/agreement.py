"""Do two data sets lead an analyst to the same coefficients? Overlap of intervals, equal signs, equal decisions.

The terms of the model are fixed; what varies are the patients. So an interval is the value with the spread that it has
while both sides' coefficients vary as their covariances say (a parametric bootstrap), which costs no further fit. The
spread, and not the draws' quantiles: draws around estimates differ by more than the estimates do, which pulls every
agreement down. A jackknife is no choice, since these measures have corners and jumps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtrit

from semblance.core.estimate import LEVEL, Estimate
from semblance.evaluate.utility.combining import raab
from semblance.evaluate.utility.regression import Fit, clustered

DRAWS = 400


@dataclass(frozen=True)
class Coefficients:
    """What one data set says: `beta` (p,) with `covariance` (p, p); NaN for a term that it holds only one value of.

    `records` and `patients` are those behind the fit.
    """

    beta: np.ndarray
    covariance: np.ndarray
    freedom: float
    records: int
    patients: int

    @property
    def half(self) -> np.ndarray:
        """(p,) half-lengths of the 95% intervals."""
        made: np.ndarray = stdtrit(min(self.freedom, 1e6), 0.5 + LEVEL / 2) * np.sqrt(np.diag(self.covariance))
        return made

    @property
    def significant(self) -> np.ndarray:
        """(p,) whether the 95% interval leaves 0 out."""
        return np.abs(self.beta) > self.half

    def as_many(self, records: int) -> Coefficients:
        """With intervals as long as those of so many records."""
        return replace(self, covariance=self.covariance * (self.records / records), records=records)


def coefficients(model: Callable[[np.ndarray], Fit], x: np.ndarray, patient: np.ndarray) -> Coefficients:
    """`model(design)` on the terms x (n, p) that vary; robust to patients (n,), whole numbers, who repeat.

    The model may put an intercept first, which is left out.
    """
    p, heads = x.shape[1], int(np.count_nonzero(np.bincount(patient)))
    held = np.ptp(x, axis=0) > 0 if len(x) else np.zeros(p, dtype=bool)
    made = Coefficients(np.full(p, np.nan), np.full((p, p), np.nan), math.inf, len(x), heads)
    if not held.any():
        return made
    fit = model(x[:, held])
    fit = clustered(fit, patient) if heads < len(patient) else fit
    own = slice(len(fit.beta) - int(held.sum()), None)
    made.beta[held] = fit.beta[own]
    made.covariance[np.ix_(held, held)] = fit.covariance[own, own]
    return replace(made, freedom=fit.freedom)


def combined(copies: Sequence[Coefficients], observed: int) -> tuple[Coefficients, str]:
    """What one or several synthetic copies say of a model fitted to `observed` records, and the rule by which.

    One copy is taken as an analyst would who believes it real, its intervals as long as those of `observed` records.
    For several, Raab, Nowok and Dibben's u (k/n + 1/m): generators are fitted once and draw all values.
    """
    if len(copies) == 1:
        return copies[0].as_many(observed), "one copy, taken as real"
    size = round(float(np.mean([copy.records for copy in copies])))
    variances = np.array([np.diag(copy.covariance) for copy in copies])
    rule = raab(np.array([copy.beta for copy in copies]), variances, synthetic=size, observed=observed)
    scale = np.sqrt(rule.variance / variances[0])
    covariance = copies[0].covariance * scale * scale[:, None]
    heads = min(copy.patients for copy in copies)
    made = Coefficients(rule.estimate, covariance, math.inf, observed, heads)
    return made, "Raab, Nowok and Dibben (2016)"


def karr(a: np.ndarray, a_half: np.ndarray, b: np.ndarray, b_half: np.ndarray) -> np.ndarray:
    """The overlap of intervals a and b (Karr et al. 2006): the mean of the shares of each that both hold.

    1 for equal intervals. Disjoint ones have 0 here, not the negative number of the formula, so that no single term
    decides a mean; so has a term that one side cannot estimate.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        both = np.minimum(a + a_half, b + b_half) - np.maximum(a - a_half, b - b_half)
        share = (both / (2 * a_half) + both / (2 * b_half)) / 2
    return np.where(np.isfinite(share), np.clip(share, 0.0, 1.0), 0.0)


def overlap(real: Coefficients, other: Coefficients, *, rng: np.random.Generator) -> Estimate:
    """Mean `karr` overlap over the terms."""
    a_half, b_half = real.half, other.half
    return _spread(lambda a, b: karr(a, a_half, b, b_half).mean(axis=-1), real, other, rng)


def signs(real: Coefficients, other: Coefficients, *, rng: np.random.Generator) -> Estimate | None:
    """Share of equal signs among the terms that are significant in `real`; None where none is."""
    half = real.half

    def agree(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        counted = np.abs(a) > half
        same = ((np.sign(a) == np.sign(b)) & counted).sum(axis=-1)
        count = counted.sum(axis=-1)
        return np.where(count > 0, same / np.maximum(count, 1), np.nan)

    return _spread(agree, real, other, rng) if real.significant.any() else None


def decisions(real: Coefficients, other: Coefficients, *, rng: np.random.Generator) -> Estimate:
    """Share of the terms that are significant at 5% in both or in neither."""
    a_half, b_half = real.half, other.half
    return _spread(lambda a, b: ((np.abs(a) > a_half) == (np.abs(b) > b_half)).mean(axis=-1), real, other, rng)


def _spread(
    agree: Callable[[np.ndarray, np.ndarray], np.ndarray],
    real: Coefficients,
    other: Coefficients,
    rng: np.random.Generator,
) -> Estimate:
    """`agree` of both sides' coefficients (..., p), and 1.96 times its deviation over draws of them, within 0 and 1."""
    value = float(agree(real.beta, other.beta))
    half = float(ndtri(0.5 + LEVEL / 2)) * float(np.nanstd(agree(_draws(real, rng), _draws(other, rng))))
    return Estimate(value, max(0.0, value - half), min(1.0, value + half), LEVEL, _patients(real, other))


def _draws(one: Coefficients, rng: np.random.Generator) -> np.ndarray:
    """(DRAWS, p) of the coefficients' normal distribution; NaN stays."""
    value, vector = np.linalg.eigh(np.nan_to_num(one.covariance))
    noise = rng.standard_normal((DRAWS, len(value))) * np.sqrt(np.maximum(value, 0.0))
    made: np.ndarray = one.beta + noise @ vector.T
    return made


def _patients(real: Coefficients, other: Coefficients) -> int:
    return max(min(real.patients, other.patients), 1)


def told(names: Sequence[str], real: Coefficients, other: Coefficients) -> list[dict[str, Any]]:
    """Each term with both intervals and their overlap, for the report; None for what one side cannot estimate."""
    shares = karr(real.beta, real.half, other.beta, other.half)
    sides = [(one.beta, one.beta - one.half, one.beta + one.half) for one in (real, other)]
    return [
        {
            "name": name,
            "real": _rounded([part[k] for part in sides[0]]),
            "synthetic": _rounded([part[k] for part in sides[1]]),
            "overlap": round(float(shares[k]), 4),
        }
        for k, name in enumerate(names)
    ]


def _rounded(values: Sequence[float]) -> list[float] | None:
    return [round(float(v), 4) for v in values] if np.isfinite(values).all() else None
