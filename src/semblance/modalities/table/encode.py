"""A table <-> one contiguous matrix of small integers, and the bookkeeping of visits.

The encoding is all that a generator knows about values. It can be written out: see `codes` for why it holds no patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.schema import Column, Schema
from semblance.modalities.table.codes import Categories, Numbers
from semblance.modalities.table.data import Table

ColumnCodes = Categories | Numbers


@dataclass(frozen=True)
class EncodingOptions:
    """How values become codes."""

    rare: int = 5
    """A category or an exact value is kept only where at least this many patients hold it."""
    bins: int = 64
    """Quantile bins of a number with many values."""
    tokens: int = 128
    """A number with at most this many common values keeps them exactly."""
    categories: int = 2000
    """Categories kept per column; the others join the rare class."""


@dataclass(frozen=True)
class Encoding:
    """The codes of every learned column of `schema`, and the share of patients with 1, 2, 3, ... records."""

    schema: Schema
    columns: tuple[ColumnCodes, ...]
    visits: tuple[float, ...]

    @classmethod
    def fit(cls, train: Table, options: EncodingOptions) -> Encoding:
        """Learn the codes of each column from `train`."""
        columns = tuple(_fit_column(train, column, options) for column in train.schema.learned)
        return cls(_without_rare(train.schema, columns), columns, _visits(train.subjects, rare=options.rare))

    @property
    def sizes(self) -> np.ndarray:
        """(columns,) number of codes of each column."""
        return np.array([column.size for column in self.columns], dtype=np.int64)

    @property
    def positions(self) -> tuple[np.ndarray, ...]:
        """Per column (size,) where each code stands on a line from 0 to 1; NaN where codes have no order."""
        return tuple(_positions(column) for column in self.columns)

    def encode(self, table: Table) -> np.ndarray:
        """(n, columns) int64 codes, each in [0, size of its column)."""
        codes = np.empty((len(table), len(self.columns)), dtype=np.int64)
        for j, (column, coder) in enumerate(zip(self.schema.learned, self.columns, strict=True)):
            values = table.frame[column.name]
            codes[:, j] = coder.encode(values) if isinstance(coder, Categories) else coder.encode(values.to_numpy())
        return codes

    def decode(self, codes: np.ndarray, *, first_subject: int, rng: np.random.Generator) -> Table:
        """Values again, with new patients numbered from `first_subject`."""
        values = {
            column.name: coder.decode(codes[:, j], rng)
            for j, (column, coder) in enumerate(zip(self.schema.learned, self.columns, strict=True))
        }
        frame = pd.DataFrame(values, index=pd.RangeIndex(len(codes)))
        return Table(self.schema, frame, self._new_subjects(len(codes), first_subject, rng))

    def _new_subjects(self, n: int, first: int, rng: np.random.Generator) -> np.ndarray:
        if len(self.visits) <= 1:
            return np.arange(first, first + n)
        records = rng.choice(np.arange(1, len(self.visits) + 1), size=n, p=self.visits)
        return first + np.repeat(np.arange(n), records)[:n]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "schema": self.schema.to_json(),
            "columns": [{"codes": type(column).__name__, **column.to_json()} for column in self.columns],
            "visits": list(self.visits),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Encoding:
        """The inverse of `to_json`."""
        kinds: dict[str, type[Categories] | type[Numbers]] = {"Categories": Categories, "Numbers": Numbers}
        columns = tuple(kinds[entry["codes"]].from_json(entry) for entry in data["columns"])
        return cls(Schema.from_json(data["schema"]), columns, tuple(data["visits"]))


def _fit_column(train: Table, column: Column, options: EncodingOptions) -> ColumnCodes:
    values = train.frame[column.name]
    if column.continuous:
        return Numbers.fit(
            values.to_numpy(), train.subjects, column, rare=options.rare, tokens=options.tokens, bins=options.bins
        )
    return Categories.fit(values, train.subjects, column, rare=options.rare, limit=options.categories)


def _positions(column: ColumnCodes) -> np.ndarray:
    if isinstance(column, Categories):
        return np.full(column.size, np.nan)
    order = np.argsort(column.middles, kind="stable")
    held = int(np.isfinite(column.middles).sum() + np.isinf(column.middles).sum())
    positions = np.full(column.size, np.nan)
    positions[order[:held]] = np.linspace(0, 1, held)
    return positions


def _visits(subjects: np.ndarray, *, rare: int) -> tuple[float, ...]:
    """Share of patients with 1, 2, ... records. A number of records that fewer than `rare` patients have becomes the
    next smaller one that enough have (or, at the lower end, the smallest such)."""
    patients = np.bincount(np.unique(subjects, return_counts=True)[1]) if len(subjects) else np.zeros(2, dtype=int)
    kept, waiting = np.zeros(len(patients)), 0
    for records in range(len(patients) - 1, 0, -1):
        waiting += int(patients[records])
        if waiting >= rare:
            kept[records], waiting = waiting, 0
    if not kept.any():
        return (1.0,)
    kept[np.flatnonzero(kept)[0]] += waiting
    share = kept[1 : np.flatnonzero(kept)[-1] + 1] / kept.sum()
    return tuple(float(x) for x in share)


def _without_rare(schema: Schema, columns: tuple[ColumnCodes, ...]) -> Schema:
    """The schema with its lists of categories cut to what has a token: a list that came with the data names all."""
    kept = {
        c.name: code.tokens for c, code in zip(schema.learned, columns, strict=True) if isinstance(code, Categories)
    }
    return schema.with_columns(
        c
        if c.categories is None
        else replace(c, categories=tuple(x for x in c.categories if x in kept.get(c.name, ())))
        for c in schema
    )
