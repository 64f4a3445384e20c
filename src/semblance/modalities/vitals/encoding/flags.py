"""Whether something is so, as a number of mean 0 and variance about 1, and back.

A learned number is not only near yes and no: a Gaussian knows the share alone. So a yes begins at the normal quantile
of the share and not half way, where no yes of few would ever come.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

SMALL = 1e-3
"""Variance that even a rare flag is taken to have, so that one yes is no giant."""


def encoded(flags: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """(n, k) numbers of (n, k) bool, of which `shares` (k,) are true."""
    made: np.ndarray = (flags - shares) / _unit(shares)
    return made


def above(numbers: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """(n, k) how far numbers are beyond where a yes begins: with normal ones, as many as the shares (k,) are."""
    inner = np.clip(shares, 1e-9, 1 - 1e-9)
    begin = ndtri(1 - inner) * np.sqrt(inner * (1 - inner)) / _unit(inner)
    made: np.ndarray = numbers - np.select([shares <= 0, shares >= 1], [np.inf, -np.inf], begin)
    return made


def _unit(shares: np.ndarray) -> np.ndarray:
    made: np.ndarray = np.sqrt(shares * (1 - shares) + SMALL)
    return made
