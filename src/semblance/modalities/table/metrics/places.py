"""Each column of all samples as positions in one list of its distinct values: sorted once, for every metric.

Coarse codes follow from these positions by one look-up. Their edges and names are train's alone, so that a column that
was moved or stretched does not bring its own edges with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from semblance.core.dataset import Part
from semblance.core.schema import Column
from semblance.modalities.table.grid import Grid, codes, counts, quantile_edges
from semblance.modalities.table.metrics.samples import Measured, samples


@dataclass(frozen=True)
class Places:
    """`values` (u,) are the distinct known values: numbers rising, or names, those of train first by frequency.

    `at` (n,) is the position of each record's value in them, and u where it is missing. `known` is how many of the
    names train holds.
    """

    values: np.ndarray
    at: Mapping[Part, np.ndarray]
    known: int = 0

    @property
    def size(self) -> int:
        """How many positions there are, with that of missing."""
        return len(self.values) + 1


def places(evidence: Measured, column: Column) -> Places:
    """The positions of a column's values."""
    find = _numbers if column.continuous else _names
    return evidence.once(("places", column.name), lambda: find(evidence, column.name))


def _numbers(evidence: Measured, name: str) -> Places:
    drawn = {part: sample.table.frame[name].to_numpy() for part, sample in samples(evidence).items()}
    pooled = np.concatenate(list(drawn.values()))
    missing = np.isnan(pooled)
    values, inverse = np.unique(pooled[~missing], return_inverse=True)
    at = np.full(len(pooled), len(values), dtype=np.int32)
    at[~missing] = inverse
    ends = np.cumsum([len(part) for part in drawn.values()])[:-1]
    return Places(values, dict(zip(drawn, np.split(at, ends), strict=True)))


def _names(evidence: Measured, name: str) -> Places:
    first = counts(evidence.train.frame[name]).index
    drawn = {part: sample.table.frame[name] for part, sample in samples(evidence).items()}
    listed = pd.Index(np.concatenate([np.asarray(v.cat.categories, dtype=object) for v in drawn.values()]))
    names = first.append(listed.unique().difference(first, sort=False))
    at = {part: codes(v, names, other=-1, missing=len(names)).astype(np.int32) for part, v in drawn.items()}
    return Places(np.asarray(names, dtype=object), at, known=len(first))


def coarse(evidence: Measured, *, bins: int = 10, top: int = 50) -> dict[Part, Grid]:
    """Every learned column of each sample as codes: numbers in `bins` quantile bins of train, names as its `top`.

    A number's first bin holds everything up to the first edge, its last everything above the last edge; any other name
    has one code, and missing is the last code.
    """
    return evidence.once(("coarse", bins, top), lambda: _coarse(evidence, bins, top))


def _coarse(evidence: Measured, bins: int, top: int) -> dict[Part, Grid]:
    columns, drawn = evidence.train.schema.learned, samples(evidence)
    shape = {part: (len(sample.table), len(columns)) for part, sample in drawn.items()}
    made = {part: np.empty(shape[part], dtype=np.uint8, order="F") for part in drawn}
    sizes = []
    for j, column in enumerate(columns):
        code, size = _codes(evidence, column, bins, top)
        sizes.append(size)
        for part, at in places(evidence, column).at.items():
            made[part][:, j] = code[at]
    return {part: Grid(codes, np.array(sizes, dtype=np.int64)) for part, codes in made.items()}


def _codes(evidence: Measured, column: Column, bins: int, top: int) -> tuple[np.ndarray, int]:
    """(positions,) the code of each position, and how many codes there are."""
    found = places(evidence, column)
    if column.continuous:
        edges = quantile_edges(evidence.train.frame[column.name].to_numpy(), bins)
        code, last = np.searchsorted(edges, found.values, side="left"), len(edges) + 1
    else:
        named = min(top, found.known)
        code, last = np.minimum(np.arange(len(found.values)), named), named + 1
    return np.append(code, last).astype(np.uint8), last + 1
