"""The codes of a declared schema for peers that know only small integers, on a grid as public as the schema itself.

Categories are those that are declared, combinations that are listed are one column, and so are whole numbers of a short
range. Other numbers have our own cells, put together in their order to at most CELLS, but the first one, that of the
lower bound, stands alone. A code is turned into a value evenly within its cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from semblance.core.schema import Schema
from semblance.modalities.table.codes import Categories, Numbers
from semblance.modalities.table.data import Table
from semblance.modalities.table.domain import public_encoding
from semblance.modalities.table.encode import Encoding

CELLS = 32
EXACT = 100
"""Whole numbers in a range of at most so many stand for themselves."""


@dataclass(frozen=True)
class Discrete:
    """`groups` has of each column the group of each of our codes, `widths` how much of the group a code is."""

    encoding: Encoding
    groups: tuple[np.ndarray, ...]
    widths: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, schema: Schema, *, cells: int = CELLS) -> Discrete:
        """Nothing but the declared schema is looked at."""
        encoding = public_encoding(schema)
        found = [_grouped(column, cells) for column in encoding.columns]
        return cls(encoding, tuple(group for group, _ in found), tuple(width for _, width in found))

    @property
    def sizes(self) -> dict[str, int]:
        """How many codes a column has, by the name that peers get."""
        return {f"c{j}": int(group.max()) + 1 for j, group in enumerate(self.groups)}

    @property
    def missing(self) -> dict[str, int]:
        """The code of the missing value: a number's first, a category's last."""
        places = [column.other if isinstance(column, Categories) else 0 for column in self.encoding.columns]
        return {f"c{j}": int(self.groups[j][place]) for j, place in enumerate(places)}

    def coded(self, table: Table) -> pd.DataFrame:
        """(n, columns) int64 codes."""
        codes = self.encoding.encode(table)
        return pd.DataFrame({f"c{j}": group[codes[:, j]] for j, group in enumerate(self.groups)})

    def decoded(self, codes: pd.DataFrame, *, rng: np.random.Generator) -> Table:
        """Values again, each record of a patient of its own."""
        parts = zip(self.sizes, self.groups, self.widths, strict=True)
        drawn = [_drawn(codes[name].to_numpy(dtype=np.int64), group, width, rng) for name, group, width in parts]
        return self.encoding.decode(np.column_stack(drawn), first_subject=0, rng=rng)


def _grouped(column: Categories | Numbers, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """The group of each code and its width; of a number the missing value and the first cell are alone."""
    if isinstance(column, Categories) or column.size <= EXACT + 1:
        return np.arange(column.size), np.ones(column.size)
    width = np.ones(len(column.tokens)) if len(column.tokens) else column.knots[2::3] - column.knots[::3]
    each = -(-(len(width) - 1) // (cells - 1))
    return np.concatenate([[0, 1], 2 + np.arange(len(width) - 1) // each]), np.concatenate([[1.0], width])


def _drawn(codes: np.ndarray, group: np.ndarray, width: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n,) one of our codes from each group, as often as it is wide."""
    ends = np.cumsum(width)
    starts = np.concatenate([[0.0], ends])[np.searchsorted(group, np.arange(int(group.max()) + 2))]
    at = starts[codes] + rng.random(len(codes)) * (starts[codes + 1] - starts[codes])
    return np.searchsorted(ends, at, side="right").clip(max=len(group) - 1)
