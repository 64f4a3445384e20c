"""Recordings as a table of samples in the layout of the input: CSV, Parquet, ARFF; wide or long as their leads say.

A wide lead with a unit is named 'II [mV]'. Beats and states are columns where the first chunk has any.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.errors import DataError
from semblance.core.schema import Schema
from semblance.modalities.signal.beats import samples_of_marks
from semblance.modalities.signal.data import Lead, Recording, Recordings
from semblance.modalities.signal.formats.columns import LONG

Rows = Iterable[tuple[Recording, dict[str, str]]]


def write_csv(rows: Rows, first: Recordings, path: Path) -> None:
    """A CSV with a row per sample, or per value of a long table."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        for i, frame in enumerate(_frames(rows, first)):
            frame.to_csv(stream, index=False, header=i == 0, lineterminator="\n")


def write_arff(rows: Rows, first: Recordings, path: Path) -> None:
    """An ARFF: numbers are numeric, all else string attributes."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        for i, frame in enumerate(_frames(rows, first)):
            if not i:
                kinds = {n: "numeric" if pd.api.types.is_numeric_dtype(c) else "string" for n, c in frame.items()}
                stream.write("@relation synthetic\n\n")
                stream.writelines(f"@attribute '{name}' {kind}\n" for name, kind in kinds.items())
                stream.write("\n@data\n")
            texts = {"quotechar": "'", "quoting": csv.QUOTE_NONNUMERIC, "na_rep": "?"}
            frame.to_csv(stream, index=False, header=False, lineterminator="\n", **texts)


def write_parquet(rows: Rows, first: Recordings, path: Path) -> None:
    """The same as a Parquet, a row group for each recording."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    frames = _frames(rows, first)
    head = next(frames)
    schema = pa.Schema.from_pandas(head, preserve_index=False).remove_metadata()
    with pq.ParquetWriter(path, schema) as out:
        for frame in _again(head, frames):
            out.write_table(pa.Table.from_pandas(frame, schema, preserve_index=False))


def _again(head: pd.DataFrame, frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    yield head
    yield from frames


@dataclass(frozen=True)
class _Columns:
    """What stands beside the samples: whether there are beats and states, and which facts are numbers."""

    beats: bool
    states: bool
    numbers: frozenset[str]

    @classmethod
    def of(cls, first: Recordings) -> _Columns:
        """As the first chunk says."""
        beats, states = (any(len(getattr(one, kind)) for one in first.recordings) for kind in ("beats", "states"))
        return cls(beats, states, frozenset(_numbers(first.schema)))

    def refuse(self, one: Recording) -> None:
        """DataError where a later recording has marks for which there is no column."""
        if (len(one.beats) and not self.beats) or (len(one.states) and not self.states):
            rule = "the recordings of the first chunk tell which marks there are"
            raise DataError.of(f"record '{one.name}' has marks of a new kind", rule=rule, fix="write larger chunks")


def _numbers(schema: Schema) -> list[str]:
    return [column.name for column in schema.written if column.continuous or column.dtype == "int64"]


def _frames(rows: Rows, first: Recordings) -> Iterator[pd.DataFrame]:
    columns = _Columns.of(first)
    for recording, facts in rows:
        columns.refuse(recording)
        yield (
            _lengthened(recording, columns, facts)
            if recording.leads[0].fmt == LONG
            else _wide(recording, columns, facts)
        )


def _wide(recording: Recording, columns: _Columns, facts: dict[str, str]) -> pd.DataFrame:
    values = recording.values()
    leads = {_titled(lead): rounded(values[:, i], lead) for i, lead in enumerate(recording.leads)}
    return pd.DataFrame({**_places(recording), **leads, **_beside(recording, columns, facts)})


def _lengthened(recording: Recording, columns: _Columns, facts: dict[str, str]) -> pd.DataFrame:
    values, leads = recording.values(), recording.leads
    base = pd.DataFrame({**_places(recording), **_beside(recording, columns, facts)})
    parts = [
        base.assign(lead=lead.name, value=rounded(values[:, i], lead), unit=lead.unit) for i, lead in enumerate(leads)
    ]
    made = pd.concat(parts, ignore_index=True)
    named = ["record", "time", "lead", "value", "unit"]
    return made[[*named, *(name for name in base if name not in named)]]


def _titled(lead: Lead) -> str:
    return f"{lead.name} [{lead.unit}]" if lead.unit else lead.name


def _places(recording: Recording) -> dict[str, Any]:
    return {"record": recording.name, "time": np.round(np.arange(recording.length) / recording.rate, 9)}


def _beside(recording: Recording, columns: _Columns, facts: dict[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if columns.beats:
        made["beat"] = np.full(recording.length, "", dtype=object)
        made["beat"][recording.beats.at] = recording.beats.symbol
    if columns.states:
        made["state"] = samples_of_marks(recording.states, recording.length).astype(object)
    return {**made, **{n: (float(t) if t else np.nan) if n in columns.numbers else t for n, t in facts.items()}}


def rounded(values: np.ndarray, lead: Lead) -> np.ndarray:
    """(n,) float64 with as many decimals as the lead's steps have."""
    return np.round(values.astype(float), max(0, math.ceil(math.log10(lead.gain))))
