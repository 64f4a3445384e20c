"""A slow series told by the power in a few bands of frequency, and drawn again from them as a Gaussian process."""

from __future__ import annotations

import numpy as np

BINS, BANDS = 256, 10
"""The spectrum is told by so many bands, even on the log scale, down to half a cycle in BINS samples."""


def noise(bands: np.ndarray, n: int, *, rng: np.random.Generator) -> np.ndarray:
    """(n,) of a Gaussian process with so much power in each band (its variance is their sum)."""
    size = max(n, 2 * BINS)
    frequency = np.fft.rfftfreq(size)[1:]
    which = band_of(frequency)
    power = bands[which] / np.maximum(np.bincount(which, minlength=BANDS), 1)[which]
    waves = rng.standard_normal((2, len(frequency)))
    spectrum = np.concatenate([[0], (waves[0] + 1j * waves[1]) * np.sqrt(power) / 2 * size])
    made: np.ndarray = np.fft.irfft(spectrum, size)[:n]
    return made


def band_of(frequency: np.ndarray) -> np.ndarray:
    """Which band a frequency above 0 (in cycles per sample) belongs to: bands are even on the log scale."""
    edges = np.geomspace(1 / (2 * BINS), 0.5, BANDS + 1)[1:-1]
    return np.searchsorted(edges, frequency, side="right")


def band_power(series: np.ndarray) -> np.ndarray:
    """(BANDS,) the power of an evenly spaced series in each band; their sum is its variance."""
    centred = series - series.mean()
    spectrum = np.abs(np.fft.rfft(centred)[1:]) ** 2 * 2 / len(series) ** 2
    frequency = np.fft.rfftfreq(len(series))[1:]
    return np.bincount(band_of(frequency), weights=spectrum, minlength=BANDS)
