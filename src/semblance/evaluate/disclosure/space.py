"""Records as an attacker compares them: a vector space for the search, and an exact distance per column for the order.

The distance is Gower's (1971): a number's difference over the 5th to 95th percentile of train, at most 1, and 0 or 1
for categories. Missing equals missing and differs from all else.
"""

from __future__ import annotations

import numpy as np

from semblance.core.dataset import Features
from semblance.core.rng import stream

WIDTH = 32  # an exact copy stays at distance 0 however narrow; what is merely near is ordered by `gaps`
FAR = 4.0
NEAR = 0.05  # a guess of a number is right within this share of its spread


def spread(train: Features) -> np.ndarray:
    """(d,) distance from the 5th to the 95th percentile of each number in train; 0 where there is none."""
    made = np.zeros(len(train.names))
    for j in np.flatnonzero(~train.categorical):
        present = train.x[:, j][~np.isnan(train.x[:, j])]
        if len(present):
            made[j] = np.subtract(*np.quantile(present, [0.95, 0.05]))
    return made


def gaps(a: np.ndarray, b: np.ndarray, categorical: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(..., d) distance 0 to 1 per column of two tables of records (..., d) that broadcast."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        near = np.minimum(np.abs(a - b) / scale, 1.0)
    made = np.where(categorical | ~np.isfinite(near), a != b, near)
    return np.where(np.isnan(a) & np.isnan(b), 0.0, np.where(np.isnan(a) | np.isnan(b), 1.0, made))


def right(guess: np.ndarray, truth: np.ndarray, categorical: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(..., d) whether guesses are right: the same category, a number within NEAR of its spread, missing if missing."""
    made: np.ndarray = gaps(guess, truth, categorical, scale) <= np.where(categorical, 0.0, NEAR)
    return made


def vectors(
    x: np.ndarray, train: Features, columns: tuple[int, ...], scale: np.ndarray, *, width: int = WIDTH
) -> np.ndarray:
    """(n, d) records as (n, w) float32, w at most `width`: numbers over their spread with a missing flag, categories
    one-hot / sqrt(2).

    Where that is wider, its random projection (Johnson and Lindenstrauss 1984).
    """
    sizes = [_slots(train.x[:, j]) if train.categorical[j] else 2 for j in columns]
    narrow = sum(sizes) > width
    rng, made = stream(0, "attack space", *sizes), np.zeros((len(x), min(sum(sizes), width)), dtype=np.float32)
    for start, size, j in zip(np.cumsum(sizes) - sizes, sizes, columns, strict=True):
        axes = rng.standard_normal((size, width)) / np.sqrt(width) if narrow else np.eye(size, made.shape[1], start)
        if train.categorical[j]:
            made += (axes / np.sqrt(2)).astype(np.float32)[_slot(x[:, j], size)]
        else:
            made += (_number(x[:, j], train.x[:, j], scale[j]) @ axes).astype(np.float32)
    return made


def _number(column: np.ndarray, train: np.ndarray, scale: float) -> np.ndarray:
    missing, present = np.isnan(column), train[~np.isnan(train)]
    middle = np.median(present) if len(present) else 0.0
    moved = np.clip((column - middle) / (scale if scale > 0 else 1.0), -FAR, FAR)
    return np.stack([np.where(missing, 0.0, moved), missing], axis=1)


def _slots(train: np.ndarray) -> int:
    """The codes that train holds, one more for others, one for missing."""
    present = train[~np.isnan(train)]
    return int(present.max(initial=-1)) + 3


def _slot(column: np.ndarray, size: int) -> np.ndarray:
    return np.where(np.isnan(column), size - 1, np.minimum(column, size - 2)).astype(np.int64)
