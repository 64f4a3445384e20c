"""Tables of samples: CSV, Parquet and ARFF, wide (a row per sample, a column per lead) or long (a row per value).

Times may start anywhere and may have gaps, which become missing samples; they must keep to a grid. What cannot be read
off the names is said in the schema file ([signal] time, record, lead, value, state, rate).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from semblance.core.errors import DataError, Problem
from semblance.modalities.signal.beats import marks_of_samples
from semblance.modalities.signal.data import Lead, Marks, Recording
from semblance.modalities.signal.declare import Said
from semblance.modalities.signal.formats.columns import LONG, WIDE, Layout, is_long, laid_out, lost, patients, usual
from semblance.modalities.signal.formats.frames import load
from semblance.modalities.signal.found import Found, sex_of, text_of
from semblance.modalities.signal.rates import settled, wrong_rate

_UNIT = re.compile(r"^(?!(?:time|t) )(.+) \[(.+)\]$", re.IGNORECASE)
NEAR = 1e-4
"""A rate this near to a whole number is that number."""
ALIKE = 0.01
"""Recordings whose rates differ by less have the same one."""
JITTER = 0.45
"""How far a time may stand from its place on the grid, in samples."""
LONGEST = 20
"""A table may have so many times as many places on its grid as it has samples."""


def read(path: Path, said: Said) -> Iterator[Found]:
    """The recordings of a table. Raises DataError with all that is wrong with it."""
    frame = load(path)
    frame.columns = [str(name).strip() for name in frame.columns]
    _raise(lost(frame, (said.time, said.record, said.lead, said.value, said.state)))
    fmt, units = (LONG, _units_of_long(frame, said)) if is_long(frame, said) else (WIDE, _units_in_names(frame))
    table = _widened(frame, said, path) if fmt == LONG else _without_units(frame, units)
    layout = laid_out(table, said)
    parts = list(_parts(table, layout, path))
    grids = _grids(parts, layout, said)
    leads = tuple(_lead(table[name], said.unit(name) or units.get(name, ""), fmt) for name in layout.leads)
    for (name, part), grid in zip(parts, grids, strict=True):
        yield _found(name, part, grid, layout, leads)


def _units_in_names(frame: pd.DataFrame) -> dict[str, str]:
    """Units that stand behind the names of columns: 'II [mV]'."""
    return {match[1]: match[2] for name in frame.columns if (match := _UNIT.match(name))}


def _without_units(frame: pd.DataFrame, units: dict[str, str]) -> pd.DataFrame:
    return frame.rename(columns={f"{name} [{unit}]": name for name, unit in units.items()})


def _parts(frame: pd.DataFrame, layout: Layout, path: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each recording's rows, in the order of the file."""
    by = layout.record if layout.record is not None else layout.subject
    if by is None:
        yield path.name.split(".")[0], frame
        return
    if frame[by].isna().any():
        row = int(np.flatnonzero(frame[by].isna())[0]) + 1
        fix = "fill the cells, or remove the rows"
        raise DataError.of("rows of no recording", rule="every row belongs to one", fix=fix, column=by, row=row)
    for name, part in frame.groupby(by, sort=False):
        yield str(name), part


# Times


