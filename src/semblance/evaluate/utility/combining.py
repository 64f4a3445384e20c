"""Combining rules: what an analyst says from several synthetic copies of the same data.

Each rule takes the estimates (m, ...) of m copies and their squared standard errors, and gives the mean with the
variance and the degrees of freedom that make its interval honest about the real world. Which rule holds depends on how
the copies were made:

- `reiter`: some values replaced by draws from their posterior predictive distribution (partially synthetic);
- `raghunathan`: new people, drawn from the posterior predictive distribution (fully synthetic);
- `raab`: all values drawn from a model that was fitted once to the observed data, as generators do.

>>> round(float(reiter(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.5, 0.5])).variance), 3)
0.833
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Combined:
    """One estimate (...) from several copies, its variance (...), and the degrees of freedom (...) of Student's t."""

    estimate: np.ndarray
    variance: np.ndarray
    freedom: np.ndarray


def reiter(estimates: np.ndarray, variances: np.ndarray) -> Combined:
    """Partially synthetic copies (Reiter 2003): u + b/m, (m - 1) (1 + u m/b)^2 degrees."""
    m, mean, within, between = _parts(estimates, variances, least=2)
    ratio = _ratio(between / m, within)
    return Combined(mean, within + between / m, (m - 1) * (1 + 1 / ratio) ** 2)


def raghunathan(estimates: np.ndarray, variances: np.ndarray, *, synthetic: int, observed: int) -> Combined:
    """Fully synthetic copies (Raghunathan, Reiter and Rubin 2003): (1 + 1/m) b - u, (m - 1) (1 - 1/r)^2 degrees.

    Here r = (1 + 1/m) b / u, and there is at least 1 degree. Where the difference is not positive, Reiter's (2002)
    u k/n takes its place, for k `synthetic` records of n `observed` ones, with m - 1 degrees.
    """
    m, mean, within, between = _parts(estimates, variances, least=2)
    total = (1 + 1 / m) * between - within
    ratio = _ratio((1 + 1 / m) * between, within)
    fixed = total <= 0
    variance = np.where(fixed, within * synthetic / observed, total)
    return Combined(mean, variance, np.where(fixed, m - 1, np.maximum((m - 1) * (1 - 1 / ratio) ** 2, 1.0)))


def raab(estimates: np.ndarray, variances: np.ndarray, *, synthetic: int, observed: int) -> Combined:
    """Copies from a model fitted once to the observed data (Raab, Nowok and Dibben 2016): u (k/n + 1/m), normal.

    Nothing is taken from the spread between copies, so it holds for one copy as well.
    """
    m, mean, within, _ = _parts(estimates, variances, least=1)
    return Combined(mean, within * (synthetic / observed + 1 / m), np.full_like(mean, math.inf))


def _parts(
    estimates: np.ndarray, variances: np.ndarray, *, least: int
) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """Copies, mean estimate, mean variance within and variance between."""
    estimates, variances = np.asarray(estimates, dtype=float), np.asarray(variances, dtype=float)
    m = len(estimates)
    if m < least:
        raise ValueError(f"this rule needs at least {least} copies")
    between = estimates.var(axis=0, ddof=1) if m > 1 else np.zeros_like(estimates[0])
    return m, np.asarray(estimates.mean(axis=0)), np.asarray(variances.mean(axis=0)), np.asarray(between)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, never 0: copies that agree exactly have as many degrees of freedom as one can count."""
    return np.maximum(np.divide(part, whole, out=np.ones_like(part), where=whole > 0), 1e-150)
