"""From paths to Stays and the Profile that a person sees first: one long file of measurements, one table of stays.

Problems of a step are told at once. What is repaired is said, with the channel.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from semblance.core.errors import DataError, UsageError
from semblance.core.facts import Statics
from semblance.core.modality import FieldPlan, Profile, ReadOptions
from semblance.core.schema import Schema
from semblance.modalities.vitals import declare, long, statics
from semblance.modalities.vitals.data import Channel, Layout, Stays, concat
from semblance.modalities.vitals.declare import Said
from semblance.modalities.vitals.digits import decimals_of
from semblance.modalities.vitals.long import Rows
from semblance.modalities.vitals.sift import sift

__all__ = ["column_names", "concat", "like", "output_name", "read"]

SUFFIXES = (".csv", ".csv.gz", ".parquet")
LAYOUT = "layout.json"
"""In a folder of synthetic stays: which file and column is what."""


@dataclass(frozen=True, eq=False)
class Found:
    """The measurements and the table of stays as files tell them, and how they are laid out."""

    rows: Rows
    layout: Layout
    table: pd.DataFrame | None


def read(paths: Sequence[str | Path], options: ReadOptions) -> tuple[Stays, Profile]:
    """Read stays and say what was found. Raises DataError or UsageError with every problem of the input."""
    said, problems = declare.check(options)
    if problems:
        raise UsageError(*problems)
    found = _found(paths, said)
    rows = sift(found.rows, said, rare=options.rare)
    early = statics.early_channels(rows, said)
    records = pd.Index(pd.unique(rows.record))
    facts, notes = _facts(found, rows, early, records, said)
    settled = statics.settle(facts, found.layout.record, records, said)
    stays = replace(_stays(rows, early, records, settled, replace(found.layout, early=early)), order=said.order)
    strange = {name for chain in said.order for name in chain} - set(stays.names)
    if strange:
        raise UsageError.of(
            f"[vitals] order names {len(strange)} channels that are not measured",
            rule="an order is one of channels as the data spell them, that enough stays have",
            fix=f"one of: {', '.join(stays.names[:20])}",
        )
    fields = (*settled.plans, *_plans(stays))
    patients = int(stays.subjects.max()) + 1
    told = (f"{len(stays):,} stays, {len(stays.value):,} measurements of {len(stays.channels)} channels",)
    return stays, Profile(len(stays), patients, fields, (*told, *rows.notes, *notes))


def like(paths: Sequence[str | Path], schema: Schema, *, channels: Sequence[Channel] = ()) -> Stays:
    """Read further stays under a known schema: other facts are ignored, a missing one is a DataError.

    `channels` are those to code by; without them the channels are those of the files, in the order of their names.
    """
    said = Said(record=next((c.name for c in schema if c.kind == "identifier"), None))
    found = _found(paths, said)
    rows = sift(found.rows, said, rare=1)
    records = pd.Index(pd.unique(found.rows.record))
    names = {column.name for column in schema}
    early = tuple(name for name in dict.fromkeys(rows.channel) if name in names)
    facts, _ = _facts(found, rows, early, records, said)
    layout = replace(found.layout, early=early)
    return _stays(rows, early, records, statics.conform(facts, schema, records), layout, channels=channels)


def column_names(paths: Sequence[str | Path]) -> tuple[str, ...]:
    """The columns of the table of stays, whatever a schema says. Raises DataError where files cannot be read."""
    found = _found(paths, Said())
    return () if found.table is None else tuple(map(str, found.table.columns))


def output_name(paths: Sequence[str | Path]) -> str:
    """The name of the synthetic data: a folder with the files of the input under their own names."""
    return "synthetic"


def _found(paths: Sequence[str | Path] | str | Path, said: Said) -> Found:
    files, layout = _files([Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)])
    if layout is not None:
        said = replace(said, **{role: getattr(layout, role) for role in long.NAMES}, clock=layout.clock)
    tables = [(file, _table(file)) for file in files]
    measured = [(f, t) for f, t in tables if long.is_long(list(map(str, t.columns)), said)]
    if len(measured) != 1:
        names = ", ".join(f"'{file.name}'" for file in files)
        rule = "one file has a row per measurement, with columns for the stay, the time, the channel and the value"
        fix = '[vitals] record = "...", time = "...", channel = "...", value = "..." name its columns'
        raise DataError.of(f"{len(measured)} of the files {names} hold measurements", rule=rule, fix=fix)
    ((file, table),) = measured
    rows, made = long.read(table, file, said)
    others = [(f, t) for f, t in tables if f != file]
    if not others:
        return Found(rows, replace(made, table=None), None)
    ((other, stays),) = others
    return Found(rows, replace(made, table=other.name), _with_record(stays, other, made.record, said))


def _with_record(table: pd.DataFrame, file: Path, record: str, said: Said) -> pd.DataFrame:
    """The table of stays, its column of stays named as in the long file."""
    names = [str(name) for name in table.columns]
    table.columns = pd.Index(names)
    if record in names:
        return table
    own = long.columns_of(names, replace(said, record=None)).get("record")
    if own is None:
        raise DataError.of(
            f"'{file.name}' has no column '{record}'",
            rule="the table of stays is joined by the column that names the stay",
            fix=f"name the column '{record}' in both files",
        )
    return table.rename(columns={own: record})


def _files(paths: list[Path]) -> tuple[list[Path], Layout | None]:
    """The files of the paths, and their layout where a folder tells it."""
    for path in paths:
        if not path.exists():
            raise UsageError.of(f"no file '{path}'", rule="the path must exist", fix="check the spelling")
    layout = None
    if len(paths) == 1 and paths[0].is_dir():
        folder = paths[0]
        if (folder / LAYOUT).is_file():
            layout = Layout.from_json(json.loads((folder / LAYOUT).read_text(encoding="utf-8")))
        paths = sorted(file for file in folder.iterdir() if file.name.lower().endswith(SUFFIXES))
    if not 1 <= len(paths) <= 2 or not all(path.name.lower().endswith(SUFFIXES) for path in paths):
        raise UsageError.of(
            f"{len(paths)} files: {', '.join(path.name for path in paths[:5])}",
            rule=f"the measurements and, beside them, the table of stays, each of {', '.join(SUFFIXES)}",
            fix="give these two files, or a folder that holds them and no others",
        )
    return paths, layout


def _table(file: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file)
    except (ValueError, OSError, UnicodeError):
        rule = "the file is whole and of the kind that its suffix says"
        raise DataError.of(f"'{file.name}' cannot be read", rule=rule, fix="copy or download it again") from None


def _facts(
    found: Found, rows: Rows, early: tuple[str, ...], records: pd.Index, said: Said
) -> tuple[dict[str, pd.Series], list[str]]:
    """What is known of the records, from early channels and then from the table, and notes."""
    facts = statics.early_facts(rows, early, records)
    if found.table is None:
        return facts, []
    told, notes = statics.joined(found.table, found.layout.record, records, said)
    return {**facts, **{name: texts for name, texts in told.items() if name not in facts}}, notes


def _stays(
    rows: Rows,
    early: tuple[str, ...],
    records: pd.Index,
    settled: Statics,
    layout: Layout,
    *,
    channels: Sequence[Channel] = (),
) -> Stays:
    rows = rows.take(~np.isin(rows.channel, early))
    if not channels:
        names = sorted(set(rows.channel))
        values = {name: rows.value[rows.channel == name] for name in names}
        channels = [Channel(name, rows.units.get(name, ""), decimals_of(values[name])) for name in names]
    code = pd.Index([channel.name for channel in channels]).get_indexer(pd.Index(rows.channel))
    kept = code >= 0
    size = np.bincount(records.get_indexer(pd.Index(rows.record[kept])), minlength=len(records))
    starts = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    return Stays(
        settled.schema,
        settled.frame,
        tuple(channels),
        starts,
        rows.minute[kept],
        code[kept].astype(np.int64),
        rows.value[kept],
        settled.subjects,
        layout,
    )


def _plans(stays: Stays) -> list[FieldPlan]:
    """A plan for each channel: the share of stays that never have it."""
    there = np.zeros((len(stays), len(stays.channels)), dtype=bool)
    there[stays.stay, stays.channel] = True
    return [
        FieldPlan(one.name, f"channel{f', {one.unit}' if one.unit else ''}", "channel", float(gone))
        for one, gone in zip(stays.channels, 1 - there.mean(axis=0), strict=True)
    ]
