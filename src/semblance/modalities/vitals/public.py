"""Stays read under what is declared and nothing else, as differential privacy asks.

Each row is read by itself. One that is of no declared channel, whose time is none or beyond the declared hours, or
whose value is no number within its channel's limits counts as missing, whatever the others are. So one patient more or
less changes nothing of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semblance.core import lines
from semblance.core.declared import undeclared_columns, untold_patients
from semblance.core.errors import DataError, Problem, UsageError
from semblance.core.facts import framed, public_column, public_values
from semblance.core.modality import FieldPlan, Profile, ReadOptions
from semblance.core.schema import Column, Schema
from semblance.modalities.vitals import declare, long, times
from semblance.modalities.vitals.data import Channel, Layout, Public, Stays
from semblance.modalities.vitals.declare import Said
from semblance.modalities.vitals.files import UNREADABLE, files_of, key_of, laid_out, paths_of, refuse_unknown

RULE = "under differential privacy nothing is looked up in stays: what is public of them is declared"
FIXES = {
    "clock": 'clock = "minutes"',
    "hours": "hours = 48",
    "step": "step = 60",
    "limits": "limits = { HR = [0, 300], Temp = [25, 45] }, of each channel that is learned",
}
FEWEST, MOST = 2, 1_000
"""Bins of a stay."""


def read(
    paths: Sequence[str | Path], options: ReadOptions, ledger: Any = None, resume: Path | None = None
) -> tuple[Stays, Profile]:
    """The stays and what those inside are shown. Raises UsageError with all that is not declared."""
    said, problems = declare.check(options)
    problems = problems if problems else undeclared(said)
    if problems:
        raise UsageError(*problems)
    files = _Files.of(paths, said)
    public, channels = public_of(said)
    rows = _rows(files, said)
    whose = _whose(files, rows, said)
    records = pd.Index(pd.unique(rows["record"][rows["record"].isin(whose.index)]))
    if not len(records):
        rule, fix = "at least one stay is as declared", 'correct [vitals] record, or the column of role = "subject"'
        raise DataError.of("no row names a stay, and its patient where one is declared", rule=rule, fix=fix)
    schema = _schema(files.layout.record, said)
    frame = framed({c.name: _fact(files, rows, records, c, said) for c in schema.learned}, len(records))
    fine = _fine(rows, public, channels, said) & rows["record"].isin(records).to_numpy()
    stays = _stays(rows[fine], records, schema, frame, channels, whose, files.layout, public, said)
    return stays, _profile(stays, public, len(rows) - len(stays.value))


def undeclared(said: Said) -> list[Problem]:
    """All that differential privacy asks to be declared, and is not."""
    problems = [
        Problem(f"no {key} {'are' if key != 'clock' and key != 'step' else 'is'} declared", RULE, f"[vitals] {fix}")
        for key, fix in FIXES.items()
        if not getattr(said, key)
    ]
    if said.hours is not None and said.step is not None:
        bins = said.hours * 60 / said.step
        if bins % 1 or not FEWEST <= bins <= MOST:
            rule = f"the hours are {FEWEST} to {MOST:,} whole steps"
            problems.append(Problem(f"{said.hours:g} hours by {said.step:g} minutes", rule, "hours = 48, step = 60"))
    problems += [
        Problem(f"the limits of '{name}' have no end", "values lie between two numbers", f"{name} = [0, 300]")
        for name, ends in said.limits.items()
        if not np.isfinite(ends).all()
    ]
    named = {
        "order": [name for chain in said.order for name in chain],
        "panels": [name for panel in said.panels for name in panel],
        "digits": [*said.digits],
        "units": [*said.units],
    }
    rule, fix = "a channel that is named has limits", "declare its limits, or leave it out"
    problems += [
        Problem(f"[vitals] {key} names '{name}', which has no limits", rule, fix)
        for key, names in named.items()
        for name in dict.fromkeys(names)
        if said.limits and name not in said.limits
    ]
    for name in said.statics:
        if name in said.limits or name not in said.named:
            rule, fix = "a static is a fact, not a channel", f'declare it in [columns."{name}"], without limits'
            problems.append(Problem(f"what '{name}' may hold is not declared as a fact's", rule, fix))
    return [*problems, *undeclared_columns(said.columns, said.named)]


def public_of(said: Said) -> tuple[Public, tuple[Channel, ...]]:
    """What is declared, once all of it is, with the channels by name."""
    assert said.hours is not None and said.step is not None
    names = sorted(said.limits)
    channels = tuple(Channel(name, said.units.get(name, ""), said.digits.get(name, 0)) for name in names)
    several = [tuple(sorted(names.index(name) for name in panel)) for panel in said.panels]
    alone = [(i,) for i in range(len(names)) if not any(i in panel for panel in several)]
    limits = tuple((float(low), float(high)) for low, high in (said.limits[name] for name in names))
    return Public(limits, tuple(sorted([*several, *alone])), said.hours * 60, float(said.step)), channels


@dataclass(frozen=True, eq=False)
class _Files:
    """The long file and the table of stays, if there is one, with every cell as a text, and how they are laid out."""

    long: pd.DataFrame
    table: pd.DataFrame | None
    layout: Layout

    @classmethod
    def of(cls, paths: Sequence[str | Path], said: Said) -> _Files:
        files, layout = files_of(paths_of(paths))
        said = laid_out(said, layout)
        tables = {file: _texts(file) for file in files}
        measured = [file for file, table in tables.items() if long.is_long(list(table.columns), said)]
        refuse_unknown([name for table in tables.values() for name in table.columns], said)
        if len(measured) != 1:
            rule = "one file has a row per measurement, with columns for the stay, the time, the channel and the value"
            fix = '[vitals] record = "...", time = "...", channel = "...", value = "..." name its columns'
            raise DataError.of(f"{len(measured)} of the files hold measurements", rule=rule, fix=fix)
        (file,) = measured
        named = long.columns_of(list(tables[file].columns), said)
        told: dict[str, Any] = {
            **named,
            "long": f"stays.vitals{_suffix(file)}",
            "clock": said.clock,
            "columns": [name for name in tables[file].columns if name in named.values()],
            "grain": times.grain_of(np.array([float(said.step or 1)]), said.clock),  # type: ignore[arg-type]
            "early": [name for name in said.statics if name in said.named],
        }
        if len(files) == 1:
            _refuse_patients(tables[file].columns, {named["record"]}, said)
            return cls(tables[file], None, Layout.from_json({**told, "table": None}))
        (other,) = (one for one in files if one != file)
        table = tables[other]
        key = key_of(table, other, named["record"], said, layout)
        _refuse_patients([*tables[file].columns, *table.columns], {named["record"], key}, said)
        # Names that were not declared stay inside.
        declared = {key, said.subject, *said.named}
        own = {"table": f"stays{_suffix(other)}", "key": key, "told": [c for c in table.columns if c in declared]}
        return cls(tables[file], table.rename(columns={key: named["record"]}), Layout.from_json({**told, **own}))


def _refuse_patients(names: Iterable[str], stays: set[str], said: Said) -> None:
    """Raise UsageError where a column other than those that name `stays` looks as if it told patients, and none is
    declared to."""
    kept = {*stays, *said.named, *(name for name, told in said.columns.items() if told.get("role") == "key")}
    if problems := untold_patients((name for name in names if name not in kept), said.subject):
        raise UsageError(*problems)


def _suffix(file: Path) -> str:
    return ".parquet" if file.suffix == ".parquet" else ".csv.gz" if file.suffix == ".gz" else ".csv"


def _texts(file: Path) -> pd.DataFrame:
    """A file with every cell as a text by itself, None where it is empty."""
    try:
        made = pd.read_parquet(file) if file.suffix == ".parquet" else lines.read(file)
    except UNREADABLE:
        rule = "the file is whole and of the kind that its suffix says"
        raise DataError.of(f"'{file.name}' cannot be read", rule=rule, fix="copy or download it again") from None
    names = [str(name) for name in made.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        rule, fix = "each column has a name of its own", "rename one of each"
        raise DataError.of(f"'{file.name}' has several columns {', '.join(map(repr, twice))}", rule=rule, fix=fix)
    return pd.DataFrame({str(name): _cells(made[name]) for name in made.columns})


def _cells(column: pd.Series) -> pd.Series:
    code, some = pd.factorize(column)
    told = np.array([*(_cell(value, column.dtype) for value in some), None], dtype=object)
    return pd.Series(told[code], dtype=object)


def _cell(value: Any, dtype: Any) -> str | None:
    """A cell as a text: whole numbers without a point, single precision by its shortest text."""
    if isinstance(value, float | np.floating):
        return f"{value:.0f}" if value % 1 == 0 else str(np.float32(value) if dtype == np.float32 else float(value))
    return str(value).strip() or None


def _rows(files: _Files, said: Said) -> pd.DataFrame:
    """The long file's rows that name a stay, in order of stay and time, with what each of them tells."""
    named, table = long.columns_of(list(files.long.columns), said), files.long
    layout = files.layout
    record = table[layout.record]
    stay = pd.factorize(record)[0]
    who = long.patient_column(list(table.columns), said) if said.subject is not None else None
    numbers = pd.to_numeric(table[layout.value], errors="coerce").to_numpy(dtype=float)
    made = pd.DataFrame(
        {
            "record": record,
            "stay": stay,
            "minute": times.known_minutes(table[layout.time], stay, layout.clock, alone=True),
            "channel": table[layout.channel],
            "value": numbers,
            "text": table[layout.value],
            "unit": table[named["unit"]] if "unit" in named else None,
            "who": table[who] if who is not None else None,
        }
    )
    return made[record.notna()].sort_values(["stay", "minute"], kind="stable").reset_index(drop=True)


