"""Wasserstein's distance between samples of numbers, column by column."""

from __future__ import annotations

import numpy as np

GRID = (np.arange(400) + 0.5) / 400


def wasserstein(made: np.ndarray, held: np.ndarray) -> np.ndarray:
    """(d,) W1 of the columns of (n, d) and (m, d): the mean gap between their quantiles, at 400 levels.

    Missing numbers are left out; a column that one side lacks altogether is infinitely far, and nan.
    """
    gap: np.ndarray = np.abs(quantiles(made) - quantiles(held)).mean(axis=0)
    return gap


def quantiles(x: np.ndarray) -> np.ndarray:
    """(400, d) quantiles of the known values of each column."""
    if np.isnan(x).any():
        return np.stack([_known(column) for column in x.T], axis=1)
    return _at(np.sort(x, axis=0))


def _known(column: np.ndarray) -> np.ndarray:
    known = np.sort(column[~np.isnan(column)])
    return _at(known) if len(known) else np.full(len(GRID), np.nan)


def _at(ordered: np.ndarray) -> np.ndarray:
    """The inverse of the empirical distribution at the levels."""
    taken: np.ndarray = ordered[(GRID * len(ordered)).astype(int)]
    return taken


def unit(x: np.ndarray) -> np.ndarray:
    """(d,) the range that holds the middle 90 % of each column's known values; 1 where that is empty."""
    known = np.where(np.isfinite(x), x, np.nan)
    some = np.isfinite(known).any(axis=0)
    low, high = np.nanquantile(np.where(some, known, 0.0), [0.05, 0.95], axis=0)
    made: np.ndarray = np.where(high > low, high - low, 1.0)
    return made
