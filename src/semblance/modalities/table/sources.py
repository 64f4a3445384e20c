"""Files as arrow columns: CSV (plain, gzip, zip member), Parquet, Feather, Excel."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa

from semblance.core.errors import DataError
from semblance.modalities.table.delimited import read_csv, read_lines
from semblance.modalities.table.excel import read_excel
from semblance.modalities.table.header import refuse_data
from semblance.modalities.table.place import BROKEN, Place, Source, broken, locate
from semblance.modalities.table.typed import raw_of


def load(path: str, *, alone: bool = False) -> Source:
    """Read the table at `path`, with `alone` each line of a CSV by itself, so that no record has a part in how others
    are read. Raises DataError or UsageError, and names no value of it."""
    place = locate(path)
    try:
        source = (_ALONE if alone else _READERS)[place.suffix](place)
    except BROKEN:
        raise broken(place.label, f"{place.suffix} file") from None
    except OSError as error:
        raise DataError.of(
            f"'{place.label}' cannot be read ({error.strerror or 'broken file'})",
            rule="the file must be whole and of the kind that its suffix says",
            fix="copy or download it again, or correct its suffix",
        ) from None
    if place.suffix in _UNTYPED:
        refuse_data(source.columns, label=place.label, names_alone=alone)
    return replace(source, notes=(*place.notes, *source.notes))


def _read_parquet(place: Place) -> Source:
    import pyarrow.parquet as pq

    with place.open() as stream:
        return _typed(place, lambda: pq.read_table(io.BytesIO(stream.read())))


def _read_feather(place: Place) -> Source:
    from pyarrow import feather

    with place.open() as stream:
        return _typed(place, lambda: feather.read_table(io.BytesIO(stream.read())))


def _typed(place: Place, read: Callable[[], pa.Table]) -> Source:
    try:
        table = read()
    except pa.ArrowMemoryError:
        raise
    except pa.ArrowException:
        raise broken(place.label, f"{place.suffix} file") from None
    if not table.num_columns or not table.num_rows:
        raise DataError.of(
            f"'{place.label}' has no rows", rule="a table has at least one row", fix="give the full file"
        )
    index = [n for n in table.column_names if n.startswith("__index_level_")]
    notes = ("the stored pandas index is not a column and is left out",) if index else ()
    return Source(tuple(raw_of(n, table.column(i)) for i, n in enumerate(table.column_names) if n not in index), notes)


_UNTYPED = (".csv", ".csv.gz", ".xlsx")
_READERS: dict[str, Callable[[Place], Source]] = {
    ".csv": read_csv,
    ".csv.gz": read_csv,
    ".parquet": _read_parquet,
    ".feather": _read_feather,
    ".xlsx": read_excel,
}
_ALONE = {**_READERS, ".csv": read_lines, ".csv.gz": read_lines}
