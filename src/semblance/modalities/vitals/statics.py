"""What is known of each stay as a whole: channels that are only measured when it begins, and the table of stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from semblance.core.declared import unknown
from semblance.core.errors import DataError, Problem
from semblance.core.facts import MISSING, Statics, framed, planned, refuse_lacking, values
from semblance.core.modality import FieldPlan
from semblance.core.names import names_patients
from semblance.core.schema import Column, Schema
from semblance.modalities.vitals.declare import Said
from semblance.modalities.vitals.long import Rows, text
from semblance.modalities.vitals.sift import sentinel


def early_channels(rows: Rows, said: Said) -> tuple[str, ...]:
    """Channels that no stay has after minute 0, whether or not it has them there, and those that were declared so."""
    later = set(rows.channel[rows.minute > 0])
    alone = [name for name in dict.fromkeys(rows.channel) if name not in later]
    return tuple(dict.fromkeys([*alone, *said.statics]))


def early_facts(rows: Rows, names: tuple[str, ...], records: pd.Index) -> dict[str, pd.Series]:
    """The first value of each channel of `names` in each of the records, as texts; None where it has none."""
    facts = {}
    for name in names:
        mine = rows.channel == name
        found = pd.Series(rows.value[mine], index=rows.record[mine])
        found = found[~found.index.duplicated()].reindex(records)
        facts[name] = text(found).reset_index(drop=True)
    return facts


def joined(table: pd.DataFrame, record: str, records: pd.Index, said: Said) -> tuple[dict[str, pd.Series], list[str]]:
    """The columns of a table of stays as texts, a row for each of the records, and notes of what was repaired.

    Raises DataError where the table names a stay twice and does not say the same both times, or names none of them.
    """
    ids = text(table[record])
    texts = pd.DataFrame({str(name): _texts(table[name], said, str(name)) for name in table.columns if name != record})
    problems = list(_conflicts(ids, texts, record, records))
    if problems:
        raise DataError(*problems)
    notes = [
        f"'{name}': {n:,} cells of {s:g}, its only negative value, are missing"
        for name, s, n in _sentinels(texts, said.target)
    ]
    kept = ~ids.duplicated() & ids.notna()
    if ids.duplicated().any():
        notes.append(f"'{record}': {int(ids.duplicated().sum()):,} repeated rows of stays left out")
    known = ids[kept]
    unknown_rows, without = int((~known.isin(records)).sum()), int((~records.isin(known)).sum())
    notes += [f"{unknown_rows:,} rows of stays without any measurement left out"] if unknown_rows else []
    notes += [f"{without:,} stays have no row in the table: what it tells is missing there"] if without else []
    lined = texts[kept].set_index(pd.Index(known)).reindex(records).reset_index(drop=True)
    lined = lined.astype(object).where(lined.notna(), None)
    return {name: lined[name] for name in lined}, notes


def _conflicts(ids: pd.Series, texts: pd.DataFrame, record: str, records: pd.Index) -> Iterator[Problem]:
    repeated = ids[ids.duplicated(keep=False) & ids.notna()]
    for _, rows in repeated.groupby(repeated).groups.items():
        if texts.loc[rows].drop_duplicates().shape[0] > 1:
            fix = "keep one row of each stay"
            yield Problem(
                "the stay has rows that contradict each other", "a stay has one row", fix, record, rows[0] + 1
            )
    gone = np.flatnonzero(ids.isna())
    if len(gone):
        fix = "fill the cells, or leave the rows out"
        yield Problem(f"{len(gone):,} cells are empty", "every row names its stay", fix, record, int(gone[0]) + 1)
    if not ids.isin(records).any():
        fix = "check that both files are of the same stays, and that [vitals] record names the right column"
        yield Problem("no stay of the table has any measurement", "the table is joined by its stays", fix, record)


def _texts(column: pd.Series, said: Said, name: str) -> pd.Series:
    declared = said.columns.get(name, {}).get("na", ())
    tokens = {*said.na, *((declared,) if isinstance(declared, str) else map(str, declared))}
    made = text(column)
    gone = made.isna() | made.isin(tokens) | made.astype(str).str.lower().isin(MISSING)
    return made.where(~gone, None)


def _sentinels(texts: pd.DataFrame, target: str | None) -> Iterator[tuple[str, float, int]]:
    """Columns of numbers, but for the target, whose only negative value stands for a missing one; it is taken out."""
    for name in texts.columns.drop(target, errors="ignore"):
        numbers = pd.to_numeric(texts[name], errors="coerce")
        found = sentinel(numbers.dropna().to_numpy(dtype=float))
        if found is not None:
            texts[name] = texts[name].where(~(numbers < 0), None)
            yield str(name), found, int((numbers < 0).sum())


def settle(facts: Mapping[str, pd.Series], record: str, records: pd.Index, said: Said) -> Statics:
    """The statics of stays from their facts. Raises DataError."""
    wanted = [*said.columns, *(name for name in (said.subject, said.target) if name is not None)]
    problems = [
        unknown(one, [record, *facts], "column", where="the data") for one in wanted if one not in {record, *facts}
    ]
    if problems:
        raise DataError(*problems)
    subject = said.subject if said.subject is not None else subject_of(facts)
    columns = [Column(record, "identifier", "subject" if subject in (None, record) else "key")]
    plans, frame = [FieldPlan(record, "identifier", columns[0].role, 0.0, "", "numbered anew")], {}
    for name, texts in facts.items():
        if name == subject:
            columns.append(Column(name, "identifier", "subject"))
            plans.append(FieldPlan(name, "identifier", "subject", 0.0, "", "numbered anew"))
            continue
        if names_patients(name) and name not in {*said.columns, said.target}:
            columns.append(Column(name, "identifier", "drop"))
            plans.append(FieldPlan(name, "identifier", "drop", float(texts.isna().mean()), "tells patients", "drop"))
            continue
        column, plan = planned(name, texts, told=said.columns.get(name, {}), target=said.target)
        columns.append(column)
        plans.append(plan)
        if column.learned:
            frame[name] = values(texts, column)
    schema = Schema(tuple(columns), said.cohort, said.n_public)
    who, notes = _who(records, subject, None if subject in (None, record) else facts[subject])
    return Statics(schema, framed(frame, len(records)), who, tuple(plans), notes)


def conform(facts: Mapping[str, pd.Series], schema: Schema, records: pd.Index) -> Statics:
    """The statics of stays under a known schema. Raises DataError for a column that is missing."""
    refuse_lacking(schema, facts, who="stays")
    frame = {column.name: values(facts[column.name], column) for column in schema.learned}
    subject = schema.where("subject")
    name = None if subject is None else subject.name
    who, notes = _who(records, name, facts.get(name) if name is not None else None)
    return Statics(schema, framed(frame, len(records)), who, (), notes)


def patients(table: pd.DataFrame, record: str, said: Said) -> dict[str, str]:
    """The patient of each stay that a table tells, as far as it does."""
    facts = {
        name: text(table[name])
        for name in table
        if name != record and (name == said.subject or names_patients(str(name)))
    }
    name = said.subject if said.subject is not None else subject_of(facts)
    if name not in facts:
        return {}
    told = pd.Series(facts[name].to_numpy(), index=text(table[record])).dropna()
    return {str(stay): str(patient) for stay, patient in told.items() if stay is not None}


def subject_of(facts: Mapping[str, pd.Series]) -> str | None:
    """The column whose name says that it tells patients apart."""
    return next((name for name in facts if names_patients(name) and facts[name].notna().any()), None)


def _who(records: pd.Index, name: str | None, told: pd.Series | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """(n,) codes of patients, and notes: a stay that names none counts as a patient of its own."""
    if told is None:
        return np.arange(len(records), dtype=np.int64), ()
    own = pd.Series([("stay", record) for record in records], dtype=object)
    gone = told.reset_index(drop=True).isna()
    note = f"'{name}': {int(gone.sum()):,} stays name no patient, each counts as a patient of its own"
    who = pd.factorize(told.reset_index(drop=True).where(~gone, own))[0].astype(np.int64)
    return who, (note,) if gone.any() else ()
