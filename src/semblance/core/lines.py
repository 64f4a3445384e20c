"""CSV files of which each line is a row by itself: nothing that stands in one changes how another is read.

Readers of whole files let an open quote swallow the lines below it, and the first row say how many columns all have.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

import pandas as pd


def read(file: Path) -> pd.DataFrame:
    """The rows as texts, "" where one is shorter than the header; one that is longer, or no row of CSV, is left out.

    Raises ValueError where there is no header, and what reading a broken file raises.
    """
    rows = _rows(file)
    names = next(rows, None)
    if names is None:
        raise ValueError("no header")
    whole = [row + [""] * (len(names) - len(row)) for row in rows if len(row) <= len(names)]
    return pd.DataFrame(whole, columns=pd.Index(names, dtype=object), dtype=object)


def header(file: Path) -> list[str]:
    """The names of the columns; none in an empty file."""
    return next(_rows(file), [])


def _rows(file: Path) -> Iterator[list[str]]:
    """The cells of each line that is not empty."""
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8-sig", errors="replace") as text:
        for line in text:
            try:
                row = next(csv.reader([line]), [])
            except csv.Error:  # whatever is wrong with one line, others hear nothing of it
                continue
            if row:
                yield row
