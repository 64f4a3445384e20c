"""Linear and logistic regression as an analyst publishes them: coefficients with their classical standard errors.

scikit-learn's models give no standard errors. Each fit also carries every record's influence on the coefficients, from
which follow the robust errors of patients who repeat.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit

STEPS = 40
HALVINGS = 12
TINY = 1e-8  # of the number of records: bounds the coefficients where a term separates the classes, else without effect
CLOSE = 1e-9


@dataclass(frozen=True)
class Fit:
    """`beta` (p,) with its `covariance` (p, p); `influence` (n, p) adds up to 0; `freedom` of Student's t."""

    beta: np.ndarray
    covariance: np.ndarray
    influence: np.ndarray
    freedom: float = math.inf


def linear(x: np.ndarray, y: np.ndarray) -> Fit:
    """Ordinary least squares of y (n,) on x (n, p) and an intercept, which comes first."""
    full = np.column_stack([np.ones(len(x)), x])
    inverse = _inverse(full.T @ full, len(x))
    beta = inverse @ (full.T @ y)
    residual = y - full @ beta
    freedom = max(len(y) - full.shape[1], 1)
    return Fit(beta, inverse * float(residual @ residual) / freedom, (full * residual[:, None]) @ inverse, freedom)


def logistic(x: np.ndarray, y: np.ndarray) -> Fit:
    """Logistic regression of y (n,) in {0, 1} on x (n, p) and an intercept, which comes first, by Newton's method."""
    full = np.column_stack([np.ones(len(x)), x])
    penalty = np.full(full.shape[1], TINY * len(x))

    def likelihood(beta: np.ndarray) -> float:
        eta = full @ beta
        return float((log_expit(eta) - (1 - y) * eta).sum() - penalty @ beta**2 / 2)

    def slope(beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        made = expit(full @ beta)
        bend = full.T @ (full * (made * (1 - made))[:, None]) + np.diag(penalty)
        return full.T @ (y - made) - penalty * beta, bend

    beta = newton(likelihood, slope, np.zeros(full.shape[1]))
    inverse = _inverse(slope(beta)[1], len(x))
    return Fit(beta, inverse, (full * (y - expit(full @ beta))[:, None]) @ inverse)


def newton(
    likelihood: Callable[[np.ndarray], float],
    slope: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    beta: np.ndarray,
) -> np.ndarray:
    """The maximum of a concave function; `slope` gives gradient and information. Steps are halved until they climb."""
    at = likelihood(beta)
    for _ in range(STEPS):
        gradient, bend = slope(beta)
        step = np.linalg.lstsq(bend, gradient, rcond=None)[0]
        for _ in range(HALVINGS):
            new = likelihood(beta + step)
            if new >= at:
                break
            step = step / 2
        else:
            return beta
        beta = beta + step
        if new - at <= CLOSE * (1e-3 + abs(at)) and np.abs(step).max(initial=0.0) <= 1e-7:
            return beta
        at = new
    return beta


def clustered(fit: Fit, clusters: np.ndarray) -> Fit:
    """The same fit with the sandwich covariance of patients whose records are alike (Liang and Zeger 1986).

    `clusters` (n,) are whole numbers. With the usual small-sample factor G/(G - 1) (n - 1)/(n - p), and G - 1 degrees.
    """
    sums = grouped(fit.influence, clusters, int(clusters.max()) + 1)
    units, (n, p) = len(np.unique(clusters)), fit.influence.shape
    factor = units / max(units - 1, 1) * (n - 1) / max(n - p, 1)
    return Fit(fit.beta, factor * sums.T @ sums, fit.influence, max(units - 1, 1))


def grouped(values: np.ndarray, code: np.ndarray, count: int) -> np.ndarray:
    """(count, p) sums of the rows (n, p) of each code."""
    return np.stack([np.bincount(code, weights=column, minlength=count) for column in values.T], axis=1)


def _inverse(bend: np.ndarray, n: int) -> np.ndarray:
    """The inverse; terms that repeat each other get a large variance rather than an error."""
    return np.linalg.inv(bend + np.eye(len(bend)) * TINY * 1e-2 * n)
