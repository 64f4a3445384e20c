"""Whether two tables measure alike: a column in other units has the same shape on another scale."""

from __future__ import annotations

import numpy as np

from semblance.core.errors import DataError, Problem
from semblance.modalities.table.data import Table
from semblance.modalities.table.grid import finite

KNOWN = 100  # numbers on a side, below which a shape says nothing
FACTOR = 4.0  # a smaller factor may be a difference between patients
ALIKE = 0.15  # Kolmogorov-Smirnov distance after the factor, up to which the shape is the same


def comparable(train: Table, other: Table, *, part: str) -> None:
    """Raise DataError for every column of numbers of `other` that looks like train's in another unit."""
    problems = []
    for column in train.schema.learned:
        if column.kind not in ("numeric", "integer"):
            continue
        factor = _factor(finite(train.frame[column.name].to_numpy()), finite(other.frame[column.name].to_numpy()))
        if factor is not None:
            found = (
                f"the {part} records hold about {_spoken(factor)} times the train records' numbers, in the same shape"
            )
            fix = "convert it to train's unit, or leave the column out of both"
            problems.append(Problem(found, "a column has one unit in all files", fix, column.name))
    if problems:
        raise DataError(*problems)


def _spoken(factor: float) -> str:
    return f"{float(f'{factor:.1g}'):,g}"


def _factor(train: np.ndarray, other: np.ndarray) -> float | None:
    """By what `other` is larger, if it is `train` on another scale."""
    if min(len(train), len(other)) < KNOWN:
        return None
    scale, size = (float(np.median(np.abs(values))) for values in (train, other))
    if scale == 0 or size == 0 or 1 / FACTOR < size / scale < FACTOR:
        return None
    factor = size / scale
    return factor if _distance(train * factor, other) <= ALIKE else None


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    every = np.sort(np.concatenate([a, b]))
    below = [np.searchsorted(np.sort(x), every, side="right") / len(x) for x in (a, b)]
    return float(np.abs(below[0] - below[1]).max())
