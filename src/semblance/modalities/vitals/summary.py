"""Each stay by some numbers of each channel: the first and the last value, the lowest, the highest, their mean, and how
many there are. It is how clinical scores look at a stay, and what judges learn from."""

from __future__ import annotations

import numpy as np

from semblance.modalities.vitals.data import Stays

NUMBERS = ("first", "last", "min", "max", "mean", "count")


def summary(stays: Stays) -> np.ndarray:
    """(n, channels, 6) float64 NUMBERS; NaN where a channel was not measured, whose count is 0."""
    n, c = len(stays), len(stays.channels)
    made = np.full((n * c, len(NUMBERS)), np.nan)
    made[:, -1] = 0
    key = stays.stay * c + stays.channel
    order = np.argsort(key, kind="stable")
    value, key = stays.value[order], key[order]
    begins = np.flatnonzero(np.diff(key, prepend=-1))
    if len(begins):
        ends = np.append(begins[1:], len(key)) - 1
        count = ends - begins + 1
        folded = (np.minimum, np.maximum, np.add)
        low, high, total = (fold.reduceat(value, begins) for fold in folded)
        made[key[begins]] = np.column_stack([value[begins], value[ends], low, high, total / count, count])
    return made.reshape(n, c, len(NUMBERS))
