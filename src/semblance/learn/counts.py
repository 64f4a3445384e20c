"""What is counted of records under differential privacy: numbers in cells, and what follows from noisy counts alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from semblance.core.schema import Column
from semblance.core.shares import simplex
from semblance.privacy.audit import of_counts

CELLS = 16
"""Cells of a number that is known of a record."""


@dataclass(frozen=True, eq=False)
class Asked:
    """(n, d) `codes` with so many `sizes`, the patient of each row, and the `subsets` of columns that are counted."""

    codes: np.ndarray
    sizes: np.ndarray
    whose: np.ndarray
    subsets: tuple[tuple[int, ...], ...]


def of_looks(counts: Sequence[np.ndarray], asked: Iterable[tuple[Asked, int]], sigmas: Sequence[float]) -> float:
    """Log of how much more likely all noisy counts are with a patient than with nobody: `asked` is what is counted of
    it, and of how many of its records at most, look by look, with noise `sigmas`."""
    found, rest = 0.0, list(counts)
    for (one, clip), sigma in zip(asked, sigmas, strict=True):
        own, rest = rest[: len(one.subsets)], rest[len(one.subsets) :]
        found += of_counts(own, one.subsets, one.codes, sigma=sigma, clip=clip)
    return found


def each_alone(codes: np.ndarray, shapes: Sequence[tuple[int, ...]], whose: np.ndarray) -> Asked:
    """Columns of which each is counted by itself."""
    sizes = np.array([shape[0] for shape in shapes])
    return Asked(codes, sizes, whose, tuple((j,) for j in range(len(sizes))))


def cells_of(column: Column) -> int:
    """How many cells a declared column has; the last of them is for what is missing."""
    return CELLS + 1 if column.continuous else len(column.categories or ()) + 1


def edges_of(column: Column) -> np.ndarray:
    """(CELLS + 1,) where the cells of a declared number begin and end."""
    assert column.min is not None and column.max is not None
    return np.linspace(column.min, column.max, CELLS + 1)


def codes_of(series: pd.Series, column: Column) -> np.ndarray:
    """(n,) the cells of a declared column's values."""
    if not column.continuous:
        codes = series.cat.codes.to_numpy().astype(np.int64)
        return np.where(codes < 0, len(column.categories or ()), codes)
    values, edges = series.to_numpy(dtype=float), edges_of(column)
    cells = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, CELLS - 1)
    return np.where(np.isfinite(values), cells, CELLS)


def normal_of(
    counts: np.ndarray,
    edges: np.ndarray,
    total: np.ndarray,
    *,
    sigma: float,
    mean: np.ndarray | float,
    around: float,
    spread: np.ndarray | float,
) -> tuple[np.ndarray, np.ndarray]:
    """(m,) means and standard deviations of numbers: (m, cells) were counted with noise `sigma`, of (m,) in all.

    The posterior mean over a grid; beforehand the mean is taken to be `mean` but for `around`, the standard deviation
    to be `spread` but for a factor of 2.
    """
    reach = edges[-1] - edges[0]
    means, spreads = np.linspace(edges[0], edges[-1], 81), np.geomspace(reach / 400, reach / 2, 20)
    m, s = (part.ravel() for part in np.meshgrid(means, spreads, indexing="ij"))
    below = ndtr((edges[None, 1:-1] - m[:, None]) / s[:, None])
    cells = np.diff(below, prepend=0.0, append=1.0)
    n = np.maximum(total, 0.0)[:, None]
    noise = sigma**2 + n[:, 0] / counts.shape[1]
    fit = -(np.square(counts).sum(1)[:, None] - 2 * n * (counts @ cells.T) + n**2 * np.square(cells).sum(1))
    before = -np.square((m - np.reshape(mean, (-1, 1))) / around) / 2
    before = before - np.square(np.log(s / np.reshape(spread, (-1, 1))) / np.log(2)) / 2
    score = fit / (2 * noise[:, None]) + before
    weight = np.exp(score - score.max(1, keepdims=True))
    weight /= weight.sum(1, keepdims=True)
    return weight @ m, np.exp(weight @ np.log(s))


def shares(counts: np.ndarray) -> np.ndarray:
    """Shares of noisy counts; even ones where nothing was counted."""
    total = counts.sum()
    return simplex(counts / total) if total > 0 else np.full(len(counts), 1 / len(counts))


def normal_of_one(counts: np.ndarray, edges: np.ndarray, sigma: float, **before: float) -> tuple[float, float]:
    """Mean and standard deviation of one number, of which the last cell counts those that lack it."""
    known = counts[None, :-1]
    mean, spread = normal_of(known, edges, known.sum(1), sigma=sigma, **before)
    return float(mean[0]), float(spread[0])
