"""Tables as small whole numbers, coded on one reference part so that every part shares edges and codes.

Category codes are frequency ranks in the reference: code 0 is its most frequent category. Only counted values matter,
never `cat.categories`, which may list values that no row holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array


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
    """Coarse codes (n, p) uint8, a column's codes side by side in memory, and how many codes each column has (p,)."""

    codes: np.ndarray
    sizes: np.ndarray

    def only(self, chosen: np.ndarray) -> Grid:
        """The same records with some of the columns."""
        return Grid(self.codes[:, chosen], self.sizes[chosen])

    @property
    def starts(self) -> np.ndarray:
        """(p,) where each column's codes begin when all codes stand side by side."""
        first: np.ndarray = np.cumsum(self.sizes) - self.sizes
        return first

    def gram(self, rows: slice) -> np.ndarray:
        """(codes, codes) float32: in how many of the rows two codes meet. Sparse: a record holds p of many codes."""
        codes, width = self.codes[rows] + self.starts, int(self.sizes.sum())
        ends = np.arange(len(codes) + 1) * codes.shape[1]
        hot = csr_array((np.ones(codes.size, dtype=np.float32), codes.ravel(), ends), shape=(len(codes), width))
        met: np.ndarray = (hot.T @ hot).toarray()
        return met

    def one_hot(self, rows: np.ndarray | slice) -> np.ndarray:
        """(rows, sum(sizes)) float32 indicators."""
        codes, width = self.codes[rows] + self.starts, int(self.sizes.sum())
        hot = np.zeros((len(codes), width), dtype=np.float32)
        hot.ravel()[codes + np.arange(len(codes))[:, None] * width] = 1
        return hot
