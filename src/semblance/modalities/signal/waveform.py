"""Pieces as waves in time, for generators that draw every sample themselves.

Each lead is brought to mean 0 and variance 1. What stands for it are the cosines of the wave (DCT-II, Ahmed, Natarajan
& Rao 1974), an exact turn of its samples: distances stay, and styles of which each number is drawn apart are colored
as those of the cohort, where apart in time they would hiss. Networks see the wave itself (`in_time`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.fft import dct, idct

from semblance.modalities.signal.data import Pieces

TINY, FLAT = 1e-12, 1e-6
"""A lead that hardly moves beside the others is scaled as if it had this part of their spread."""


@dataclass(frozen=True, eq=False)
class Waveform:
    """`center` and `spread` (leads,) of a wave of `size` (1,) samples."""

    labels: tuple[str, ...]
    center: np.ndarray
    spread: np.ndarray
    size: np.ndarray

    @classmethod
    def fit(cls, pieces: Pieces) -> Self:
        """The level and the spread of each lead."""
        center, spread = pieces.waves.mean((0, 2)), pieces.waves.std((0, 2))
        least = max(TINY, FLAT * float(spread.max(initial=0)))
        names = tuple(sorted(set(pieces.labels)))
        return cls(names, center, np.maximum(spread, least), np.array([pieces.waves.shape[2]]))

    @property
    def width(self) -> int:
        """How many numbers stand for a piece."""
        return len(self.center) * int(self.size[0])

    def encode(self, pieces: Pieces) -> np.ndarray:
        """(n, width) float32: the cosines of one lead after the other."""
        return cosines((pieces.waves - self.center[:, None]) / self.spread[:, None])

    def decode(self, numbers: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, leads, samples) float32 waves of (n, width) numbers; nothing is left to be drawn."""
        waves = in_time(numbers, leads=len(self.center))
        return (waves * self.spread[:, None] + self.center[:, None]).astype(np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        """All but the names of the labels."""
        return {"center": self.center, "spread": self.spread, "size": self.size}

    @classmethod
    def from_arrays(cls, labels: tuple[str, ...], arrays: Mapping[str, np.ndarray]) -> Self:
        """The inverse of `arrays`."""
        return cls(labels, arrays["center"], arrays["spread"], arrays["size"])


def cosines(waves: np.ndarray) -> np.ndarray:
    """(n, leads * samples) float32 of (n, leads, samples) waves."""
    turned: np.ndarray = dct(waves.astype(np.float32), norm="ortho")
    return turned.reshape(len(waves), -1)


def in_time(numbers: np.ndarray, *, leads: int) -> np.ndarray:
    """(n, leads, samples) float32 waves of (n, leads * samples) cosines: the inverse of `cosines`."""
    apart = numbers.astype(np.float32).reshape(len(numbers), leads, numbers.shape[1] // leads)
    waves: np.ndarray = idct(apart, norm="ortho")
    return waves
