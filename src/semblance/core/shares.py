"""Shares as whole numbers, and noisy numbers as shares."""

from __future__ import annotations

import numpy as np


def largest_remainder(shares: np.ndarray, n: int) -> np.ndarray:
    """(k,) whole numbers that sum to n, each within one of `shares` * n; ties go to the first."""
    exact = np.asarray(shares, dtype=float) / np.sum(shares) * n
    whole: np.ndarray = np.floor(exact + 1e-9).astype(np.int64)
    left = n - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:left]] += 1
    return whole


def simplex(values: np.ndarray) -> np.ndarray:
    """The nearest nonnegative values that sum to one (Duchi et al., ICML 2008)."""
    ordered = np.sort(values)[::-1]
    above = np.cumsum(ordered) - 1
    last = np.flatnonzero(ordered - above / np.arange(1, len(ordered) + 1) > 0)[-1]
    found: np.ndarray = np.maximum(values - above[last] / (last + 1), 0)
    return found
