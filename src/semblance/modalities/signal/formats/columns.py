"""Which column of a table of samples is what: time, recording, patient, state, beat, leads, and what holds throughout.

What the schema file names comes first, then the usual names. A column that no recording changes is a fact of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from semblance.core.errors import DataError, Problem
from semblance.core.names import names_patients
from semblance.modalities.signal.declare import Said, unknown

WIDE, LONG = "wide", "long"
USUAL = {
    "time": ("time", "t", "seconds", "sec", "timestamp", "datetime", "time_s", "time_ms", "time [s]", "time (s)"),
    "record": ("record", "record_id", "recording", "recording_id", "rec", "ecg_id", "trial", "segment"),
    "lead": ("lead", "channel", "lead_name", "channel_name", "signal", "sensor"),
    "value": ("value", "amplitude", "voltage", "reading"),
    "unit": ("unit", "units"),
    "beat": ("beat", "beats"),
    "state": ("state", "states", "annotation", "rhythm", "stage"),
}
ALWAYS = ("age", "sex", "label")
STATES = 20
"""A column of more texts than that is no label of samples, unless it is named."""
COUNTERS = ("sample", "index", "sample_number", "unnamed: 0")


@dataclass(frozen=True)
class Layout:
    """Names of the columns; `leads` of a wide table, `facts` that hold throughout each recording, by column name."""

    time: str | None
    record: str | None
    subject: str | None
    state: str | None
    beat: str | None
    leads: tuple[str, ...]
    facts: tuple[str, ...]


def is_long(frame: pd.DataFrame, said: Said) -> bool:
    """Whether each row is one value of one lead."""
    if said.layout is not None:
        return said.layout == LONG
    return usual(frame, "lead", said.lead) is not None and usual(frame, "value", said.value) is not None


def usual(frame: pd.DataFrame, what: str, named: str | None = None) -> str | None:
    """The column of that meaning: the one that was named, or the first of a usual name."""
    if named is not None:
        return named if named in frame else None
    lower = {str(name).strip().lower(): name for name in reversed(list(frame.columns))}
    return next((lower[name] for name in USUAL[what] if name in lower), None)


def patients(frame: pd.DataFrame, said: Said) -> str | None:
    """The column that tells whose the rows are: the one that was named, or the first that by its name does."""
    if said.subject is not None:
        return usual(frame, "", said.subject)
    return next((str(name) for name in frame if names_patients(str(name)) and name not in said.columns), None)


def lost(frame: pd.DataFrame, asked: Iterable[str | None]) -> list[Problem]:
    """The names that [signal] asks for and the table has not."""
    names = [str(name) for name in frame.columns]
    return [
        unknown(name, names, "column", where="the data") for name in dict.fromkeys(asked) if name and name not in names
    ]


def laid_out(frame: pd.DataFrame, said: Said) -> Layout:
    """The meaning of every column of a wide table. Raises DataError for one that has none."""
    if problems := lost(frame, said.leads or ()):
        raise DataError(*problems)
    time, beat = usual(frame, "time", said.time), usual(frame, "beat")
    record, subject = usual(frame, "record", said.record), patients(frame, said)
    held = {name for name in (time, beat, record, subject) if name is not None}
    dropped = {name for name, said_of in said.columns.items() if said_of.get("role") == "drop"}
    counters = {name for name in frame.columns if str(name).strip().lower() in COUNTERS}
    left = [name for name in frame.columns if name not in held | dropped | counters | {said.state}]
    group = _groups(frame, record if record is not None else subject)
    if subject is not None and not _constant(frame[[subject]], group)[subject]:
        rule, fix = "all rows of a recording are of one patient", "correct the cells, or name the recordings apart"
        raise DataError.of("it changes within a recording", rule=rule, fix=fix, column=subject)
    several, constant = group.nunique() > 1, _constant(frame[left], group)
    facts = [name for name in left if constant[name] and _is_fact(frame, name, said, several)]
    state = _state(frame, [name for name in left if name not in facts], said)
    leads = said.leads if said.leads is not None else tuple(n for n in left if n not in facts and n != state)
    _refuse_texts(frame, [name for name in left if name not in facts and name != state], leads)
    return Layout(time, record, subject, state, beat, tuple(leads), tuple(facts))


def _groups(frame: pd.DataFrame, name: str | None) -> pd.Series:
    return pd.Series(0, index=frame.index) if name is None else frame[name]


def _constant(frame: pd.DataFrame, group: pd.Series) -> dict[str, bool]:
    return {name: bool((column.groupby(group).nunique(dropna=False) <= 1).all()) for name, column in frame.items()}


def is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers (truth values are labels)."""
    return bool(is_numeric_dtype(column) and not is_bool_dtype(column))


def _is_fact(frame: pd.DataFrame, name: str, said: Said, several: bool) -> bool:
    """A column that no recording changes, unless it may be a flat lead: a number in a single recording."""
    asked = name in said.columns or name == said.target
    meant = asked or str(name).lower() in ALWAYS or names_patients(str(name))
    return meant or not is_number(frame[name]) or (several and frame[name].nunique() > 1)


def _state(frame: pd.DataFrame, left: list[str], said: Said) -> str | None:
    if said.state is not None:
        return said.state
    if said.target in left:
        return said.target
    named = usual(frame[left], "state")
    texts = [name for name in left if not is_number(frame[name])]
    guessed = len(texts) == 1 and frame[texts[0]].nunique() <= STATES
    return named if named is not None else texts[0] if guessed else None


def _refuse_texts(frame: pd.DataFrame, left: list[str], leads: tuple[str, ...]) -> None:
    rule = "a lead holds numbers and missing values; what is no lead is named in the schema file"
    fix = '[signal] state = "{0}" if it labels samples, else [columns."{0}"] role = "drop"'
    odd = [name for name in left if not is_number(frame[name]) and name in leads]
    if odd:
        raise DataError(*(Problem("texts within a recording", rule, fix.format(name), name) for name in odd))
