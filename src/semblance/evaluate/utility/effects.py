"""What covariates do to survival in two data sets: by how much log hazard ratios differ, and how much they explain."""

from __future__ import annotations

import math

import numpy as np

from semblance.core.estimate import Estimate, basic, difference, folded, linearized
from semblance.evaluate.utility.agreement import Coefficients
from semblance.evaluate.utility.performance import Score

DRAWS = 400


def bias(real: Coefficients, other: Coefficients, *, rng: np.random.Generator) -> Estimate:
    """Mean distance of the log hazard ratios, with a parametric bootstrap of both sides' patients.

    A term that one side cannot estimate has no effect there.
    """
    sides = [_drawn(one, rng) for one in (real, other)]
    distance = np.abs(sides[0] - sides[1]).mean(axis=1)
    return basic(distance, n=max(min(real.patients, other.patients), 1), within=(0.0, math.inf))


def _drawn(one: Coefficients, rng: np.random.Generator) -> np.ndarray:
    """(1 + DRAWS, p) the coefficients, and draws of their normal distribution."""
    value, vector = np.linalg.eigh(np.nan_to_num(one.covariance))
    noise = rng.standard_normal((DRAWS, len(value))) * np.sqrt(np.maximum(value, 0.0))
    made: np.ndarray = np.nan_to_num(one.beta) + np.concatenate([np.zeros((1, len(value))), noise @ vector.T])
    return made


def inflation(real: Score, other: Score) -> tuple[Estimate, Estimate]:
    """The ratio of two likelihood-ratio statistics per record, and how far its logarithm is from 0 either way.

    Deviations of the logarithms come from the records' influences (delta method).
    """
    apart = difference(_log(other), _log(real))
    value, low, high = (math.exp(min(x, 50.0)) for x in (apart.value, apart.low, apart.high))
    return Estimate(value, low, high, apart.level, apart.n), folded(apart)


def _log(explained: Score) -> Estimate:
    """The logarithm of a statistic; one below half a unit in all records counts as that."""
    n = max(len(explained.influence), 1)
    value = max(explained.value, 0.5 / n)
    return linearized(math.log(value), explained.influence / value) if n > 1 else Estimate(math.log(value), -50.0, 50.0)
