"""Beats as cosines that nobody has to look at recordings for: the first of each lead (DCT-II, Ahmed, Natarajan & Rao
1974), in units that follow from the declared range of its values and, where they were measured privately, from these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.fft import dct, idct

from semblance.modalities.signal.data import Pieces, Public

KEPT = 64
"""Cosines of each lead: in a window of a second, all below 31 Hz."""
TYPICAL, BEND = 0.04, 20
"""A wave is expected to move by this part of its range; its cosines get fainter beyond this one."""
FAR = 6.0
"""Numbers are kept within so many units."""


@dataclass(frozen=True, eq=False)
class Cosines:
    """`scale` (leads, cosines) are units, `low` and `high` (leads,) the ends of a wave of `size` (1,) samples."""

    labels: tuple[str, ...]
    scale: np.ndarray
    low: np.ndarray
    high: np.ndarray
    size: np.ndarray

    @classmethod
    def of(cls, public: Public, size: int) -> Self:
        """From declarations alone."""
        low, high = (np.array([span[end] for span in public.ranges], dtype=float) for end in (0, 1))
        falls = 1 / (1 + (np.arange(min(KEPT, size)) / BEND) ** 2)
        even = TYPICAL * np.sqrt(size / np.square(falls).sum()) * falls
        return cls(public.kinds, (high - low)[:, None] * even, low, high, np.array([size]))

    @property
    def width(self) -> int:
        """How many numbers stand for a piece."""
        return int(self.scale.size)

    def encode(self, pieces: Pieces) -> np.ndarray:
        """(n, width) float32: the cosines of one lead after the other."""
        whole = dct(pieces.waves.astype(np.float32), norm="ortho")[:, :, : self.scale.shape[1]]
        found: np.ndarray = (whole / self.scale).reshape(len(pieces), self.width).clip(-FAR, FAR).astype(np.float32)
        return found

    def decode(self, numbers: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, leads, samples) float32 waves of (n, width) numbers, within their range."""
        few = numbers.reshape(len(numbers), *self.scale.shape) * self.scale
        waves = idct(np.pad(few, ((0, 0), (0, 0), (0, int(self.size[0]) - few.shape[2]))), norm="ortho")
        made: np.ndarray = waves.clip(self.low[:, None], self.high[:, None]).astype(np.float32)
        return made

    def arrays(self) -> dict[str, np.ndarray]:
        """All but the names of the labels."""
        return {"scale": self.scale, "low": self.low, "high": self.high, "size": self.size}

    @classmethod
    def from_arrays(cls, labels: tuple[str, ...], arrays: Mapping[str, np.ndarray]) -> Self:
        """The inverse of `arrays`."""
        return cls(labels, **arrays)