def _seconds(column: pd.Series) -> np.ndarray:
    """(n,) float64 seconds: of numbers (in milliseconds where the name says so) or of dates; NaN for neither."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=float) * (1e-3 if str(column.name).lower().endswith("ms") else 1.0)
    stamps = pd.to_datetime(column, errors="coerce", utc=True, format="ISO8601")
    seconds = (stamps - stamps.min()).dt.total_seconds()
    return np.asarray(seconds.to_numpy(dtype=float))


def _wrong_time(name: str, part: pd.DataFrame, time: np.ndarray | None) -> list[Problem]:
    if time is None:
        return []
    if np.isnan(time).any():
        row = int(part.index[np.flatnonzero(np.isnan(time))[0]]) + 1
        rule, fix = "every sample has a time: seconds, or an ISO 8601 date", "fill or correct the cell"
        return [Problem(f"record '{name}': a time is missing or none", rule, fix, row=row)]
    back = np.flatnonzero(np.diff(time) <= 0)
    if len(back):
        row = int(part.index[back[0] + 1]) + 1
        fix = "sort the rows, remove repeats, or name the recordings: [signal] record"
        return [Problem(f"record '{name}': time does not go on", "times increase within a recording", fix, row=row)]
    return []


def _rates(times: list[np.ndarray | None]) -> list[float | None]:
    """The rate of each recording: samples per second without the gaps, pooled where they are alike but for rounding."""
    steps = [_steps(time) for time in times]
    own = [len(s) / s.sum() if len(s) and s.sum() > 0 else None for s in steps]
    known = [rate for rate in own if rate is not None]
    if known and max(known) <= (1 + ALIKE) * min(known):
        every = np.concatenate([s for s in steps if len(s)])
        return [_whole(len(every) / every.sum())] * len(own)
    return [None if rate is None else _whole(rate) for rate in own]


def _steps(time: np.ndarray | None) -> np.ndarray:
    if time is None or len(time) < 2:
        return np.empty(0)
    steps = np.diff(time)
    return steps[steps <= 1.5 * np.median(steps)]


def _whole(rate: float) -> float:
    return float(round(rate)) if round(rate) and math.isclose(rate, round(rate), rel_tol=NEAR) else float(f"{rate:.7g}")


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the rows of a recording stand among its samples: `at` (n,) int64, of `length` samples at `rate` Hz."""

    rate: float
    at: np.ndarray
    length: int
    uneven: int

    @classmethod
    def of(cls, time: np.ndarray | None, rate: float, rows: int) -> Grid:
        """The grid of times in seconds, or of rows without times."""
        if time is None:
            return cls(rate, np.arange(rows), rows, 0)
        exact = (time - time[0]) * rate
        at = np.round(exact).astype(np.int64)
        uneven = (np.abs(exact - at) > JITTER) | (np.diff(at, prepend=-1) <= 0)
        return cls(rate, at, int(at[-1]) + 1, int(uneven.sum()))

    @property
    def gaps(self) -> int:
        """Samples that no row tells."""
        return self.length - len(self.at)

    def wrong(self, name: str) -> list[Problem]:
        """The problem of times that keep to no grid."""
        if self.uneven <= 0.01 * len(self.at) and self.length <= LONGEST * len(self.at):
            return []
        found = f"record '{name}': {self.uneven:,} of {len(self.at):,} times are uneven at {self.rate:g} Hz"
        rule, fix = "samples are evenly spaced, but for gaps", "resample it to an even rate first"
        return [Problem(found, rule, fix)]


def _grids(parts: Sequence[tuple[str, pd.DataFrame]], layout: Layout, said: Said) -> list[Grid]:
    """The grid of each recording. Raises DataError for times or rates that are none."""
    times = [_seconds(part[layout.time]) if layout.time is not None else None for _, part in parts]
    named = [(name, part, time) for (name, part), time in zip(parts, times, strict=True)]
    _raise(problem for name, part, time in named for problem in _wrong_time(name, part, time))
    rates = _rates(times)
    first = {rate: name for rate, name in zip(reversed(rates), [name for name, _ in reversed(parts)], strict=True)}
    how = "add a column of times in seconds"
    _raise(p for rate, name in first.items() for p in wrong_rate(rate, said, where=f"record '{name}'", how=how))
    made = [Grid.of(time, settled(rate, said), len(part)) for (_, part, time), rate in zip(named, rates, strict=True)]
    _raise(problem for (name, _), grid in zip(parts, made, strict=True) for problem in grid.wrong(name))
    return made


def _raise(problems: Iterable[Problem]) -> None:
    if found := tuple(problems):
        raise DataError(*found)


# Recordings


def _lead(column: pd.Series, unit: str, fmt: str) -> Lead:
    return Lead(str(column.name), unit, 10.0 ** _decimals(column), fmt=fmt)


