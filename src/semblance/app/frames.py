"""Frames of any library: pandas inside, and for the person whatever they brought.

Every one of them speaks arrow; only polars itself is imported, and only where the person brought it.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from semblance.core.errors import UsageError
from semblance.core.files import atomic

LIBRARIES = ("pandas", "polars", "pyarrow")


def library_of(frame: Any) -> str:
    """The library of a frame."""
    return type(frame).__module__.partition(".")[0]


def is_frame(source: Any) -> bool:
    """Whether `source` is a frame of a library that we know, without importing any."""
    return library_of(source) in LIBRARIES


def from_pandas(frame: Any, library: str) -> Any:
    """A pandas frame as a frame of `library`."""
    if library == "pandas":
        return frame
    import pyarrow as pa

    table = pa.Table.from_pandas(frame, preserve_index=False)
    return table if library == "pyarrow" else import_module(library).from_arrow(table)


def _to_arrow(frame: Any) -> Any:
    if not is_frame(frame):
        raise UsageError.of(
            f"a {type(frame).__name__}",
            rule="records are a frame (pandas, polars, pyarrow), a path, or what `read` gave",
            fix="sb.read(...) or model.sample(...)",
        )
    import pyarrow as pa

    return pa.Table.from_pandas(frame, preserve_index=False) if library_of(frame) == "pandas" else pa.table(frame)


def columns_of(frame: Any) -> list[str]:
    """The column names of a frame of any library."""
    return [str(name) for name in _to_arrow(frame).column_names]


def write_parquet(frame: Any, path: Path) -> None:
    """Write a frame of any library as Parquet. Raises UsageError for what is no frame."""
    import pyarrow.parquet as pq

    with atomic(path) as temporary:
        pq.write_table(_to_arrow(frame), temporary)


def write_csv(frame: Any, path: Path) -> None:
    """Write a frame of any library as CSV. Raises UsageError for what is no frame."""
    from pyarrow import csv

    with atomic(path) as temporary:
        if library_of(frame) == "pandas":
            frame.to_csv(temporary, index=False)
        elif library_of(frame) == "polars":
            frame.write_csv(temporary)
        else:
            csv.write_csv(_to_arrow(frame), temporary, csv.WriteOptions(quoting_style="needed"))
