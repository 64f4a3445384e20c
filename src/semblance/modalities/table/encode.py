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
from semblance.modalities.table.relations.declared import broken, declared
from semblance.modalities.table.relations.found import find
from semblance.modalities.table.relations.kept import Relations

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
    find: bool = True
    """Whether relations that all records keep (sums, units, orders of dates) are found, and computed after sampling."""


@dataclass(frozen=True)
class Encoding:
    """The codes of every coded column, and the share of patients with 1, 2, 3, ... records.

    `schema` is the table's. Generators learn `fields`: its columns, after `relations` have replaced some of them by
    ones that cannot break the relation.
    """

    schema: Schema
    columns: tuple[ColumnCodes, ...]
    visits: tuple[float, ...]
    relations: Relations

    @classmethod
    def fit(cls, train: Table, options: EncodingOptions) -> Encoding:
        """Learn relations and the codes of each coded column from `train`.

        Raises UsageError for constraints that contradict the columns or each other, DataError for those that records
        break, with counts.
        """
        relations = _relations(train, options)
        fields, frame = relations.fields(train.schema), relations.reduce(train.frame, train.schema)
        columns = tuple(_fit_column(frame[c.name], train.subjects, c, options) for c in fields)
        kept = {c.name: code.tokens for c, code in zip(fields, columns, strict=True) if isinstance(code, Categories)}
        schema = _without_rare(train.schema, kept, relations)
        return cls(schema, columns, _visits(train.subjects, rare=options.rare), relations)

    @property
    def target(self) -> int | None:
        """The place of the target among `columns`, where it is a category."""
        coded = enumerate(zip(self.fields, self.columns, strict=True))
        return next((j for j, (f, code) in coded if f.role == "target" and isinstance(code, Categories)), None)

    @property
    def fields(self) -> tuple[Column, ...]:
        """The columns that are coded, one for each of `columns`."""
        return self.relations.fields(self.schema)

    @property
    def sizes(self) -> np.ndarray:
        """(columns,) number of codes of each column."""
        return np.array([column.size for column in self.columns], dtype=np.int64)

    @property
    def positions(self) -> tuple[np.ndarray, ...]:
        """Per column (size,) where each code stands on a line from 0 to 1; NaN where codes have no order."""
        return tuple(_positions(column) for column in self.columns)

    def reduce(self, table: Table) -> pd.DataFrame:
        """(n, fields) the coded columns of a table, by the names of `fields`."""
        return self.relations.reduce(table.frame, self.schema)

    def assemble(
        self, values: Mapping[str, np.ndarray | pd.Categorical], *, first_subject: int, rng: np.random.Generator
    ) -> Table:
        """A whole table from the values of all `fields`, with new patients numbered from `first_subject`."""
        n = len(next(iter(values.values())))
        frame = pd.DataFrame(self.relations.restore(values, self.schema), index=pd.RangeIndex(n))
        return Table(self.schema, frame, self._new_subjects(n, first_subject, rng))

    def broken(self, table: Table) -> np.ndarray:
        """(n,) bool: the records that break a declared constraint or bound; a combination that is rare counts too."""
        return broken(table, self.relations)

    def encode(self, table: Table) -> np.ndarray:
        """(n, columns) int64 codes, each in [0, size of its column)."""
        frame = self.reduce(table)
        codes = np.empty((len(table), len(self.columns)), dtype=np.int64)
        for j, (column, coder) in enumerate(zip(self.fields, self.columns, strict=True)):
            values = frame[column.name]
            codes[:, j] = coder.encode(values) if isinstance(coder, Categories) else coder.encode(values.to_numpy())
        return codes

    def decode(self, codes: np.ndarray, *, first_subject: int, rng: np.random.Generator) -> Table:
        """Values again, with new patients numbered from `first_subject`."""
        coded = enumerate(zip(self.fields, self.columns, strict=True))
        values = {column.name: coder.decode(codes[:, j], rng) for j, (column, coder) in coded}
        return self.assemble(values, first_subject=first_subject, rng=rng)

    def _new_subjects(self, n: int, first: int, rng: np.random.Generator) -> np.ndarray:
        if len(self.visits) <= 1:
            return np.arange(first, first + n)
        records = rng.choice(np.arange(1, len(self.visits) + 1), size=n, p=self.visits)
        return first + np.repeat(np.arange(n), records)[:n]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "schema": self.schema.to_json(),
            "relations": self.relations.to_json(),
            "columns": [{"codes": type(column).__name__, **column.to_json()} for column in self.columns],
            "visits": list(self.visits),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Encoding:
        """The inverse of `to_json`."""
        kinds: dict[str, type[Categories] | type[Numbers]] = {"Categories": Categories, "Numbers": Numbers}
        columns = tuple(kinds[entry["codes"]].from_json(entry) for entry in data["columns"])
        relations = Relations.from_json(data["relations"])
        return cls(Schema.from_json(data["schema"]), columns, tuple(data["visits"]), relations)


def _relations(train: Table, options: EncodingOptions) -> Relations:
    known = declared(train, rare=options.rare, limit=options.categories)
    if not options.find:
        return known
    return find(train, known, rare=options.rare, bins=options.bins, tokens=options.tokens)


def _fit_column(values: pd.Series, subjects: np.ndarray, column: Column, options: EncodingOptions) -> ColumnCodes:
    if column.continuous:
        return Numbers.fit(
            values.to_numpy(), subjects, column, rare=options.rare, tokens=options.tokens, bins=options.bins
        )
    return Categories.fit(values, subjects, column, rare=options.rare, limit=options.categories)


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


def _without_rare(schema: Schema, kept: Mapping[str, tuple[str | None, ...]], relations: Relations) -> Schema:
    """The schema with its lists of categories cut to what is coded: a list that came with the data names all."""
    return schema.with_columns(
        c if c.categories is None else replace(c, categories=_held(c, kept.get(c.name, relations.kept(c.name))))
        for c in schema
    )


def _held(column: Column, kept: tuple[str | None, ...] | None) -> tuple[str, ...]:
    return tuple(x for x in column.categories or () if x in (kept or ()))
