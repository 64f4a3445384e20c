"""From Tables to a file in the input's format, and to the data frame that a person sees.

CSV is written as text by the rules of `notation` and `dates`; typed formats get their source's types back.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from semblance.core.errors import UsageError
from semblance.core.files import atomic
from semblance.core.schema import Column, Schema
from semblance.modalities.table import dates, notation
from semblance.modalities.table.excel import write_excel
from semblance.modalities.table.place import locate, only
from semblance.modalities.table.typed import TEXT, arrow_type, as_arrow, restore

if TYPE_CHECKING:
    from semblance.modalities.table.data import Table


def output_name(paths: Sequence[str | Path]) -> str:
    """The name of the synthetic data: the input's format, unpacked (a zip or gz gives its plain suffix)."""
    path = only(paths)
    if path.lower().partition("::")[0].endswith(".zip"):
        suffix = locate(path).suffix
    else:
        suffix = Path(path.partition("::")[0]).suffix.lower()
    return "synthetic.csv" if suffix in (".csv", ".gz", ".csv.gz") else f"synthetic{suffix}"


def to_pandas(table: Table, *, offset: int = 0) -> pd.DataFrame:
    """The written columns of a table, each with its source's dtype; keys are numbered from `offset` + 1."""
    columns = {c.name: _column(table, c, offset) for c in table.schema.written}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(table)))


def _column(table: Table, column: Column, offset: int) -> pd.Series:
    if column.learned:
        return restore(column, table.frame[column.name].array)
    return _as_identifier(column, _numbering(table, column, offset))


def _numbering(table: Table, column: Column, offset: int) -> np.ndarray:
    """(n,) int64: patients by their code, keys by their place; both from 1."""
    return (
        table.subjects + 1
        if column.role == "subject"
        else np.arange(offset + 1, offset + len(table) + 1, dtype=np.int64)
    )


def _as_identifier(column: Column, numbers: np.ndarray) -> pd.Series:
    if column.dtype in TEXT:
        return pd.Series(numbers.astype(str).astype(object), dtype=column.dtype)
    try:
        return pd.Series(numbers).astype(column.dtype)
    except (TypeError, ValueError):
        return pd.Series(numbers)


def texts(table: Table, *, offset: int = 0) -> list[list[str]]:
    """The written columns of a table as the texts of a CSV."""
    return [_texts(table, column, offset) for column in table.schema.written]


def _texts(table: Table, column: Column, offset: int) -> list[str]:
    if not column.learned:
        return [str(number) for number in _numbering(table, column, offset).tolist()]
    held = table.frame[column.name]
    if column.kind == "date":
        date_format = column.date_format if column.date_format is not None else "%Y-%m-%d %H:%M:%S"
        return dates.date_texts(held.to_numpy(), date_format=date_format, na=column.na).tolist()
    if column.continuous:
        return notation.number_texts(held.to_numpy(), column=column).tolist()
    return np.array([*held.cat.categories, column.na], dtype=object)[held.cat.codes.to_numpy()].tolist()


# Files


def write(chunks: Iterable[Table], path: Path) -> Path:
    """Write the chunks in the suffix's format, atomically. Raises UsageError for an unknown suffix or no chunks."""
    path = Path(path)
    writer = next((w for suffix, w in _WRITERS.items() if path.name.lower().endswith(suffix)), None)
    if writer is None:
        raise UsageError.of(
            f"'{path.name}' as output", rule=f"the name ends in one of {', '.join(_WRITERS)}", fix="correct its suffix"
        )
    parts = iter(chunks)
    first = next(parts, None)
    if first is None:
        raise UsageError.of("nothing to write", rule="there is at least one chunk", fix="sample at least one record")
    with atomic(path) as temporary:
        writer(first.schema, _numbered(first, parts), temporary)
    return path


def _numbered(first: Table, parts: Iterator[Table]) -> Iterator[tuple[Table, int]]:
    offset = 0
    while first is not None:
        yield first, offset
        offset += len(first)
        first = next(parts, None)  # type: ignore[assignment]


def _write_csv(schema: Schema, chunks: Iterator[tuple[Table, int]], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        _csv_rows(schema, chunks, stream)


def _write_gzip(schema: Schema, chunks: Iterator[tuple[Table, int]], path: Path) -> None:
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
        io.TextIOWrapper(packed, "utf-8", newline="") as stream,
    ):
        _csv_rows(schema, chunks, stream)


def _csv_rows(schema: Schema, chunks: Iterator[tuple[Table, int]], stream: Any) -> None:
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow([column.name for column in schema.written])
    for table, offset in chunks:
        rows.writerows(zip(*texts(table, offset=offset), strict=True))


def _batches(schema: Schema, chunks: Iterator[tuple[Table, int]]) -> Iterator[pa.Table]:
    for table, offset in chunks:
        frame = to_pandas(table, offset=offset)
        arrays = [_stored(column, frame[column.name]) for column in schema.written]
        yield pa.table(arrays, schema=_arrow_schema(schema))


def _stored(column: Column, series: pd.Series) -> pa.Array:
    return as_arrow(column, series, na=column.na if column.learned and column.na else None)


def _arrow_schema(schema: Schema) -> pa.Schema:
    kinds = {column.name: arrow_type(column.dtype, ordered=column.kind == "ordinal") for column in schema.written}
    return pa.schema(list(kinds.items()))


def _write_parquet(schema: Schema, chunks: Iterator[tuple[Table, int]], path: Path) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, _arrow_schema(schema)) as writer:
        for batch in _batches(schema, chunks):
            writer.write_table(batch)


def _write_feather(schema: Schema, chunks: Iterator[tuple[Table, int]], path: Path) -> None:
    """Feather V2 is the arrow file format; categories grow from chunk to chunk as dictionary deltas."""
    options = pa.ipc.IpcWriteOptions(compression="lz4", emit_dictionary_deltas=True)
    known: dict[str, list[Any]] = {}
    with pa.ipc.new_file(path, _arrow_schema(schema), options=options) as writer:
        for batch in _batches(schema, chunks):
            writer.write_table(_grow(batch, known))


def _grow(batch: pa.Table, known: dict[str, list[Any]]) -> pa.Table:
    """Recode dictionaries so that each one continues the last chunk's."""
    for i, column in enumerate(batch.schema):
        if pa.types.is_dictionary(column.type):
            chunk = batch.column(i).combine_chunks()
            chunk = chunk.chunk(0) if isinstance(chunk, pa.ChunkedArray) else chunk
            listed = known.setdefault(column.name, [])
            fresh = chunk.dictionary.to_pylist()
            seen = set(listed)
            listed += [value for value in fresh if value not in seen]
            place = {value: j for j, value in enumerate(listed)}
            moved = pa.array([place[value] for value in fresh], pa.int32()).take(chunk.indices)
            grown = pa.DictionaryArray.from_arrays(
                moved, pa.array(listed, column.type.value_type), ordered=column.type.ordered
            )
            batch = batch.set_column(i, column, grown)
    return batch


def _write_excel(schema: Schema, chunks: Iterator[tuple[Table, int]], path: Path) -> None:
    write_excel(schema.written, (to_pandas(table, offset=offset) for table, offset in chunks), path)


_Writer = Callable[[Schema, Iterator[tuple["Table", int]], Path], None]
_WRITERS: dict[str, _Writer] = {
    ".csv": _write_csv,
    ".csv.gz": _write_gzip,
    ".parquet": _write_parquet,
    ".feather": _write_feather,
    ".xlsx": _write_excel,
}
