"""CSV files of which each line is a row by itself: nothing that stands in one changes how another is read.

Readers of whole files let an open quote swallow the lines below it, and the first row say how many columns all have.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import pandas as pd

AT_ONCE = 10_000
"""Lines that are taken apart together where none holds a quote."""
LONGEST = 131_072
"""Characters of a cell; a row with a longer one is left out, whatever limit another library has set for all readers."""


def read(file: Path) -> pd.DataFrame:
    """The rows as texts, "" where one is shorter than the header; one that is longer, or no row of CSV, is left out.

    Raises ValueError where there is no header, and what reading a broken file raises.
    """
    with _opened(file) as stream:
        rows = (row for some in parts(stream) for row in some)
        names = next(rows, None)
        if names is None:
            raise ValueError("no header")
        whole = [row for row in rows if fits(row, len(names))]
    return pd.DataFrame(whole, columns=pd.Index(names, dtype=object), dtype=object)


def header(file: Path) -> list[str]:
    """The names of the columns; none in an empty file."""
    with _opened(file) as stream:
        return next((row for some in parts(stream) for row in some), [])


def parts(stream: BinaryIO, *, separator: str = ",") -> Iterator[list[list[str]]]:
    """The cells of each line that is not empty, of some thousand lines at a time. What is no UTF-8 is marked."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace")
    while some := list(islice(text, AT_ONCE)):
        yield _cells(some, separator)


def fits(row: list[str], width: int) -> bool:
    """Whether a row has no more cells than there are columns; it is filled up with empty ones."""
    row += [""] * (width - len(row))
    return len(row) == width


def _cells(some: list[str], separator: str) -> list[list[str]]:
    # Without a quote no line can reach into another; then many are read at once, which is much faster.
    try:
        if not any('"' in line or len(line) > LONGEST for line in some):
            return [row for row in csv.reader(some, delimiter=separator) if row]
    except csv.Error:  # whatever it is, it is of one of them
        pass
    return [row for line in some for row in _alone(line, separator)]


def _alone(line: str, separator: str) -> list[list[str]]:
    try:
        rows = csv.reader([line], delimiter=separator)
        return [row for row in rows if row and max(map(len, row)) <= LONGEST]
    except csv.Error:  # whatever is wrong with one line, others hear nothing of it
        return []


def _opened(file: Path) -> BinaryIO:
    return gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb")  # type: ignore[return-value]
