"""Records as generators learn them, for tests that only care for their numbers."""

from __future__ import annotations

import numpy as np

from semblance.learn.drawn import Learned


def learned(
    numbers: np.ndarray, labels: np.ndarray | None = None, *, kinds: int = 1, whose: np.ndarray | None = None
) -> Learned:
    """(n, d) numbers of one class, and of a patient each, where nothing else is said."""
    n = len(numbers)
    labels = np.zeros(n, dtype=np.int64) if labels is None else labels
    return Learned(numbers, labels, np.zeros((n, 0), np.float32), np.arange(n) if whose is None else whose, kinds)
