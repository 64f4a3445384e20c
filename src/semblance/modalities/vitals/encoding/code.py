"""What generators need of a code of stays: of what is learned from records, or of what is declared and counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from semblance.core.classes import Classes
from semblance.learn.drawn import Sizes
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.encoding.encoding import Encoding
from semblance.modalities.vitals.encoding.public import PublicEncoding


class Code(Protocol):
    """Vectors of stays, and back."""

    @property
    def sizes(self) -> Sizes:
        """How many numbers a vector has, and of how many classes it may be."""
        ...

    @property
    def known(self) -> Classes:
        """What can be asked for."""
        ...

    def stays(
        self, numbers: np.ndarray, labels: np.ndarray, *, first: int, rng: np.random.Generator, sure: bool = False
    ) -> Stays:
        """Stays of (n, width) vectors of classes (n,); the first one is of patient number `first`."""
        ...

    def completed(self, stays: Stays, *, seed: int) -> Stays:
        """Stays whose missing values are drawn given those that were measured."""
        ...

    def arrays(self) -> dict[str, np.ndarray]:
        """What is saved as tensors."""
        ...

    def to_json(self) -> dict[str, Any]:
        """All else as plain JSON."""
        ...


def restored(told: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Code:
    """The code that was saved."""
    return PublicEncoding.restored(told, arrays) if "public" in told else Encoding.restored(told, arrays)
