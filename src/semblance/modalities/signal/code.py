"""What stands for a piece: numbers that styles are told by and generators learn, and the way back to waves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, Self

import numpy as np

from semblance.modalities.signal.data import Pieces


class Code(Protocol):
    """Pieces <-> numbers. Numbers of a piece may be moved and scaled alike, and drawn apart from each other."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the pieces it was fitted on."""
        ...

    @property
    def width(self) -> int:
        """How many numbers stand for a piece."""
        ...

    def encode(self, pieces: Pieces) -> np.ndarray:
        """(n, width) float32 numbers."""
        ...

    def decode(self, numbers: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, leads, samples) float32 waves, in physical units, of (n, width) numbers and (n,) labels."""
        ...

    def arrays(self) -> dict[str, np.ndarray]:
        """What is saved, but for the labels."""
        ...

    @classmethod
    def from_arrays(cls, labels: tuple[str, ...], arrays: Mapping[str, np.ndarray]) -> Self:
        """The inverse of `arrays`."""
        ...