def _decimals(column: pd.Series) -> int:
    """Decimals of the first thousand values, at most 6: how finely the lead is told."""
    held = column.dropna().to_numpy(dtype=float)[:1000]
    return next((d for d in range(6) if np.allclose(held, np.round(held, d), rtol=0, atol=1e-9)), 6)


def _found(name: str, part: pd.DataFrame, grid: Grid, layout: Layout, leads: tuple[Lead, ...]) -> Found:
    held = part[[lead.name for lead in leads]].to_numpy(dtype=np.float32)
    states = Marks() if layout.state is None else _states(part[layout.state], grid)
    beats = Marks() if layout.beat is None else _beats(part[layout.beat], grid)
    facts = {column: text_of(part[column].iloc[0]) for column in layout.facts}
    if layout.subject is not None:
        facts[layout.subject] = text_of(part[layout.subject].iloc[0])
    facts |= {"sex": sex_of(facts["sex"]) or ""} if "sex" in facts else {}
    one = Recording(name, grid.rate, leads, grid.length, partial(_placed, held, grid), beats, states)
    note = (f"record '{name}': {grid.gaps:,} samples are missing between its times",) if grid.gaps else ()
    return Found(one, facts, notes=note, columns=True, state=layout.state)


def _placed(held: np.ndarray, grid: Grid) -> np.ndarray:
    if not grid.gaps:
        return held.copy()
    made = np.full((grid.length, held.shape[1]), np.nan, dtype=np.float32)
    made[grid.at] = held
    return made


def _states(column: pd.Series, grid: Grid) -> Marks:
    marks = marks_of_samples(np.array([text_of(value) for value in column]))
    return Marks(grid.at[marks.at], marks.symbol)


def _beats(column: pd.Series, grid: Grid) -> Marks:
    texts = np.array([text_of(value) for value in column], dtype=object)
    return Marks(grid.at[texts != ""], texts[texts != ""])


# Long tables


def _long_columns(frame: pd.DataFrame, said: Said) -> tuple[str, str]:
    lead, value = usual(frame, "lead", said.lead), usual(frame, "value", said.value)
    if lead is None or value is None:
        rule = "a long table has a column of lead names and one of values"
        raise DataError.of("it has not", rule=rule, fix='[signal] lead = "...", value = "..."')
    return lead, value


def _units_of_long(frame: pd.DataFrame, said: Said) -> dict[str, str]:
    unit = usual(frame, "unit")
    lead, _ = _long_columns(frame, said)
    return {} if unit is None else {str(k): text_of(v) for k, v in frame.groupby(lead)[unit].first().items()}


def _widened(frame: pd.DataFrame, said: Said, path: Path) -> pd.DataFrame:
    """A row per sample. Raises DataError where a lead has two values at one time, or no column tells times."""
    lead, value = _long_columns(frame, said)
    time = usual(frame, "time", said.time)
    if time is None:
        fix = '[signal] time = "..."'
        raise DataError.of(f"'{path.name}' has no times", rule="a long table tells the time of each value", fix=fix)
    rule, fix = (
        "every value has a time, a lead and, where they are told, its recording and patient",
        "fill the cell, or remove the row",
    )
    named = (usual(frame, "record", said.record), patients(frame, said), time)
    by = [name for name in named if name is not None]
    lost_at = {name: np.flatnonzero(frame[name].isna()) for name in (*by, lead)}
    _raise(Problem("a missing cell", rule, fix, name, int(at[0]) + 1) for name, at in lost_at.items() if len(at))
    twice = frame.duplicated([*by, lead])
    if twice.any():
        row, rule = int(np.flatnonzero(twice)[0]) + 1, "a lead has one value at a time"
        raise DataError.of("a second value", rule=rule, fix="remove it, or name the recordings", column=lead, row=row)
    names = list(dict.fromkeys(frame[lead].astype(str)))
    values = frame.assign(**{lead: frame[lead].astype(str)}).pivot(index=by, columns=lead, values=value)[names]
    unit = usual(frame, "unit")
    others = [n for n in frame.columns if n not in (*by, lead, value, unit)]
    rest = frame[[*by, *others]].groupby(by, sort=False).first()
    return values.join(rest).reset_index()
