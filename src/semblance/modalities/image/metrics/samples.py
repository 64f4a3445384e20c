"""The images that metrics look at (see `core.sampled`), and images made small."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.sampled import LEAST, Samples
from semblance.modalities.image.data import Images

__all__ = ["LEAST", "SAMPLES", "Measured", "each", "pooled"]
Measured = Evidence[Images]
SAMPLES = Samples[Images]("images", {"fast": 400, "standard": 1_000, "audit": 5_000})


NUMBERS = 2**22
"""Pixels that are looked at together, where each image is described by itself."""


def each(describe: Callable[[np.ndarray], np.ndarray], pixels: np.ndarray) -> np.ndarray:
    """`describe(pixels)` of images (n, channels, ...) that it describes one by one, some at a time."""
    step = max(1, NUMBERS // int(np.prod(pixels.shape[1:])))
    return np.concatenate([describe(part) for part in np.split(pixels, range(step, len(pixels), step))])


def pooled(pixels: np.ndarray, most: int) -> np.ndarray:
    """(n, channels, ...) float64, neighbours averaged until no side is longer than `most`."""
    return each(lambda part: _pooled(part, most), pixels)


def _pooled(pixels: np.ndarray, most: int) -> np.ndarray:
    x = pixels.astype(np.float64)
    for axis in range(2, x.ndim):
        factor = -(-x.shape[axis] // most)
        if factor > 1:
            kept = x.shape[axis] // factor * factor
            x = np.take(x, np.arange(kept), axis)
            x = x.reshape(*x.shape[:axis], -1, factor, *x.shape[axis + 1 :]).mean(axis + 1)
    return x
