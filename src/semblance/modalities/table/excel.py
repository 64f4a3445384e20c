"""Excel workbooks: the only file that opens one.

Excel knows numbers and not integers, mixes types within a column, and stamps the clock into its files; the writer takes
the clock out again, so that the same records give the same bytes.
"""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils.exceptions import InvalidFileException

from semblance.core.errors import DataError, SemblanceError, UsageError
from semblance.core.schema import Column
from semblance.modalities.table.place import Place, Source, broken
from semblance.modalities.table.typed import Raw, raw_of

MOST_ROWS = 1_048_575
_BORN = datetime.datetime(2000, 1, 1)
_CLOCK = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")


def read_excel(place: Place) -> Source:
    """The columns of the largest sheet, or of the one that `FILE.xlsx::sheet` names."""
    with place.open() as stream:
        try:
            book = openpyxl.load_workbook(io.BytesIO(stream.read()), read_only=True, data_only=True)
            sheets = {sheet.title: _filled(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}
        except (InvalidFileException, KeyError, ValueError, AttributeError):
            raise broken(place.label, "Excel file") from None
    if place.part is not None and place.part not in sheets:
        raise _no_sheet(place.part, list(sheets))
    name = place.part if place.part is not None else max(sheets, key=lambda s: len(sheets[s]))
    if len(sheets[name]) < 2:
        raise DataError.of(
            f"sheet '{name}' has no rows", rule="a sheet has a header and at least one row", fix="give the full sheet"
        )
    several = len(sheets) > 1 and place.part is None
    notes = (f"the workbook holds {len(sheets)} sheets: using the largest, '{name}'",) if several else ()
    return Source(tuple(_columns(sheets[name])), notes)


def _no_sheet(name: str, sheets: list[str]) -> SemblanceError:
    return UsageError.of(
        f"no sheet '{name}'", rule="FILE.xlsx::sheet names a sheet", fix=f"one of: {', '.join(sheets)}"
    )


def _filled(rows: Iterator[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows without the empty ones at the end."""
    listed = list(rows)
    while listed and all(value is None for value in listed[-1]):
        listed.pop()
    return listed


def _columns(rows: Sequence[Sequence[Any]]) -> Iterator[Raw]:
    width = max(len(row) for row in rows)
    padded = ([*row, *[None] * (width - len(row))] for row in rows)
    for head, *body in zip(*padded, strict=True):
        if head is not None or any(value is not None for value in body):
            yield _column("" if head is None else str(head), body)


def _column(name: str, body: list[Any]) -> Raw:
    """A column of one type as that type; a mixed one as text, whose kind then decides its type."""
    kinds = {type(value) for value in body if value is not None}
    if not kinds:
        return Raw(name, pa.chunked_array([pa.nulls(len(body))]), None)
    if kinds in ({int}, {bool}, {datetime.datetime}, {int, float}, {float}):
        kind = pa.float64() if float in kinds else None
        return raw_of(name, pa.chunked_array([_array(body, kind)]))
    texts = [None if value is None else _plain(value) for value in body]
    return Raw(name, pa.chunked_array([pa.array(texts, pa.string())]), "str" if kinds == {str} else None)


def _array(body: list[Any], kind: pa.DataType | None) -> pa.Array:
    try:
        return pa.array(body, kind)
    except (pa.ArrowInvalid, OverflowError):  # integers beyond 64 bits
        return pa.array([None if value is None else _plain(value) for value in body], pa.string())


def _plain(value: Any) -> str:
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def write_excel(columns: Sequence[Column], frames: Iterator[pd.DataFrame], path: Path) -> None:
    """Write the frames one after the other into one sheet. Raises DataError beyond Excel's rows."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("synthetic")
    try:
        _fill(sheet, columns, frames)
    except BaseException:
        sheet.close()
        raise
    book.properties.created = _BORN
    packed = io.BytesIO()
    book.save(packed)
    _without_clock(packed, path)


def _fill(sheet: Any, columns: Sequence[Column], frames: Iterator[pd.DataFrame]) -> None:
    sheet.append([_cell(sheet, column.name) for column in columns])
    written = 0
    for frame in frames:
        written += len(frame)
        if written > MOST_ROWS:
            raise DataError.of(
                "more rows than a sheet holds", rule=f"at most {MOST_ROWS:,}", fix="ask for fewer --rows, or give CSV"
            )
        for row in zip(*(_cells(column, frame[column.name]) for column in columns), strict=True):
            sheet.append([_cell(sheet, value) for value in row])


def _cell(sheet: Any, value: Any) -> Any:
    """Text stays text: no formula, and no character that a workbook cannot hold."""
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value))
    cell.data_type = "s"
    return cell


def _cells(column: Column, series: pd.Series) -> list[Any]:
    """Python values that Excel knows; times with a zone and infinities are texts there."""
    absent = series.isna().tolist()
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        series = series.astype(str)
    na = column.na if column.learned and column.na else None
    values = series.astype(object).tolist()
    return [
        na if gone else str(value) if isinstance(value, float) and np.isinf(value) else value
        for value, gone in zip(values, absent, strict=True)
    ]


def _without_clock(packed: io.BytesIO, path: Path) -> None:
    born = _BORN.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.infolist():
            data = _CLOCK.sub(rb"\g<1>" + born, source.read(member))
            target.writestr(zipfile.ZipInfo(member.filename), data, zipfile.ZIP_DEFLATED)
