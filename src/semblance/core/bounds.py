"""Bounds of numbers that tell of no single patient."""

from __future__ import annotations

import numpy as np


def ends(values: np.ndarray, who: np.ndarray, *, rare: int) -> tuple[float, float]:
    """The lowest and the highest value that `rare` patients reach; the median of all where there are too few."""
    if not len(values):
        return 0.0, 0.0
    code = np.unique(who, return_inverse=True)[1]
    if code.max() + 1 < 2 * rare:
        return float(np.median(values)), float(np.median(values))
    top, bottom = np.full(code.max() + 1, -np.inf), np.full(code.max() + 1, np.inf)
    np.maximum.at(top, code, values)
    np.minimum.at(bottom, code, values)
    return float(np.sort(bottom)[rare - 1 : rare + 1].mean()), float(np.sort(top)[::-1][rare - 1 : rare + 1].mean())
