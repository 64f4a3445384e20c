"""A generator in one file: every column depends on one column, the centre, and on nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from semblance.core.model import Card
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.coded import CodedModel, CodedSpec, saved

CARD = Card(
    name="star",
    summary="every column given one centre column",
    paper="Chow and Liu, Approximating discrete probability distributions with dependence trees, 1968 (a star)",
    conditional=True,
)


@dataclass(frozen=True)
class Star(CodedSpec):
    """The options are fields; here one of its own beside those of the encoding."""

    smoothing: float = 0.5
    """Pseudo-count of every cell."""
    card: ClassVar[Card] = CARD

    def learn(self, encoding: Encoding, codes: np.ndarray) -> StarModel:
        """Count each column's codes beside the centre's, which is the column with the most codes."""
        sizes = encoding.sizes
        centre = int(np.argmax(sizes))
        cells = {
            f"column{j}": _shares(codes[:, [centre, j]], sizes[[centre, j]], self.smoothing) for j in range(len(sizes))
        }
        return StarModel(encoding, self.to_json(), centre, cells)

    @staticmethod
    def load(folder: Path) -> StarModel:
        """The inverse of `save`."""
        encoding, options, arrays = saved(folder)
        return StarModel(encoding, options, int(arrays.pop("centre")[0]), arrays)


@dataclass(frozen=True)
class StarModel(CodedModel):
    """`cells[column j]` (codes of the centre, codes of j): shares that sum to one in each row."""

    centre: int
    cells: dict[str, np.ndarray]
    card: ClassVar[Card] = CARD

    def draw(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes: records of which nothing is known, completed."""
        return self.complete(np.full((n, len(self.cells)), -1), rng=rng)

    def complete(self, known: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes with -1 where nothing is known: the centre first, then every column given the centre."""
        middle = _pick(self._middle(known), rng)
        columns = [_pick(self.cells[f"column{j}"][middle], rng) for j in range(len(self.cells))]
        columns[self.centre] = middle
        return np.where(known < 0, np.column_stack(columns), known)

    def conditional(self, known: np.ndarray, column: int) -> np.ndarray:
        """(n, size) shares of a column: those of the centre, and what each of its codes says of the column."""
        middle = self._middle(known)
        return middle if column == self.centre else middle @ _rows(self.cells[f"column{column}"])

    def _middle(self, known: np.ndarray) -> np.ndarray:
        """(n, codes of the centre) shares given what is known, by Bayes' rule."""
        shares = np.tile(np.diag(self.cells[f"column{self.centre}"]), (len(known), 1))
        for j in range(len(self.cells)):
            here = known[:, j] >= 0
            told = np.eye(shares.shape[1]) if j == self.centre else _rows(self.cells[f"column{j}"])
            shares[here] *= told[:, known[here, j]].T
        return _rows(shares)

    def arrays(self) -> dict[str, np.ndarray]:
        """What is saved."""
        return {**self.cells, "centre": np.array([self.centre])}


def _shares(pair: np.ndarray, sizes: np.ndarray, smoothing: float) -> np.ndarray:
    cells = np.full(tuple(sizes), smoothing)
    np.add.at(cells, tuple(pair.T), 1.0)
    return cells / cells.sum()


def _rows(cells: np.ndarray) -> np.ndarray:
    return cells / cells.sum(1, keepdims=True)


def _pick(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    ends = weights.cumsum(1)
    return (rng.random((len(weights), 1)) * ends[:, -1:] < ends).argmax(1)
