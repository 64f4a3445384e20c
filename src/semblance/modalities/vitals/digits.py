"""With how many decimals values are written."""

from __future__ import annotations

import numpy as np

MOST, NEARLY = 6, 0.98


def decimals_of(values: np.ndarray) -> int:
    """The fewest decimals that nearly all values have, those that are missing (NaN) not counted.

    >>> decimals_of(np.array([36.6, 37.0, 38.2]))
    1
    """
    values = values[np.isfinite(values)]
    if not len(values):
        return 0
    for digits in range(MOST):
        if (np.abs(np.round(values, digits) - values) < 1e-9 * np.maximum(np.abs(values), 1)).mean() >= NEARLY:
            return digits
    return MOST
