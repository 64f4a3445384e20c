"""Which files and columns of the paths that are given hold stays: a long file, and a table of stays beside it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from semblance.core import declared
from semblance.core.errors import DataError, UsageError
from semblance.modalities.vitals import long
from semblance.modalities.vitals.data import Layout
from semblance.modalities.vitals.declare import Said

SUFFIXES = (".csv", ".csv.gz", ".parquet")
UNREADABLE = (ValueError, OSError, EOFError, zlib.error)
"""What a file that is broken, or of another kind, raises."""
LAYOUT = "layout.json"
"""In a folder of synthetic stays: which file and column is what."""


def paths_of(paths: Sequence[str | Path] | str | Path) -> list[Path]:
    """One path or several."""
    return [Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]


def files_of(paths: list[Path]) -> tuple[list[Path], Layout | None]:
    """The files of the paths, and their layout where a folder tells it."""
    for path in paths:
        if not path.exists():
            raise UsageError.of(f"no file '{path}'", rule="the path must exist", fix="check the spelling")
    layout = None
    if len(paths) == 1 and paths[0].is_dir():
        folder = paths[0]
        if (folder / LAYOUT).is_file():
            layout = _layout(folder / LAYOUT)
        paths = sorted(file for file in folder.iterdir() if file.name.lower().endswith(SUFFIXES))
    if not 1 <= len(paths) <= 2 or not all(path.name.lower().endswith(SUFFIXES) for path in paths):
        raise UsageError.of(
            f"{len(paths)} files: {', '.join(path.name for path in paths[:5])}",
            rule=f"the measurements and, beside them, the table of stays, each of {', '.join(SUFFIXES)}",
            fix="give these two files, or a folder that holds them and no others",
        )
    return paths, layout


def _layout(file: Path) -> Layout:
    try:
        return Layout.from_json(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise DataError.of(
            f"'{file.name}' of '{file.parent.name}' is not the layout that was written",
            rule="it tells which file and column of a folder of synthetic stays is what",
            fix="copy it from the run again; or remove it, and columns are known by their names",
        ) from error


def laid_out(said: Said, layout: Layout | None) -> Said:
    """What was declared, but for what a layout tells of its files."""
    if layout is None:
        return said
    return replace(said, **{role: getattr(layout, role) for role in long.NAMES}, clock=layout.clock)


def refuse_unknown(names: Sequence[str], said: Said) -> None:
    """Raise DataError with each declared column that no file has."""
    asked = [(role, getattr(said, role)) for role in long.NAMES]
    problems = [
        declared.unknown(name, dict.fromkeys(names), "column", where=f"[vitals] {role}")
        for role, name in asked
        if name is not None and name not in names
    ]
    if problems:
        raise DataError(*problems)


def key_of(table: pd.DataFrame, file: Path, record: str, said: Said, layout: Layout | None) -> str:
    """What the table of stays calls the column of stays."""
    names = list(table.columns)
    if layout is not None and layout.key in names:
        return str(layout.key)
    if record in names:
        return record
    own = long.columns_of(names, replace(said, record=None)).get("record")
    if own is None:
        raise DataError.of(
            f"'{file.name}' has no column '{record}'",
            rule="the table of stays is joined by the column that names the stay",
            fix=f"name the column '{record}' in both files",
        )
    return own
