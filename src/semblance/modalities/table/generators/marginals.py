"""Independent marginals: every column drawn on its own. The floor that every report shows beside the model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from semblance.core.model import Card
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.coded import CodedModel, CodedSpec, saved

CARD = Card(
    name="marginals",
    summary="every column on its own: keeps each distribution and no relation between columns; a floor, not a model",
    paper="the independence baseline; cf. Patki et al., The Synthetic Data Vault, DSAA 2016",
)


@dataclass(frozen=True)
class Marginals(CodedSpec):
    """Draws each column independently from its own codes."""

    find: bool = False
    """Whether relations are found: a floor keeps each column's own distribution, and no relation."""
    card: ClassVar[Card] = CARD

    def learn(self, encoding: Encoding, codes: np.ndarray) -> MarginalsModel:
        """Count the codes of each column."""
        return MarginalsModel(encoding, self.to_json(), shares_of(codes, encoding.sizes))

    @staticmethod
    def load(folder: Path) -> MarginalsModel:
        """The inverse of `save`."""
        encoding, options, arrays = saved(folder)
        return MarginalsModel(encoding, options, split_by_sizes(arrays["shares"], encoding.sizes))


@dataclass(frozen=True)
class MarginalsModel(CodedModel):
    """The share of every code of every column."""

    shares: tuple[np.ndarray, ...]
    card: ClassVar[Card] = CARD

    def draw(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes by inverse distribution function."""
        return pick(self.shares, rng.random((n, len(self.shares))))

    def arrays(self) -> dict[str, np.ndarray]:
        """All shares, one column after the other."""
        return {"shares": np.concatenate([*self.shares, np.zeros(0)])}


def shares_of(codes: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, ...]:
    """The share of each code in each column; uniform where there is no record."""
    counts = [np.bincount(codes[:, j], minlength=size).astype(float) for j, size in enumerate(sizes)]
    return tuple(c / c.sum() if c.sum() else np.full(len(c), 1 / len(c)) for c in counts)


def split_by_sizes(flat: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, ...]:
    """The inverse of concatenating one array per column."""
    return tuple(np.split(flat, np.cumsum(sizes)[:-1])) if len(sizes) else ()


def pick(shares: tuple[np.ndarray, ...], uniform: np.ndarray) -> np.ndarray:
    """(n, columns) codes where `uniform` (n, columns) crosses each column's distribution function."""
    codes = np.zeros(uniform.shape, dtype=np.int64)
    for j, share in enumerate(shares):
        codes[:, j] = np.minimum(np.searchsorted(np.cumsum(share), uniform[:, j], side="right"), len(share) - 1)
    return codes
