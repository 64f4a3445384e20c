"""What is known of each recording as a whole (age, sex, a label) as columns under a schema.

Age and sex are learned where at least half of the recordings tell them, other facts only where a person named them: in
a manifest table, with --target, or in the schema file. Values stay as they are read; rare ones are merged by a
generator's encoding, as for tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.errors import DataError, Problem
from semblance.core.facts import MISSING, Statics, framed, patient_codes, planned, refuse_lacking, values
from semblance.core.schema import Column, Schema
from semblance.modalities.signal.align import listed
from semblance.modalities.signal.declare import Said, unknown
from semblance.modalities.signal.found import Found

SHARE = 0.5
"""Age and sex are learned where at least this share of the recordings tells them."""
ALWAYS = ("age", "sex")
PATIENT = "patient"


def settle(found: Sequence[Found], said: Said, *, given: Sequence[str] = ()) -> Statics:
    """The statics of recordings. `given` names the facts of a manifest, which are all meant. Raises DataError."""
    known = list(dict.fromkeys(name for one in found for name in one.facts))
    wanted = [*((said.subject,) if said.subject is not None else ()), *said.named]
    # Names of facts are read off comments too: only those that most recordings have are names for sure.
    shown = [name for name in known if sum(name in one.facts for one in found) >= SHARE * len(found)]
    problems = [unknown(name, shown, "column", where="the data") for name in wanted if name not in known]
    if problems:
        raise DataError(*problems)
    subject, subjects, notes = _patients(found, said)
    columns, plans = ([] if subject is None else [subject]), []
    frame: dict[str, Any] = {}
    for name in [
        name for name in dict.fromkeys([*given, *ALWAYS, *said.named]) if name in known and name != said.subject
    ]:
        texts = _texts(found, name, said)
        column, plan = _column(name, texts, said, meant=name in given or name in said.named)
        if column is None:
            notes.append(f"'{name}' is left out: fewer than half of the recordings tell it")
            continue
        columns.append(column)
        plans.append(plan)
        if column.learned:
            frame[name] = values(texts, column)
    schema = Schema(tuple(columns), said.cohort, said.n_public)
    left = [name for name in known if name not in {*schema.names, *given, said.subject}]
    notes += [f"what else the headers say is left out: {len(left)} kinds of fact"] if left else []
    return Statics(schema, framed(frame, len(found)), subjects, tuple(plans), tuple(notes))


def conform(found: Sequence[Found], schema: Schema, said: Said) -> Statics:
    """The statics of recordings under a known schema. Raises DataError for a column that none of them tells."""
    known = {name for one in found for name in one.facts}
    refuse_lacking(schema, known, who="recordings")
    frame = {column.name: values(_texts(found, column.name, said), column) for column in schema.learned}
    subject = schema.where("subject")
    named = subject is not None and any(one.facts.get(subject.name) for one in found)
    _, subjects, _ = _patients(found, replace(said, subject=subject.name if subject is not None and named else None))
    return Statics(schema, framed(frame, len(found)), subjects)


def _texts(found: Sequence[Found], name: str, said: Said) -> pd.Series:
    """(n,) the texts of a fact, None where it is missing."""
    declared = said.columns.get(name, {}).get("na", ())
    tokens = {*said.na, *((declared,) if isinstance(declared, str) else declared)}
    held = [str(one.facts.get(name, "")).strip() for one in found]
    return pd.Series([None if t in tokens or t.lower() in MISSING else t for t in held], dtype=object)


# Patients


def _patients(found: Sequence[Found], said: Said) -> tuple[Column | None, np.ndarray, list[str]]:
    """The column that names patients, if there is one, their codes, and a note of what was assumed."""
    if said.subject is not None:
        names = _texts(found, said.subject, said)
        lost = [one.recording.name for one, name in zip(found, names, strict=True) if name is None]
        if lost:
            rule, fix = "every recording belongs to a patient", "fill the cell, or leave the recording out"
            raise DataError(*(Problem(f"record '{r}' names no patient", rule, fix, said.subject) for r in lost))
        return Column(said.subject, "identifier", "subject"), pd.factorize(names)[0], []
    named = [one.patient for one in found if one.patient]
    # One name for all is that of an anonymisation, not of a patient.
    if 1 < len(set(named)) < len(named):
        subjects = patient_codes([one.patient for one in found])
        notes = [f"{len(found):,} recordings of {subjects.max() + 1:,} patients, by what the headers name"]
        alone = [one.recording.name for one in found if not one.patient]
        notes += [f"no patient is named in {listed(alone)}: each counts as a patient of its own"] if alone else []
        return Column(PATIENT, "identifier", "subject"), subjects, notes
    note = "each recording counts as one patient (a manifest table or --subject says otherwise)"
    return None, np.arange(len(found), dtype=np.int64), [note] if len(found) > 1 else []


# Columns


def _column(name: str, texts: pd.Series, said: Said, *, meant: bool) -> tuple[Column | None, Any]:
    """The column of a fact and its plan; None where too few tell what nobody asked for."""
    if not meant and texts.notna().sum() < SHARE * len(texts):
        return None, None
    return planned(name, texts, told=said.columns.get(name, {}), target=said.target)