def _whose(files: _Files, rows: pd.DataFrame, said: Said) -> pd.Series:
    """The patient of each stay, by its name: the stay itself where no patient is declared. One that names none, where
    others do, is not there."""
    if said.subject is None or said.subject == files.layout.record:
        names = pd.unique(rows["record"])
        return pd.Series(names, index=names, dtype=object)
    table = files.table
    if table is not None and said.subject in table:
        told = table[[files.layout.record, said.subject]].set_axis(["record", "who"], axis=1)
    elif long.patient_column(list(files.long.columns), said) is not None:
        told = rows[["record", "who"]]
    else:
        rule, fix = "the column that tells the patient is there", 'correct [columns."..."] role = "subject"'
        raise DataError.of(f"no column '{said.subject}' tells patients", rule=rule, fix=fix)
    told = told.dropna().drop_duplicates("record")
    return pd.Series(told["who"].to_numpy(), index=told["record"].to_numpy(), dtype=object)


def _schema(record: str, said: Said) -> Schema:
    """What is declared; the stay's own name tells the patient where no other column does."""
    alone = said.subject in (None, record)
    columns = [Column(record, "identifier", "subject" if alone else "key")]
    columns += [] if alone else [Column(str(said.subject), "identifier", "subject")]
    learned = (public_column(name, said.columns.get(name, {}), target=said.target) for name in said.named)
    return Schema((*columns, *learned), said.cohort, said.n_public, public=True)


