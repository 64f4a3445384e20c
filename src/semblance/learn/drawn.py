"""Records as vectors of numbers of a class, given further numbers: what is learned of them, and what draws them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from semblance.core.large import taken
from semblance.core.model import Plan, Watch


class Drawer(Protocol):
    """What was learned of records' numbers."""

    def draw(self, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) numbers of records of these labels (n,), given (n, c) numbers."""
        ...

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights, by name."""
        ...


@dataclass(frozen=True)
class Fitting:
    """How a fit runs."""

    rng: np.random.Generator
    plan: Plan
    watch: Watch | None
    resume: Path | None


@dataclass(frozen=True)
class Text:
    """Of how many words, at most, a text is that a network reads (`length`), and how many `words` it knows."""

    length: int
    words: int


@dataclass(frozen=True)
class Sizes:
    """How many numbers a record has, how many it is `given`, how many `kinds` (classes) there are, and over how many
    `channels` the numbers are spread alike. Of the given numbers the last ones are codes of words, where there is a
    `text`."""

    numbers: int
    given: int
    kinds: int
    channels: int = 1
    text: Text | None = None


@dataclass(frozen=True, eq=False)
class Learned:
    """Records as networks see them: (n, d) float32 `coefficients`, (n,) `labels`, (n, c) float32 `given`, and the
    patient of each; `kinds` labels there are, and the numbers are of so many `channels`. The last given numbers are
    codes of words, where there is a `text`. What is larger than `core.large.LARGE` lies in files."""

    coefficients: np.ndarray
    labels: np.ndarray
    given: np.ndarray
    subjects: np.ndarray
    kinds: int
    channels: int = 1
    text: Text | None = None

    def take(self, rows: np.ndarray) -> Learned:
        """The records at these positions (or under this mask)."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        held = taken(self.coefficients, rows), self.labels[rows], taken(self.given, rows), self.subjects[rows]
        return Learned(*held, self.kinds, self.channels, self.text)

    @property
    def sizes(self) -> Sizes:
        """The numbers of each."""
        return Sizes(self.coefficients.shape[1], self.given.shape[1], self.kinds, self.channels, self.text)
