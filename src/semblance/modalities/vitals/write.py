"""Stays in the layout of the input: a folder with the long file and the table of stays. Whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.errors import UsageError
from semblance.core.facts import told_texts
from semblance.core.files import atomic_folder, write_json
from semblance.modalities.vitals import times
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.files import LAYOUT


def write(chunks: Iterable[Stays], path: Path) -> Path:
    """Write the chunks one after the other; stays and patients are numbered anew. Raises UsageError for no chunks."""
    path, parts = Path(path), iter(chunks)
    first = next(parts, None)
    if first is None or not len(first):
        raise UsageError.of("nothing to write", rule="there is at least one stay", fix="sample at least one")
    layout = first.layout
    with atomic_folder(path) as folder:
        rows, tables = zip(*_frames(chain([first], parts)), strict=True)
        long = pd.concat(rows, ignore_index=True)
        _save(long, folder / layout.long)
        table, told = pd.concat(tables, ignore_index=True), ()
        if layout.table is not None:
            _save(table, folder / layout.table)
            told = tuple(table.columns)
        write_json(folder / LAYOUT, replace(layout, columns=tuple(long.columns), told=told).to_json())
    return path


def _save(frame: pd.DataFrame, file: Path) -> None:
    if file.suffix == ".parquet":
        frame.to_parquet(file, index=False)
    else:
        frame.to_csv(file, index=False, compression={"method": "gzip", "mtime": 0} if file.suffix == ".gz" else None)


def _frames(chunks: Iterator[Stays]) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """The rows of the long file and of the table of stays, of one chunk after the other."""
    done = 0
    for chunk in chunks:
        number = np.arange(done + 1, done + len(chunk) + 1)
        facts = told_texts(chunk.frame, chunk.schema)
        yield _long(chunk, number, facts), _table(chunk, number, facts)
        done += len(chunk)


def _table(chunk: Stays, number: np.ndarray, facts: dict[str, list[str]]) -> pd.DataFrame:
    subject, layout = chunk.schema.where("subject"), chunk.layout
    made: dict[str, Any] = {}
    for column in chunk.schema.written:
        if column.name == layout.record:
            made[layout.key or column.name] = number
        elif subject is not None and column.name == subject.name:
            made[column.name] = chunk.subjects + 1
        elif column.name in facts and (column.name not in layout.early or column.name in layout.told):
            made[column.name] = _typed(facts[column.name])
    return pd.DataFrame({**{name: made[name] for name in layout.told if name in made}, **made})


def _typed(texts: list[str]) -> pd.Series:
    """Cells as they were read: numbers where all that are there are numbers."""
    cells = pd.Series(texts, dtype=object)
    known = cells[cells != ""]
    numbers = pd.to_numeric(known, errors="coerce")
    if not len(known) or numbers.isna().any():
        return cells.where(cells != "", None)
    if known.str.fullmatch(r"-?\d+").all():
        return numbers.astype("Int64").reindex(cells.index)
    return numbers.astype(float).reindex(cells.index)


def _long(chunk: Stays, number: np.ndarray, facts: dict[str, list[str]]) -> pd.DataFrame:
    """The measurements with early facts before them, by stay and time."""
    layout, names = chunk.layout, np.array(chunk.names, dtype=object)
    decimals = np.array([one.decimals for one in chunk.channels])
    early = [(k, i, name) for k, name in enumerate(layout.early) for i, told in enumerate(facts[name]) if told]
    stay = np.concatenate([[i for _, i, _ in early], chunk.stay]).astype(np.int64)
    minute = np.concatenate([np.zeros(len(early)), chunk.minute])
    place = np.concatenate([[k - len(layout.early) for k, _, _ in early], np.arange(len(chunk.minute))])
    channel = np.concatenate([np.array([name for _, _, name in early], dtype=object), names[chunk.channel]])
    known = np.array([float(facts[name][i]) for _, i, name in early], dtype=float)
    value = np.concatenate([known, _rounded(chunk.value, decimals[chunk.channel])])
    order = np.lexsort((place, minute, stay))
    made = {
        layout.record: number[stay][order],
        layout.time: times.told(minute[order], layout.clock, layout.grain),
        layout.channel: channel[order],
        layout.value: value[order].astype(np.int64) if _whole(chunk) else value[order],
    }
    if layout.unit is not None:
        units = {one.name: one.unit for one in chunk.channels}
        made[layout.unit] = [units.get(name, "") for name in channel[order]]
    return pd.DataFrame(made)[list(layout.columns) if layout.columns else list(made)]


def _whole(chunk: Stays) -> bool:
    """Whether all values of the long file are whole numbers, those of early facts as well."""
    early = [chunk.schema[name].decimals for name in chunk.layout.early]
    return not any([*early, *(channel.decimals for channel in chunk.channels)])


def _rounded(values: np.ndarray, decimals: np.ndarray) -> np.ndarray:
    """Each value with the decimals of its channel."""
    made = np.empty(len(values))
    for digits in np.unique(decimals):
        at = decimals == digits
        made[at] = np.round(values[at], digits)
    return made
