"""CSV as arrow columns of text, so that nothing is guessed before a column is seen whole.

What cannot be read is told by place (byte, row), never by value.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.csv as arrow_csv

from semblance.core import lines
from semblance.core.errors import DataError, Problem, SemblanceError
from semblance.modalities.table.place import Place, Source
from semblance.modalities.table.typed import Raw

_BLOCK = 1 << 24


class _Tail(io.RawIOBase):
    """A stream that remembers its last bytes: where a CSV ends tells whether its last quote was closed."""

    def __init__(self, inner: BinaryIO) -> None:
        self.inner, self.last = inner, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self.inner.read(size)
        self.last = (self.last + data)[-4:] if data else self.last
        return data


@contextmanager
def _bytes(place: Place) -> Iterator[BinaryIO]:
    with place.open() as stream:
        if place.suffix != ".csv.gz":
            yield stream
            return
        with gzip.GzipFile(fileobj=stream) as unpacked:
            yield cast(BinaryIO, unpacked)


def read_csv(place: Place) -> Source:
    """The columns of a CSV file as text. Raises DataError with every problem of the file."""
    try:
        names, delimiter = _header(place)
        return _csv_columns(place, names, delimiter)
    except UnicodeDecodeError:
        raise _encoding(place) from None


def read_lines(place: Place) -> Source:
    """The same with each line by itself (`core.lines`): what stands in one changes how no other is read.

    One with more cells than the header, or that is no row of CSV, is left out; what one lacks is missing.
    """
    _refuse_utf16(place)
    with _bytes(place) as stream, io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace") as text:
        names, delimiter = _names(text.readline(), place)
    kept: list[list[pa.Array]] = [[] for _ in names]
    first, lost = True, 0
    with _bytes(place) as stream:
        for some in lines.parts(stream, separator=delimiter):
            body = some[1:] if first else some
            whole = [row for row in body if lines.fits(row, len(names))]
            first, lost = False, lost + len(body) - len(whole)
            for column, cells in zip(kept, zip(*whole, strict=True), strict=bool(whole)):
                column.append(pa.array(cells, pa.string()))
    if not kept[0]:
        raise _header_only(place)
    notes = (f"{lost} lines have more cells than the header, and are left out",) if lost else ()
    columns = tuple(
        Raw(name, pa.chunked_array(cells, pa.string()), dtype=None) for name, cells in zip(names, kept, strict=True)
    )
    return Source(columns, (*_separated(delimiter), *notes))


def _header(place: Place) -> tuple[list[str], str]:
    _refuse_utf16(place)
    with _bytes(place) as stream, io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
        _, delimiter = _names(text.readline(), place)
        text.seek(0)
        names = _first_rows(text, place, delimiter)
    return names, delimiter


def _refuse_utf16(place: Place) -> None:
    with _bytes(place) as stream:
        start = stream.read(4)
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise DataError.of(
            f"'{place.label}' is UTF-16",
            rule="a CSV is UTF-8",
            fix="convert it: iconv -f UTF-16 -t UTF-8 IN.csv > OUT.csv",
        )


def _names(line: str, place: Place) -> tuple[list[str], str]:
    """What the first line of a file separates, and by what."""
    if not line.strip():
        found = f"'{place.label}' starts with an empty line" if line else f"'{place.label}' is empty"
        raise DataError.of(found, rule="a CSV has a header and at least one row", fix="give the full file")
    apart = {delimiter: next(csv.reader([line], delimiter=delimiter)) for delimiter in ",;\t|"}
    delimiter = max(apart, key=lambda one: len(apart[one]))
    return apart[delimiter], delimiter


def _first_rows(text: io.TextIOWrapper, place: Place, delimiter: str) -> list[str]:
    rows = csv.reader(text, delimiter=delimiter)
    try:
        names = next(rows)
        row = next((r for r in rows if r or len(names) == 1), None)
    except csv.Error:
        raise _not_csv(place) from None
    if row is None:
        raise _header_only(place)
    return names


def _csv_columns(place: Place, names: list[str], delimiter: str) -> Source:
    ragged: list[tuple[int, int]] = []

    def skip(row: arrow_csv.InvalidRow) -> str:
        ragged.append((row.number - 1, row.actual_columns))
        return "skip"

    stand_in = [str(i) for i in range(len(names))]
    with _bytes(place) as stream:
        tail = _Tail(stream)
        table = _parse(place, tail, stand_in, delimiter, skip)
    if _unclosed(table, tail.last):
        raise _not_csv(place)
    columns = tuple(Raw(name, table.column(i), dtype=None) for i, name in enumerate(names))
    return Source(columns, _separated(delimiter), tuple(_ragged(ragged, len(names))))


def _separated(delimiter: str) -> tuple[str, ...]:
    return () if delimiter == "," else (f"the columns are separated by {delimiter!r}; the output uses commas",)


def _parse(
    place: Place, stream: _Tail, names: list[str], delimiter: str, skip: Callable[[arrow_csv.InvalidRow], str]
) -> pa.Table:
    texts = dict.fromkeys(names, pa.string())
    try:
        return arrow_csv.read_csv(
            pa.PythonFile(stream, mode="r"),
            read_options=arrow_csv.ReadOptions(
                column_names=names, skip_rows_after_names=1, use_threads=False, block_size=_BLOCK
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=len(names) > 1,
                invalid_row_handler=skip,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=texts, strings_can_be_null=False, quoted_strings_can_be_null=False
            ),
        )
    except pa.ArrowMemoryError:
        raise
    except pa.ArrowInvalid as error:
        raise (_encoding(place) if "UTF8" in str(error) else _not_csv(place)) from None


def _unclosed(table: pa.Table, tail: bytes) -> bool:
    if not table.num_rows:
        return False
    return "\n" in table.column(table.num_columns - 1)[-1].as_py() and not tail.rstrip().endswith(b'"')


def _ragged(rows: list[tuple[int, int]], width: int) -> list[Problem]:
    shown = [
        Problem(
            f"{cells} cells, but the header has {width}",
            "every row has as many cells as the header",
            "quote cells that hold the separator, or mend the row (rows count from 1 below the header)",
            row=row,
        )
        for row, cells in rows[:3]
    ]
    if len(rows) > 3:
        shown.append(Problem(f"{len(rows) - 3} more rows have another number of cells", "as above", "as above"))
    return shown


def _header_only(place: Place) -> SemblanceError:
    return DataError.of(
        f"'{place.label}' has a header only", rule="a table has at least one row", fix="give the full file"
    )


def _not_csv(place: Place) -> SemblanceError:
    return DataError.of(
        f"'{place.label}' cannot be taken apart into cells",
        rule="a CSV follows RFC 4180: a quote that opens a cell is closed again, and no cell is larger than 16 MB",
        fix='close the quotes, and write a quote inside a cell as ""',
    )


def _encoding(place: Place) -> SemblanceError:
    decoder, position = codecs.getincrementaldecoder("utf-8")(), 0
    with _bytes(place) as stream:
        while block := stream.read(1 << 20):
            held = len(decoder.getstate()[0])
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                position += error.start - held
                break
            position += len(block)
    return DataError.of(
        f"'{place.label}' is not UTF-8 (byte {position})",
        rule="a CSV is UTF-8",
        fix="convert it, for example: iconv -f WINDOWS-1252 -t UTF-8 IN.csv > OUT.csv",
    )
