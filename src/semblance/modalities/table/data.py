"""A table of patients in memory, and reading and writing it.

The frame holds what is modelled: continuous columns as float64 (dates as seconds since 1970-01-01 UTC, missing as NaN),
all others as pandas Categorical with text categories (missing as code -1). How each was written stands in the schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from semblance.core.errors import UsageError
from semblance.core.modality import Profile, ReadOptions
from semblance.core.schema import Schema
from semblance.modalities.table import read as reading
from semblance.modalities.table import write as writing
from semblance.modalities.table.write import output_name

__all__ = ["Table", "column_names", "concat", "from_frame", "like", "output_name", "read", "write"]


@dataclass(frozen=True, eq=False)
class Table:
    """Records under a schema.

    `frame` (n, learned columns, in the schema's order) as the module says; `subjects` (n,) int64 codes of patients.
    `names` (n,) uint64 marks the patients' names as read, equal in every file; None where no column names patients. A
    categorical column's categories may list values that no row of this part holds: count codes, never trust the list.
    """

    schema: Schema
    frame: pd.DataFrame
    subjects: np.ndarray
    names: np.ndarray | None = None

    def __post_init__(self) -> None:
        wanted = [column.name for column in self.schema.learned]
        if list(self.frame.columns) != wanted:
            raise ValueError("the frame holds exactly the learned columns, in the schema's order")
        if len(self.subjects) != len(self.frame):
            raise ValueError("every record has a patient")

    def __len__(self) -> int:
        return len(self.frame)

    def take(self, rows: np.ndarray) -> Self:
        """The records at these positions (or under this mask), renumbered from 0; categories stay listed."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        names = None if self.names is None else self.names[rows]
        return type(self)(self.schema, self.frame.iloc[rows].reset_index(drop=True), self.subjects[rows], names)

    def to_pandas(self, *, offset: int = 0) -> pd.DataFrame:
        """The columns of the output with the source's dtypes; keys are numbered from `offset` + 1."""
        return writing.to_pandas(self, offset=offset)


def concat(chunks: Iterable[Table]) -> Table:
    """The records of all tables under the first one's schema. Their `subjects` must number the same patients alike."""
    tables = list(chunks)
    if not tables:
        raise UsageError.of("no tables", rule="at least one is needed to join", fix="give one or more tables")
    first = tables[0]
    if len(tables) == 1:
        return first
    columns = {c.name: _join([table.frame[c.name] for table in tables]) for c in first.schema.learned}
    subjects = np.concatenate([table.subjects for table in tables])
    return Table(first.schema, pd.DataFrame(columns, index=pd.RangeIndex(len(subjects))), subjects)


def _join(parts: list[pd.Series]) -> Any:
    if isinstance(parts[0].dtype, pd.CategoricalDtype):
        return union_categoricals(parts)
    return np.concatenate([part.to_numpy() for part in parts])


def read(paths: Sequence[str | Path], options: ReadOptions) -> tuple[Table, Profile]:
    """Read one table and say what was found. Raises DataError or UsageError with every problem of the input."""
    *parts, profile = reading.read(paths, options)
    return Table(*parts), profile


def like(paths: Sequence[str | Path], schema: Schema) -> Table:
    """Read another file under a known schema: extra columns are ignored, a missing one is a DataError."""
    return Table(schema, *reading.like(paths, schema))


def column_names(paths: Sequence[str | Path]) -> tuple[str, ...]:
    """The columns of a file, whatever a schema says. Raises DataError where it cannot be read."""
    return reading.column_names(paths)


def from_frame(frame: Any, options: ReadOptions) -> tuple[Table, Profile]:
    """Take a pandas, polars or pyarrow table. Raises DataError or UsageError with every problem of it."""
    *parts, profile = reading.from_frame(frame, options)
    return Table(*parts), profile


def write(chunks: Iterable[Table], path: Path) -> Path:
    """Write the chunks one after the other in the format of the suffix; the file appears whole or not at all."""
    return writing.write(chunks, path)
