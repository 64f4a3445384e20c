"""Files of columns as data frames: CSV (plain or gzip), Parquet, ARFF (plain or gzip, the format of Weka).

Numbers become numbers, all else stays text; an empty cell, `?` and `NaN` are missing.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from semblance.core.errors import DataError

SEPARATORS = ",;\t|"
_MISSING = ["", "?", "NaN", "nan", "NA"]
_ATTRIBUTE = re.compile(r"""^@attribute\s+('[^']*'|"[^"]*"|\S+)\s+(.*)$""", re.IGNORECASE)


def load(path: Path) -> pd.DataFrame:
    """The columns of a file. Raises DataError where it is not what its suffix says."""
    try:
        frame = _load(path)
        if not path.name.lower().endswith(".parquet") and not isinstance(frame.index, pd.RangeIndex):
            raise pd.errors.ParserError  # more cells than names: pandas takes the first ones for an index
    except (ValueError, OSError, EOFError, IndexError, csv.Error) as error:
        why = " (its rows differ in length)" if isinstance(error, pd.errors.ParserError) else ""
        rule, fix = "the file is whole and of the kind that its suffix says", "mend it, or correct its suffix"
        raise DataError.of(f"'{path.name}' cannot be read{why}", rule=rule, fix=fix) from None
    if not len(frame):
        raise DataError.of(f"'{path.name}' has no rows", rule="a row is a sample", fix="give the full file")
    return frame


def _load(path: Path) -> pd.DataFrame:
    name = path.name.lower()
    if name.endswith(".parquet"):
        return pd.read_parquet(path).reset_index(drop=True)
    raw = gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()
    text = raw.decode("utf-8-sig")
    if name.removesuffix(".gz").endswith(".arff"):
        return _arff(text)
    return pd.read_csv(io.StringIO(text), sep=_separator(text), na_values=_MISSING, keep_default_na=False)


def _separator(text: str) -> str:
    first = text.partition("\n")[0]
    return max(SEPARATORS, key=first.count)


def _arff(text: str) -> pd.DataFrame:
    """Nominal attributes stay text, so that a label of digits is a label."""
    lines = iter(text.splitlines(keepends=True))
    attributes = list(_attributes(lines))
    names = [name for name, _ in attributes]
    kinds = {name: str for name, kind in attributes if not re.match(r"(?i)(numeric|real|integer)", kind)}
    options = {"na_values": _MISSING, "keep_default_na": False, "skipinitialspace": True, "quotechar": "'"}
    return pd.read_csv(io.StringIO("".join(lines)), names=names, dtype=kinds, comment="%", **options)


def _attributes(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    for line in map(str.strip, lines):
        if match := _ATTRIBUTE.match(line):
            yield match[1].strip("'\""), match[2].strip()
        if line.lower().startswith("@data"):
            return
