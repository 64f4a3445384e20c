"""Frames of any library: pandas inside, and for the person whatever they brought.

Every one of them speaks arrow; only polars itself is imported, and only where the person brought it.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from semblance.core.errors import DataError, Problem, UsageError
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

    if library_of(frame) != "pandas":
        return pa.table(frame)
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, ValueError, TypeError):  # their words may quote values
        problems = [*_twice(frame), *_mixed(frame)]
    rule = "every column has a name of its own and values of one type"
    raise DataError(
        *problems or [Problem("a frame that cannot be written", rule, "frame.to_csv(...), and give the file")]
    )


def _twice(frame: Any) -> Iterator[Problem]:
    for name in dict.fromkeys(frame.columns[frame.columns.duplicated()]):
        yield Problem("the name stands more than once", "column names are unique", "rename one", str(name))


def _mixed(frame: Any) -> Iterator[Problem]:
    import pyarrow as pa

    for i, name in enumerate(frame.columns):
        try:
            pa.array(frame.iloc[:, i], from_pandas=True)
        except (pa.ArrowException, ValueError, TypeError):
            fix = f"frame[{name!r}] = frame[{name!r}].astype(str), or mend the rows"
            yield Problem("values of several types", "a column holds one type", fix, str(name))


def columns_of(frame: Any) -> list[str]:
    """The column names of a frame of any library."""
    return [str(name) for name in _to_arrow(frame).column_names]


def write_parquet(frame: Any, path: Path) -> None:
    """Write a frame of any library as Parquet. Raises UsageError for no frame, DataError for what no file can hold."""
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
