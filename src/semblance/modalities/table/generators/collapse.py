"""Whether a generator still draws everything that it learned from: mode collapse, measured.

Drawn records and training records are laid on one coarse grid (tenths of a number, the commonest values of a category),
and compared there column by column and pair by pair. It costs little, so it can be looked at all through training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from semblance.core.errors import DataError
from semblance.core.rng import stream
from semblance.modalities.table.generators.dense import Span

LOOKED, COUNTED, TENTHS, COMMON, PAIRS = 2000, 20_000, 10, 20, 60
LEAST_COVERED, LEAST_ENTROPY, LEAST_DISTINCT = 0.3, 0.3, 0.1
JUDGED_FROM = 200
"""Steps before which a generator is untrained rather than collapsed."""


@dataclass(frozen=True)
class Likeness:
    """Draws beside as many training records; every number is 1 where they are alike and 0 where nothing is shared."""

    columns: dict[str, float]
    """Per column the mass that both distributions share, 1 - total variation."""
    coverage: float
    """Its mean over columns."""
    joint: float
    """The same over pairs of columns."""
    entropy: float
    """Mean over columns of the draws' entropy over that of the training records, at most 1."""
    distinct: float
    """Different records among the draws over those among as many training records, at most 1."""

    @property
    def collapsed(self) -> bool:
        """Whether hardly anything of the data is drawn any more."""
        alike = self.coverage >= LEAST_COVERED and self.entropy >= LEAST_ENTROPY
        return not (alike and self.distinct >= LEAST_DISTINCT)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, in thousandths."""
        single = {name: round(getattr(self, name), 3) for name in ("coverage", "joint", "entropy", "distinct")}
        return {**single, "columns": {name: round(value, 3) for name, value in self.columns.items()}}

    def refuse_collapse(self, *, name: str, steps: int) -> None:
        """Raise DataError where training long enough to tell has ended in a collapse."""
        if steps < JUDGED_FROM or not self.collapsed:
            return
        raise DataError.of(
            f"'{name}' collapsed: its records cover {self.coverage:.0%} of the columns' distributions, hold "
            f"{self.entropy:.0%} of their entropy, and {self.distinct:.0%} as many different records",
            rule=f"at least {LEAST_COVERED:.0%}, {LEAST_ENTROPY:.0%} and {LEAST_DISTINCT:.0%}",
            fix="learn longer or more slowly ([plan] steps, rate), or choose another with `semblance models`",
        )


class Monitor:
    """The grid of the training records. `packed` (n, spans) is what `Dense.pack` makes of them."""

    def __init__(self, spans: Sequence[Span], packed: np.ndarray) -> None:
        rows = stream(0, "monitor").permutation(len(packed))[:COUNTED]
        self.spans, self.size = spans, min(len(packed), LOOKED)
        self.grids = [_grid(span, packed[rows, k]) for k, span in enumerate(spans)]
        self.codes = self._codes(packed[rows])
        pairs = list(combinations(range(len(spans)), 2))
        self.pairs = [pairs[i] for i in stream(0, "pairs").permutation(len(pairs))[:PAIRS]]

    def measure(self, packed: np.ndarray) -> Likeness:
        """How alike (size, spans) drawn records are. Raises nothing: what is no number lies in the first tenth."""
        codes = self._codes(np.nan_to_num(packed))
        shared = [_overlap(mine, _shares(column)) for mine, column in zip(self._single, codes.T, strict=True)]
        spread = [
            min(_entropy(_shares(column)) / _entropy(mine), 1.0) if _entropy(mine) > 0 else 1.0
            for mine, column in zip(self._single, codes.T, strict=True)
        ]
        return Likeness(
            {
                name: float(np.mean([s for s, span in zip(shared, self.spans, strict=True) if span.column == name]))
                for name in dict.fromkeys(span.column for span in self.spans)
            },
            float(np.mean(shared)),
            self.joint(packed) if self.pairs else float(np.mean(shared)),
            float(np.mean(spread)),
            min(_distinct(codes) / _distinct(self.codes[: self.size]), 1.0),
        )

    def joint(self, packed: np.ndarray) -> float:
        """Mean mass that pairs of columns share."""
        codes = self._codes(np.nan_to_num(packed))
        drawn = [_shares(codes[:, i] * COMMON + codes[:, j], COMMON**2) for i, j in self.pairs or ((0, 0),)]
        return float(np.mean([_overlap(a, b) for a, b in zip(self._paired, drawn, strict=True)]))

    @cached_property
    def _single(self) -> list[np.ndarray]:
        return [_shares(column) for column in self.codes.T]

    @cached_property
    def _paired(self) -> list[np.ndarray]:
        codes = self.codes
        return [_shares(codes[:, i] * COMMON + codes[:, j], COMMON**2) for i, j in self.pairs or ((0, 0),)]

    def _codes(self, packed: np.ndarray) -> np.ndarray:
        columns = [
            np.searchsorted(grid, values, side="right") if span.kind == "scalar" else grid[values.astype(np.int64)]
            for span, grid, values in zip(self.spans, self.grids, packed.T, strict=True)
        ]
        return np.column_stack([np.zeros((len(packed), 0), dtype=np.int64), *columns])


def _grid(span: Span, values: np.ndarray) -> np.ndarray:
    """The borders between tenths of a number, or the place of each choice by frequency, the rare ones together."""
    if span.kind == "scalar":
        return np.unique(np.quantile(values, np.linspace(0, 1, TENTHS + 1)[1:-1]))
    count = np.bincount(values.astype(np.int64), minlength=span.width)
    return np.argsort(np.argsort(-count, kind="stable")).clip(max=COMMON - 1)


def _shares(codes: np.ndarray, size: int = COMMON) -> np.ndarray:
    return np.bincount(codes, minlength=size) / max(len(codes), 1)


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.minimum(a, b).sum())


def _entropy(shares: np.ndarray) -> float:
    held = shares[shares > 0]
    return float(-(held * np.log(held)).sum())


def _distinct(codes: np.ndarray) -> int:
    return len(np.unique(codes, axis=0))