def _fact(files: _Files, rows: pd.DataFrame, records: pd.Index, column: Column, said: Said) -> Any:
    """A declared fact of each of the records: the first that is told of it, be it by the table or by an early value."""
    table = files.table
    if column.name in said.statics:
        own = rows[(rows["channel"] == column.name) & ~rows["value"].isin(said.missing)]
        told = pd.Series(own["text"].to_numpy(), index=own["record"].to_numpy(), dtype=object)
    elif table is not None and column.name in table:
        told = pd.Series(table[column.name].to_numpy(), index=table[files.layout.record].to_numpy(), dtype=object)
    else:
        rule = "a declared column is in the table of stays, or a static among the channels"
        raise DataError.of(f"no column '{column.name}'", rule=rule, fix="correct its name, or leave it out")
    told = told[told.index.notna()]
    told = told[~told.index.duplicated()].reindex(records)
    return public_values(told.fillna("").reset_index(drop=True), column, na=said.na_of(column.name))


def _fine(rows: pd.DataFrame, public: Public, channels: Sequence[Channel], said: Said) -> np.ndarray:
    """(m,) bool: rows that are as declared, the first of each channel and minute."""
    code = pd.Index([channel.name for channel in channels]).get_indexer(pd.Index(rows["channel"]))
    low, high = np.array([*public.limits, (np.inf, -np.inf)]).T
    value, minute = rows["value"].to_numpy(), rows["minute"].to_numpy()
    fine = (code >= 0) & (minute >= 0) & (minute < public.horizon) & ~np.isin(value, said.missing)
    fine &= (value >= low[code]) & (value <= high[code])
    if said.units:
        wanted = rows["channel"].map(said.units)
        fine &= (rows["unit"].isna() | wanted.isna() | (rows["unit"] == wanted)).to_numpy()
    made: np.ndarray = fine & ~rows.assign(fine=fine).duplicated(["stay", "minute", "channel", "fine"]).to_numpy()
    return made


def _stays(
    rows: pd.DataFrame,
    records: pd.Index,
    schema: Schema,
    frame: pd.DataFrame,
    channels: tuple[Channel, ...],
    whose: pd.Series,
    layout: Layout,
    public: Public,
    said: Said,
) -> Stays:
    stay = records.get_indexer(pd.Index(rows["record"]))
    order = np.argsort(stay, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(stay, minlength=len(records)))]).astype(np.int64)
    code = pd.Index([channel.name for channel in channels]).get_indexer(pd.Index(rows["channel"]))
    return Stays(
        schema,
        frame,
        channels,
        starts,
        rows["minute"].to_numpy()[order],
        code[order].astype(np.int64),
        rows["value"].to_numpy()[order],
        pd.factorize(whose.reindex(records).to_numpy())[0].astype(np.int64),
        layout,
        said,
        public,
    )


def _profile(stays: Stays, public: Public, lost: int) -> Profile:
    """What those inside are shown."""
    there = np.zeros((len(stays), len(stays.channels)), dtype=bool)
    there[stays.stay, stays.channel] = True
    plans = [FieldPlan(c.name, c.kind, c.role, float(stays.frame[c.name].isna().mean())) for c in stays.schema.learned]
    plans += [
        FieldPlan(one.name, f"channel, {low:g} to {high:g} {one.unit}".rstrip(), "channel", float(gone))
        for one, (low, high), gone in zip(stays.channels, public.limits, 1 - there.mean(axis=0), strict=True)
    ]
    notes = [f"{len(stays):,} stays, {len(stays.value):,} measurements of {len(stays.channels)} channels"]
    notes += [f"{lost:,} rows are not as declared, or facts, and count as missing"] if lost else []
    patients = len(np.unique(stays.subjects))
    return Profile(len(stays), patients, tuple(plans), tuple(notes))
