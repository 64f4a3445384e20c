"""The long file: a row for each measurement. Its columns are known by their names or by declaration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.errors import DataError, Problem
from semblance.core.names import names_patients
from semblance.modalities.vitals import times
from semblance.modalities.vitals.data import Layout
from semblance.modalities.vitals.declare import Said

NAMES: dict[str, tuple[str, ...]] = {
    "record": ("recordid", "stay", "stayid", "icustayid", "patientunitstayid", "hadmid", "encounterid", "encounter",
               "record", "admission", "admissionid", "id", "subjectid", "subject", "patientid", "patient"),
    "time": ("minute", "minutes", "time", "hour", "hours", "charttime", "offset", "observationoffset", "timestamp",
             "datetime", "t"),
    "channel": ("channel", "parameter", "variable", "item", "itemid", "vital", "measurement", "label", "name"),
    "value": ("value", "valuenum", "val", "result", "reading"),
    "unit": ("unit", "units", "valueuom", "uom"),
}  # fmt: skip
"""Names by which columns are known, in lower case and without blanks and underscores."""
NEEDED = ("record", "time", "channel", "value")
GONE = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "None")
"""What a cell without a number says. A stay and a channel may be called so: sodium is NA."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Measurements as read, in order of stay and time: `record` (m,) texts, `minute`, `channel` (m,) texts, `value`.

    `who` (m,) is the patient, the stay itself where nothing tells. `units` is the unit of each channel, where one is
    told.
    """

    record: np.ndarray
    who: np.ndarray
    minute: np.ndarray
    channel: np.ndarray
    value: np.ndarray
    units: dict[str, str]
    notes: tuple[str, ...] = ()

    def take(self, kept: np.ndarray, *notes: str) -> Rows:
        """The rows under a mask, with further notes."""
        parts = {name: getattr(self, name)[kept] for name in ("record", "who", "minute", "channel", "value")}
        return replace(self, **parts, notes=(*self.notes, *notes))


def common(channel: np.ndarray, who: np.ndarray, rare: int) -> set[str]:
    """The channels that at least `rare` patients have: the others are never named."""
    code, names = pd.factorize(channel)
    pairs = pd.DataFrame({"channel": code, "who": pd.factorize(who)[0]}).drop_duplicates()
    return set(names[np.bincount(pairs["channel"], minlength=len(names)) >= rare])


def plain(name: str) -> str:
    """A name in lower case without blanks and underscores."""
    return name.lower().replace("_", "").replace(" ", "")


def columns_of(names: list[str], said: Said) -> dict[str, str]:
    """Which column is the record, the time, the channel, the value and the unit, as far as the names say."""
    found = {}
    for role, known in NAMES.items():
        asked = getattr(said, role)
        matching = [name for one in known for name in names if plain(name) == one]
        if asked is not None:
            matching = [asked] if asked in names else []
        if matching:
            found[role] = matching[0]
    return found


def is_long(names: list[str], said: Said) -> bool:
    """Whether columns of these names make a long file."""
    return all(role in columns_of(names, said) for role in NEEDED)


def as_text(names: list[str], said: Said) -> set[str]:
    """The columns that are read as texts, whatever stands in them: 001 is another stay than 1."""
    found = columns_of(names, said)
    if not is_long(names, said):
        return set(names)
    return {found["record"], found["channel"], *([who] if (who := patient_column(names, said)) else [])}


def patient_column(names: list[str], said: Said) -> str | None:
    """The column of a long file that tells the patient of a stay, beside the one that tells the stay."""
    others = [name for name in names if name not in columns_of(names, said).values()]
    if said.subject is not None:
        return said.subject if said.subject in others else None
    return next((name for name in others if names_patients(name)), None)


def patients(table: pd.DataFrame, record: str, name: str) -> pd.DataFrame:
    """A row for each stay of a long file with its patient. Raises DataError where a stay is of two."""
    told = pd.DataFrame({record: text(table[record]), name: text(table[name])}).dropna().drop_duplicates()
    twice = int(told[record].duplicated().sum())
    if twice:
        raise DataError.of(
            f"column '{name}': {twice:,} stays are of two patients or more",
            rule="all measurements of a stay are of one patient",
            fix='correct them, or say which column is the stay: [vitals] record = "..."',
        )
    return told


def read(table: pd.DataFrame, file: Path, said: Said, *, patients: Mapping[str, str], rare: int) -> tuple[Rows, Layout]:
    """The measurements of a long file, and its layout; `patients` tells those of stays. Raises DataError with every
    problem, and names no channel that fewer than `rare` patients have."""
    named = columns_of([str(name) for name in table.columns], said)
    record = text(table[named["record"]])
    _refuse(_unnamed(record, named["record"]), _unnamed(text(table[named["channel"]]), named["channel"]))
    told = table[named["time"]]
    clock: Any = said.clock if said.clock is not None else times.clock_of(told, named["time"])
    code = pd.factorize(record)[0]
    minute = times.minutes(told, code, clock, named["time"])
    channel = text(table[named["channel"]]).to_numpy(dtype=object)
    who = np.asarray(record.map(patients).fillna(record), dtype=object) if patients else record.to_numpy(dtype=object)
    named_in = _Naming(channel, who, rare)
    value = _values(table[named["value"]], named_in, named["value"], said)
    units = _units(table, named, named_in)
    order = np.lexsort((np.arange(len(code)), minute, code))
    rows = Rows(record.to_numpy(dtype=object), who, minute, channel, value, units).take(order)
    kept = tuple(str(name) for name in table.columns if str(name) in named.values())
    grain = times.grain_of(minute, clock)
    return rows, Layout.from_json({**named, "long": file.name, "clock": clock, "columns": kept, "grain": grain})


def text(column: pd.Series) -> pd.Series:
    """Cells as texts, numbers that are all whole without a point, None where empty."""
    code, cells = pd.factorize(column)
    made = np.array([*_text(pd.Series(cells)), None], dtype=object)
    return pd.Series(made[code], index=column.index, name=column.name, dtype=object)


def _text(column: pd.Series) -> pd.Series:
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    made = column.astype(object).where(column.notna(), None)
    if pd.api.types.is_float_dtype(column):
        return made.map(lambda v: v if v is None else str(v))
    told = made.map(lambda v: None if v is None or not str(v).strip() else str(v).strip())
    known = told.dropna().astype(str)
    return told.str.removesuffix(".0") if len(known) and known.str.fullmatch(r"-?\d+\.0").all() else told


def _unnamed(column: pd.Series, name: str) -> Iterator[Problem]:
    gone = np.flatnonzero(column.isna())
    if len(gone):
        found = f"{len(gone):,} {'cell is' if len(gone) == 1 else 'cells are'} empty"
        rule, fix = "every measurement names its stay and its channel", "fill the cells, or leave the rows out"
        yield Problem(found, rule, fix, name, int(gone[0]) + 1)


def _refuse(*problems: Iterator[Problem]) -> None:
    found = [problem for some in problems for problem in some]
    if found:
        raise DataError(*found)


@dataclass(frozen=True, eq=False)
class _Naming:
    """Channels (m,) of patients (m,), of which problems name only those that at least `rare` of these have."""

    channel: np.ndarray
    who: np.ndarray
    rare: int

    def of(self, names: list[str]) -> list[tuple[str, list[str]]]:
        """What is said for some channels, with the channels: each by its name, the rare ones as one."""
        if not names:
            return []
        frequent = common(self.channel, self.who, self.rare)
        few = [name for name in names if name not in frequent]
        told = [(f"channel '{name}'", [name]) for name in names if name in frequent]
        return [*told, *([(f"channels that fewer than {self.rare} patients have", few)] if few else [])]


def _values(cells: pd.Series, channels: _Naming, name: str, said: Said) -> np.ndarray:
    """(m,) float64, NaN where missing. Raises DataError for texts that are no number, by channel."""
    if pd.api.types.is_numeric_dtype(cells):
        # Single precision is told by its shortest text, as it was written: 35.1, not 35.099998.
        wide = cells.to_numpy(dtype=float, na_value=np.nan)
        return _shortest(wide) if cells.dtype == np.float32 else wide
    texts = text(cells)
    gone = texts.isna() | texts.isin([*said.na, *GONE])
    numbers = pd.to_numeric(texts.where(~gone), errors="coerce")
    odd = (numbers.isna() & ~gone).to_numpy()
    rule, fix = "a value is a number or missing", 'na = ["..."] if the text means missing, else leave the rows out'
    problems = [
        Problem(
            f"{int((odd & np.isin(channels.channel, ones)).sum()):,} values of {told} are no number", rule, fix, name
        )
        for told, ones in channels.of(list(dict.fromkeys(channels.channel[odd])))
    ]
    _refuse(iter(problems))
    return numbers.to_numpy(dtype=float)


def _shortest(values: np.ndarray) -> np.ndarray:
    """Single precision, rounded to the seven digits that it holds."""
    size = np.floor(np.log10(np.maximum(np.abs(np.nan_to_num(values)), 1e-30)))
    unit = 10.0 ** (6 - size)
    return np.where(unit < 1e12, np.round(values * unit) / unit, values)


def _units(table: pd.DataFrame, named: dict[str, str], channels: _Naming) -> dict[str, str]:
    """The unit of each channel. Raises DataError where a channel has several."""
    if "unit" not in named:
        return {}
    told = (
        pd.DataFrame({"channel": channels.channel, "unit": text(table[named["unit"]]).to_numpy()})
        .dropna()
        .drop_duplicates()
    )
    several = told.groupby("channel")["unit"].agg(list)
    odd = [str(name) for name, units in several.items() if len(units) > 1]
    rule, fix = "a channel has one unit", "convert its values, or name the channels apart"
    problems = [
        Problem(f"{told}: the units {', '.join(sorted(set(several[ones].sum())))}", rule, fix, named["unit"])
        for told, ones in channels.of(odd)
    ]
    _refuse(iter(problems))
    return {str(name): units[0] for name, units in several.items()}
