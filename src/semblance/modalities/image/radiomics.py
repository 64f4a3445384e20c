"""Radiomics of images: first-order moments of brightness, and texture by co-occurrence of grey levels.

Haralick et al. 1973; definitions of the Image Biomarker Standardisation Initiative (Zwanenburg et al. 2020), over all
pixels of the first channel and over all directions of neighbours at a distance of one.
"""

from __future__ import annotations

import numpy as np

LEVELS = 16
"""Grey levels between the bounds."""
NAMES = (
    *("brightness", "spread", "skewness", "kurtosis", "dark tenth", "median", "bright tenth", "entropy", "gradient"),
    *("contrast", "dissimilarity", "homogeneity", "energy", "correlation", "joint entropy"),
)
PART, NUMBERS = 500, 2**22
"""Images that are looked at together, at most, and the pixels that these have."""


def radiomics(pixels: np.ndarray, *, low: float, high: float) -> np.ndarray:
    """(n, len(NAMES)) float64 of (n, channels, ...) pixels; levels are counted between `low` and `high`."""
    step = max(1, min(PART, NUMBERS // int(np.prod(pixels.shape[2:]))))
    parts = np.split(pixels[:, 0], range(step, len(pixels), step))
    return np.concatenate([np.column_stack([_moments(part, low, high), _texture(part, low, high)]) for part in parts])


def _moments(x: np.ndarray, low: float, high: float) -> np.ndarray:
    flat = x.reshape(len(x), -1).astype(float)
    mean, spread = flat.mean(1), flat.std(1)
    unit = (flat - mean[:, None]) / np.maximum(spread, 1e-9)[:, None]
    tenths = np.quantile(flat, [0.1, 0.5, 0.9], axis=1)
    shares = _counts(levels(x, low, high).reshape(len(x), -1), LEVELS)
    steps = [np.abs(np.diff(x.astype(float), axis=axis)).reshape(len(x), -1).mean(1) for axis in range(1, x.ndim)]
    return np.column_stack(
        [mean, spread, (unit**3).mean(1), (unit**4).mean(1), *tenths, _entropy(shares), np.mean(steps, 0)]
    )


def levels(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """The grey level of each pixel, 0 .. LEVELS - 1."""
    made: np.ndarray = np.clip((x - low) / (high - low) * LEVELS, 0, LEVELS - 1).astype(np.int64)
    return made


def cooccurrence(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """(n, LEVELS, LEVELS) shares of pairs of neighbours with these levels, along all axes and both ways."""
    grey = levels(x, low, high)
    counts = np.zeros((len(x), LEVELS * LEVELS))
    for axis in range(1, x.ndim):
        one = np.delete(grey, -1, axis).reshape(len(x), -1)
        other = np.delete(grey, 0, axis).reshape(len(x), -1)
        counts += _counts(one * LEVELS + other, LEVELS * LEVELS) * one.shape[1]
    both = counts.reshape(-1, LEVELS, LEVELS)
    both = both + both.transpose(0, 2, 1)
    made: np.ndarray = both / both.sum((1, 2), keepdims=True)
    return made


def _texture(x: np.ndarray, low: float, high: float) -> np.ndarray:
    shares = cooccurrence(x, low, high)
    i, j = np.meshgrid(np.arange(LEVELS), np.arange(LEVELS), indexing="ij")
    mean = (shares * i).sum((1, 2))
    variance = (shares * (i - mean[:, None, None]) ** 2).sum((1, 2))
    together = (shares * (i - mean[:, None, None]) * (j - mean[:, None, None])).sum((1, 2))
    return np.column_stack(
        [
            (shares * (i - j) ** 2).sum((1, 2)),
            (shares * np.abs(i - j)).sum((1, 2)),
            (shares / (1 + (i - j) ** 2)).sum((1, 2)),
            (shares**2).sum((1, 2)),
            np.where(variance > 1e-9, together / np.maximum(variance, 1e-9), 1.0),
            _entropy(shares.reshape(len(x), -1)),
        ]
    )


def _counts(codes: np.ndarray, size: int) -> np.ndarray:
    """(n, size) shares of codes (n, m) in each row."""
    n, m = codes.shape
    place = (codes + np.arange(n)[:, None] * size).ravel()
    made: np.ndarray = np.bincount(place, minlength=n * size).reshape(n, size) / max(m, 1)
    return made


def _entropy(shares: np.ndarray) -> np.ndarray:
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    made: np.ndarray = -(shares * logs).sum(1)
    return made
