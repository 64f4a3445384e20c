"""How alike two segmentations are: the Dice coefficient and the Hausdorff distance without its farthest twentieth."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.ndimage import binary_erosion, distance_transform_edt

FAR = 95.0
"""The percentile of distances that counts as the farthest."""
Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]


def dice(found: np.ndarray, real: np.ndarray) -> np.ndarray:
    """(n,) 2 |A and B| / (|A| + |B|) of (n, ...) bool; 1 where both are empty."""
    one, other = found.reshape(len(found), -1), real.reshape(len(real), -1)
    total = one.sum(1) + other.sum(1)
    made: np.ndarray = np.where(total > 0, 2 * (one & other).sum(1) / np.maximum(total, 1), 1.0)
    return made


def over_shown(measure: Measure, found: np.ndarray, real: np.ndarray, classes: int) -> np.ndarray:
    """(n,) the mean of a measure over the classes but the first that real (n, ...) codes show, NaN where they show
    none: to mark nothing where nothing is does not say how well anything is marked."""
    each = [measure(found == c, real == c) for c in range(1, classes)]
    return _mean(np.array(each), _shown(real, classes))


def alarms(found: np.ndarray, real: np.ndarray, classes: int) -> np.ndarray:
    """(n,) which share of the classes but the first that real codes do not show is marked, NaN where they show all."""
    return _mean(_shown(found, classes), ~_shown(real, classes))


def _shown(codes: np.ndarray, classes: int) -> np.ndarray:
    """(classes - 1, n) whether codes show each class but the first."""
    flat = codes.reshape(len(codes), -1)
    return np.array([(flat == c).any(1) for c in range(1, classes)])


def _mean(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """(n,) means of (classes, n) values."""
    count = where.sum(0)
    made: np.ndarray = np.where(count > 0, (values * where).sum(0) / np.maximum(count, 1), np.nan)
    return made


def hd95(found: np.ndarray, real: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """(n,) the larger of the 95th percentiles of distances from the edge of one to the edge of the other, in units of
    `spacing`: 0 where both are empty, the diagonal of the image where one is."""
    return np.array([_hd95(a, b, spacing) for a, b in zip(found, real, strict=True)])


def _hd95(a: np.ndarray, b: np.ndarray, spacing: Sequence[float]) -> float:
    if not a.any() and not b.any():
        return 0.0
    if not a.any() or not b.any():
        return float(np.linalg.norm(np.array(a.shape) * np.array(spacing)))
    edges = [x & ~binary_erosion(x) for x in (a, b)]
    away = [distance_transform_edt(~edge, sampling=spacing) for edge in edges]
    return float(max(np.percentile(away[1][edges[0]], FAR), np.percentile(away[0][edges[1]], FAR)))
