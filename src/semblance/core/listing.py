"""Tables that list files: a manifest has a row for each, and says in other columns what is known of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os.path import isfile
from pathlib import Path

from semblance.core.errors import DataError

MANIFEST, PATH = "manifest.csv", "path"
"""The table by which a folder is read, and the column of files, which are relative to the table."""


def pathless(file: Path, names: Sequence[str], suffixes: Iterable[str]) -> DataError:
    """The error of a manifest that has the columns `names` and none of paths; `suffixes` are those of files that it
    may list."""
    rule = f"a manifest has a header with a column '{PATH}', and commas between columns"
    begin = f"begin it with a line as {PATH},label,subject"
    if not names:
        return DataError.of(f"'{file.name}' is empty", rule=rule, fix=begin)
    if len(names) == 1 and ";" in names[0]:
        return DataError.of(f"'{file.name}' has semicolons between its columns", rule=rule, fix="save it with commas")
    if _is_row(file.parent, names, tuple(suffixes)):  # a patient's row, which is not told
        return DataError.of(f"'{file.name}' has no header", rule=rule, fix=begin)
    found = f"'{file.name}' has the columns {', '.join(names)}"
    return DataError.of(found, rule=rule, fix=f"name the column of files '{PATH}', or leave out what is no manifest")


def _is_row(folder: Path, names: Sequence[str], suffixes: tuple[str, ...]) -> bool:
    """Whether names are those of files: by how they end, or, since a suffix may be left out, because they are there."""
    if any(name.lower().endswith(suffixes) for name in names):
        return True
    return any(isfile(folder / f"{name}{suffix}") for name in names for suffix in ("", *suffixes))
