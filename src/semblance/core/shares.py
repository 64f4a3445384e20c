"""Shares as whole numbers."""

from __future__ import annotations

import numpy as np


def largest_remainder(shares: np.ndarray, n: int) -> np.ndarray:
    """(k,) whole numbers that sum to n, each within one of `shares` * n; ties go to the first."""
    exact = np.asarray(shares, dtype=float) / np.sum(shares) * n
    whole: np.ndarray = np.floor(exact + 1e-9).astype(np.int64)
    left = n - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:left]] += 1
    return whole
