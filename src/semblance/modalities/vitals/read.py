"""From paths to Stays and the Profile that a person sees first: one long file of measurements, one table of stays.

Problems of a step are told at once. What is repaired is said, with the channel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from semblance.core.errors import DataError, UsageError
from semblance.core.facts import Statics
from semblance.core.modality import FieldPlan, Profile, ReadOptions
from semblance.core.schema import Schema
from semblance.modalities.vitals import declare, long, statics, times
from semblance.modalities.vitals.data import Channel, Layout, Stays, concat
from semblance.modalities.vitals.declare import Said
from semblance.modalities.vitals.digits import decimals_of
from semblance.modalities.vitals.files import UNREADABLE, files_of, key_of, laid_out, paths_of, refuse_unknown
from semblance.modalities.vitals.long import Rows
from semblance.modalities.vitals.sift import sift

__all__ = ["column_names", "concat", "further", "incomplete", "like", "output_name", "read"]


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
    found = _found(paths, said, rare=options.rare)
    rows = sift(found.rows, said, rare=options.rare)
    early = statics.early_channels(rows, said)
    records = pd.Index(pd.unique(rows.record))
    facts, notes = _facts(found, rows, early, records, said)
    settled = statics.settle(facts, found.layout.record, records, said)
    learned = {column.name for column in settled.schema.learned}
    layout = replace(found.layout, early=tuple(name for name in early if name in learned))
    stays = replace(_stays(rows, early, records, settled, layout), said=said)
    strange = {name for chain in said.order for name in chain} - set(stays.names)
    if strange:
        raise UsageError.of(
            f"[vitals] order names {len(strange)} channels that are not measured",
            rule="an order is one of channels as the data spell them, that enough stays have",
            fix=f"one of: {', '.join(stays.names[:20])}",
        )
    fields = (*settled.plans, *_plans(stays))
    patients = int(stays.subjects.max()) + 1
    told = (
        f"{len(stays):,} stays, {len(stays.value):,} measurements of {len(stays.channels)} channels",
        _lasting(rows, found.layout),
    )
    return stays, Profile(len(stays), patients, fields, (*told, *rows.notes, *notes, *settled.notes))


def _lasting(rows: Rows, layout: Layout) -> str:
    """How long stays last: a column `time` does not say whether it tells minutes or seconds, but a person sees it."""
    last = pd.Series(rows.minute).groupby(rows.record).max()
    clock = f"'{layout.time}' tells {layout.clock}" + (" ([vitals] clock)" if layout.clock in times.MINUTES else "")
    return f"stays last {float(last.median()) / 60:,.3g} hours in the median, as {clock}"


def like(paths: Sequence[str | Path], schema: Schema) -> Stays:
    """Read further stays under a known schema: other facts are ignored, a missing one is a DataError.

    What is a fact is found as `read` does, among those of the schema. The channels are those of the files, in the order
    of their names.
    """
    return _further(paths, schema, _said_by(schema), None, ())


def incomplete(paths: Sequence[str | Path], schema: Schema) -> Stays:
    """Read further stays as `like` does, with the cells that have no value (NaN): they are to be completed."""
    return _further(paths, schema, _said_by(schema), None, (), gaps=True)


def _said_by(schema: Schema) -> Said:
    """What a schema says of files."""
    target = schema.where("target")
    record = next((column.name for column in schema if column.kind == "identifier"), None)
    return Said(record=record, target=None if target is None else target.name)


def further(paths: Sequence[str | Path], train: Stays) -> Stays:
    """Read further stays as `train` was: under its schema and what was declared, with its facts and its channels."""
    said = replace(train.said, record=train.said.record or train.layout.record)
    return _further(paths, train.schema, said, train.layout.early, train.channels)


def _further(
    paths: Sequence[str | Path],
    schema: Schema,
    said: Said,
    early: tuple[str, ...] | None,
    channels: Sequence[Channel],
    *,
    gaps: bool = False,
) -> Stays:
    found = _found(paths, said, rare=1)
    rows = sift(found.rows, replace(said, order=(), limits=_known(said.limits, found), statics=()), rare=1, gaps=gaps)
    records = pd.Index(pd.unique(found.rows.record))
    early = early if early is not None else _early(rows, found, schema)
    facts, _ = _facts(found, rows, early, records, said)
    layout = replace(found.layout, early=early)
    stays = _stays(rows, early, records, statics.conform(facts, schema, records), layout, channels=channels)
    return replace(stays, said=said)


def _known(limits: Mapping[str, tuple[float, float]], found: Found) -> dict[str, tuple[float, float]]:
    """The limits of channels that the files have: others may have more."""
    there = set(found.rows.channel)
    return {name: ends for name, ends in limits.items() if name in there}


def _early(rows: Rows, found: Found, schema: Schema) -> tuple[str, ...]:
    """The channels that are facts of the schema: those of minute 0 alone, and those that no table tells."""
    alone = statics.early_channels(rows, Said())
    learned = {column.name for column in schema.learned}
    told = set() if found.table is None else set(found.table.columns)
    return tuple(
        name for name in dict.fromkeys(rows.channel) if name in learned and (name in alone or name not in told)
    )


def column_names(paths: Sequence[str | Path]) -> tuple[str, ...]:
    """The columns of the table of stays, whatever a schema says: the stay by its name in the long file, which is the
    longer one where names do not tell. Raises DataError where files cannot be read."""
    files, layout = files_of(paths_of(paths))
    said = laid_out(Said(), layout)
    tables = [_table(file, said) for file in files]
    if len(tables) < 2:
        return ()
    measured = next((table for table in tables if long.is_long(list(table.columns), said)), max(tables, key=len))
    (table,) = (table for table in tables if table is not measured)
    record, names = long.columns_of(list(measured.columns), said).get("record"), list(table.columns)
    own = long.columns_of(names, replace(said, record=layout.key if layout is not None else None)).get("record")
    renamed = {own: record} if own is not None and record is not None and record not in names else {}
    return tuple(renamed.get(name, name) for name in names)


def output_name(paths: Sequence[str | Path]) -> str:
    """The name of the synthetic data: a folder with the files of the input under their own names."""
    return "synthetic"


def _found(paths: Sequence[str | Path] | str | Path, said: Said, *, rare: int) -> Found:
    files, layout = files_of(paths_of(paths))
    said = laid_out(said, layout)
    tables = [(file, _table(file, said)) for file in files]
    measured = [(f, t) for f, t in tables if long.is_long(list(t.columns), said)]
    refuse_unknown([name for _, table in tables for name in table.columns], said)
    if len(measured) != 1:
        names = ", ".join(f"'{file.name}'" for file in files)
        rule = "one file has a row per measurement, with columns for the stay, the time, the channel and the value"
        fix = '[vitals] record = "...", time = "...", channel = "...", value = "..." name its columns'
        raise DataError.of(f"{len(measured)} of the files {names} hold measurements", rule=rule, fix=fix)
    ((file, table),) = measured
    others = [(f, t) for f, t in tables if f != file]
    record = long.columns_of(list(table.columns), said)["record"]
    who = long.patient_column(list(table.columns), said)
    beside = None if who is None else long.patients(table, record, who)
    if not others:
        known = {} if beside is None else statics.patients(beside, record, said)
        rows, made = long.read(table, file, said, patients=known, rare=rare)
        return Found(rows, replace(made, table=None), beside)
    ((other, stays),) = others
    key = key_of(stays, other, record, said, layout)
    told = tuple(stays.columns)
    stays = stays.rename(columns={key: record})
    if beside is not None and not statics.patients(stays, record, said):
        stays = stays.assign(**{record: long.text(stays[record])}).merge(beside, on=record, how="left")
    rows, made = long.read(table, file, said, patients=statics.patients(stays, record, said), rare=rare)
    return Found(rows, replace(made, table=other.name, key=key if key != record else None, told=told), stays)


def _table(file: Path, said: Said) -> pd.DataFrame:
    try:
        made = pd.read_parquet(file) if file.suffix == ".parquet" else _csv(file, said)
    except UNREADABLE:
        rule = "the file is whole and of the kind that its suffix says"
        raise DataError.of(f"'{file.name}' cannot be read", rule=rule, fix="copy or download it again") from None
    made.columns = pd.Index(map(str, made.columns))
    return made


def _csv(file: Path, said: Said) -> pd.DataFrame:
    names = list(pd.read_csv(file, nrows=0).columns)
    texts = long.as_text(names, said)
    gone = {name: [""] if name in texts else list(long.GONE) for name in names}
    return pd.read_csv(file, dtype=dict.fromkeys(texts, str), keep_default_na=False, na_values=gone)


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
    rows = rows.take(~pd.Index(rows.channel).isin(early))
    if not channels:
        values = pd.Series(rows.value).groupby(pd.factorize(rows.channel, sort=True)[0])
        decimals = [decimals_of(own.to_numpy()) for _, own in values]
        names = sorted(set(rows.channel))
        channels = [Channel(n, rows.units.get(n, ""), digits) for n, digits in zip(names, decimals, strict=True)]
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
