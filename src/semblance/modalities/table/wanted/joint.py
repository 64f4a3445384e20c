"""How a model shares the codes of a few columns that something is asked of: all of them, or weighted draws.

One column needs its marginal alone. A few columns with at most CELLS wanted combinations are gone through one by one,
each given those before: exact. Beyond that a model that can choose by itself does (a mixture, in closed form). Of
others the combinations are drawn by sequential importance sampling with resampling (Doucet, de Freitas and Gordon
2001): column after column from the wanted codes only, weighted by the probability that the model gave them; the error
is that of a share estimated from `effective` draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from semblance.core.errors import UsageError

CELLS, DRAWS, BLOCK = 4096, 32_768, 8192


class Conditional(Protocol):
    """What is needed of a model, in codes; -1 stands for what is not known."""

    def conditional(self, known: np.ndarray, column: int) -> np.ndarray:
        """(n, size) probabilities of a column given (n, columns) `known`."""
        ...

    def complete(self, known: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes: the unknown drawn given the known."""
        ...


@dataclass(frozen=True)
class Joint:
    """(m, k) `cells` of codes of k `columns`, and (m,) the `mass` of each. `effective`: as good as so many independent
    draws, None where exact. `total`: the probability of the wanted codes."""

    columns: tuple[int, ...]
    cells: np.ndarray
    mass: np.ndarray
    total: float
    effective: float | None = None

    @classmethod
    def of(cls, model: Conditional, wanted: Mapping[int, np.ndarray], *, width: int, rng: np.random.Generator) -> Joint:
        """The wanted codes of a model of `width` columns; `wanted[column]` (size,) is the share of each code."""
        columns = tuple(sorted(wanted, key=lambda j: (np.count_nonzero(wanted[j]), j)))
        find = _every if few(wanted) else _drawn
        cells, mass, effective = find(model, columns, wanted, width, rng)
        total = possible(float(mass.sum()))
        return cls(columns, cells, mass / total, total, effective)

    @classmethod
    def none(cls, total: float) -> Joint:
        """No columns: one cell, for a model that draws what is wanted by itself with probability `total`."""
        return cls((), np.zeros((1, 0), dtype=np.int64), np.ones(1), total)

    def place(self, column: int) -> int:
        """Where a column stands in `cells`."""
        return self.columns.index(column)

    def codes(self, column: int) -> np.ndarray:
        """(m,) codes of a column."""
        found: np.ndarray = self.cells[:, self.place(column)]
        return found


def possible(total: float) -> float:
    """The probability of what is wanted. Raises UsageError where it is 0."""
    if not total > 0:
        raise UsageError.of(
            "no record of the model is as wanted",
            rule="what is wanted together has a probability above 0",
            fix="leave one of the conditions out",
        )
    return total


def few(wanted: Mapping[int, np.ndarray]) -> bool:
    """Whether the wanted combinations of codes can be gone through one by one."""
    return bool(np.prod([float(np.count_nonzero(weight)) for weight in wanted.values()]) <= CELLS)


def pick(weights: np.ndarray, n: int, *, rng: np.random.Generator) -> np.ndarray:
    """(n,) positions drawn in proportion to (m,) weights."""
    ends = np.cumsum(weights)
    return np.minimum(np.searchsorted(ends, rng.random(n) * ends[-1], side="right"), len(ends) - 1)


def pick_each(weights: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """(n,) one position per row, in proportion to (n, m) weights; 0 where a row has none."""
    ends = np.cumsum(weights, axis=1)
    chosen: np.ndarray = (rng.random((len(ends), 1)) * ends[:, -1:] >= ends).sum(1)
    last = weights.shape[1] - 1 - np.argmax(weights[:, ::-1] > 0, axis=1)
    return np.minimum(chosen, last)


def shares_given(model: Conditional, known: np.ndarray, column: int) -> np.ndarray:
    """(n, size) `model.conditional` in blocks, as float64."""
    parts = [model.conditional(known[i : i + BLOCK], column) for i in range(0, len(known), BLOCK)]
    return np.concatenate(parts).astype(float)


def _known(cells: np.ndarray, columns: tuple[int, ...], width: int) -> np.ndarray:
    known = np.full((len(cells), width), -1, dtype=np.int64)
    known[:, list(columns)] = cells
    return known


Found = tuple[np.ndarray, np.ndarray, float | None]


def _every(
    model: Conditional, columns: tuple[int, ...], wanted: Mapping[int, np.ndarray], width: int, rng: np.random.Generator
) -> Found:
    cells, mass = np.zeros((1, 0), dtype=np.int64), np.ones(1)
    for k, j in enumerate(columns):
        share = shares_given(model, _known(cells, columns[:k], width), j) * wanted[j] * mass[:, None]
        row, code = np.nonzero(share > 0)
        cells, mass = np.column_stack([cells[row], code]), share[row, code]
    return cells, mass, None


def _drawn(
    model: Conditional, columns: tuple[int, ...], wanted: Mapping[int, np.ndarray], width: int, rng: np.random.Generator
) -> Found:
    cells, mass, effective = np.zeros((DRAWS, 0), dtype=np.int64), np.full(DRAWS, 1 / DRAWS), float(DRAWS)
    for k, j in enumerate(columns):
        share = shares_given(model, _known(cells, columns[:k], width), j) * wanted[j]
        cells, mass = np.column_stack([cells, pick_each(share, rng=rng)]), mass * share.sum(1)
        held = _effective(mass)
        effective = min(effective, held)
        if 0 < held < DRAWS / 2:
            rows = _systematic(mass, rng=rng)
            cells, mass = cells[rows], np.full(DRAWS, mass.sum() / DRAWS)
    return cells, mass, effective


def _effective(mass: np.ndarray) -> float:
    """Kish's effective number of draws."""
    return float(mass.sum() ** 2 / (mass**2).sum()) if mass.any() else 0.0


def _systematic(mass: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    points = (np.arange(len(mass)) + rng.random()) / len(mass) * mass.sum()
    return np.minimum(np.searchsorted(np.cumsum(mass), points, side="right"), len(mass) - 1)
