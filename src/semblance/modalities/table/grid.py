"""Tables as small whole numbers, coded on one reference part so that every part shares edges and codes.

Category codes are frequency ranks in the reference: code 0 is its most frequent category. Only counted values matter,
never `cat.categories`, which may list values that no row holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from semblance.modalities.table.data import Table


def counts(column: pd.Series) -> pd.Series:
    """Count of each category that some row holds, most frequent first, ties by name."""
    categories = np.asarray(column.cat.categories, dtype=object)
    held = np.bincount(column.cat.codes.to_numpy() + 1, minlength=len(categories) + 1)[1:]
    order = sorted(np.flatnonzero(held), key=lambda i: (-held[i], categories[i]))
    return pd.Series(held[order], index=pd.Index(categories[order], dtype=object))


def codes(column: pd.Series, names: pd.Index, *, other: int, missing: int) -> np.ndarray:
    """Position of each value in `names` (int64); `other` for a value outside it, `missing` for a missing one."""
    position = names.get_indexer(np.asarray(column.cat.categories, dtype=object))
    coded = np.append(np.where(position < 0, other, position), missing)
    chosen: np.ndarray = coded[column.cat.codes.to_numpy()]
    return chosen


def finite(values: np.ndarray) -> np.ndarray:
    """The values that are neither missing nor infinite."""
    kept: np.ndarray = values[np.isfinite(values)]
    return kept


def within_reach(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """`values` with infinities moved one range of the finite reference beyond it; missing stays NaN."""
    known = finite(reference)
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    reach = min(high - low, 1e300) + 1.0
    return np.nan_to_num(values, nan=np.nan, posinf=high + reach, neginf=low - reach)


def quantile_edges(values: np.ndarray, bins: int) -> np.ndarray:
    """Inner edges that cut the reference's known values into at most `bins` equal parts; fewer where values tie."""
    known = finite(values)
    if not len(known):
        return np.empty(0)
    return np.unique(np.quantile(known, np.arange(1, bins) / bins))


@dataclass(frozen=True)
class Grid:
    """Coarse codes (n, p) uint8, and how many codes each column has (p,), missing and 'other' among them."""

    codes: np.ndarray
    sizes: np.ndarray

    def only(self, chosen: np.ndarray) -> Grid:
        """The same records with some of the columns."""
        return Grid(self.codes[:, chosen], self.sizes[chosen])

    def one_hot(self, rows: np.ndarray) -> np.ndarray:
        """(len(rows), sum(sizes)) float32 indicators."""
        starts = np.cumsum(self.sizes) - self.sizes
        hot = np.zeros((len(rows), int(self.sizes.sum())), dtype=np.float32)
        hot[np.arange(len(rows))[:, None], self.codes[rows] + starts] = 1
        return hot


def grid(table: Table, reference: Table, *, bins: int = 10, top: int = 50) -> Grid:
    """Every learned column as codes: numbers in `bins` quantile bins of the reference, categories as its `top` names.

    A number's first bin holds everything up to the first edge, its last everything above the last edge; missing is a
    code of its own, and so is any category outside the top.
    """
    made, sizes = np.empty((len(table), len(table.frame.columns)), dtype=np.uint8), []
    for j, column in enumerate(table.schema.learned):
        mine, theirs = table.frame[column.name], reference.frame[column.name]
        if column.continuous:
            edges = quantile_edges(theirs.to_numpy(), bins)
            values = mine.to_numpy()
            made[:, j] = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="left"))
            sizes.append(len(edges) + 2)
        else:
            names = counts(theirs).index[:top]
            made[:, j] = codes(mine, names, other=len(names), missing=len(names) + 1)
            sizes.append(len(names) + 2)
    return Grid(made, np.array(sizes))
