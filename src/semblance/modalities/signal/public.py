"""Recordings read under what is declared and nothing else, as differential privacy asks.

Each is read by itself. One that cannot be, that has another rate, none of the declared leads or a unit that cannot be
turned into the declared one counts as missing, whatever the others are; values beyond the declared range count as its
end. So one patient more or less changes nothing of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.declared import undeclared_columns
from semblance.core.errors import DataError, Problem, UsageError
from semblance.core.facts import framed, patient_codes, public_column, public_values
from semblance.core.modality import FieldPlan, Profile, ReadOptions
from semblance.core.names import names_patients
from semblance.core.schema import Column, Schema
from semblance.modalities.signal import align, declare
from semblance.modalities.signal.band import inside, slow, too_short_for, words, wrong
from semblance.modalities.signal.data import Lead, Marks, Public, Recording, Recordings
from semblance.modalities.signal.declare import Said
from semblance.modalities.signal.found import Found
from semblance.modalities.signal.gather import each
from semblance.modalities.signal.look import seen_in, too_short
from semblance.modalities.signal.paces import wrong_rates

PATIENT = "patient"
STEPS = 30_000
"""Whole numbers of a file on either side of zero that the declared range takes at most."""


def read(
    paths: Sequence[str | Path], options: ReadOptions, ledger: Any = None, resume: Path | None = None
) -> tuple[Recordings, Profile]:
    """The recordings and what those inside are shown. Raises UsageError with all that is not declared."""
    said, problems = declare.check(options)
    problems = problems if problems else undeclared(said)
    if problems:
        raise UsageError(*problems)
    public, schema = public_of(said), _schema(said)
    found, lost = each(paths, replace(said, units=None))
    kept = [one for one in (_as_declared(one, public, said) for one in found) if one is not None]
    if not kept:
        rule, fix = "at least one recording has what is declared", "correct [signal] rate, leads, units, or the paths"
        raise DataError.of(f"none of {len(found) + lost} recordings is as declared", rule=rule, fix=fix)
    told = {c.name: pd.Series([str(one.facts.get(c.name, "")) for one in kept], dtype=object) for c in schema.learned}
    frame = framed({c.name: public_values(told[c.name], c, na=said.na_of(c.name)) for c in schema.learned}, len(kept))
    subjects = patient_codes([_patient(one, said) for one in kept])
    out = len(found) + lost - len(kept)
    notes: tuple[str, ...] = (f"{out} recordings are not as declared, and count as missing",) if out else ()
    if said.subject is None and (patients := len(set(subjects.tolist()))) < len(kept):
        notes += (f"{len(kept):,} recordings are of {patients:,} patients, as their files name them",)
    notes += tuple(slow(public.rate, heart=True))
    band = f", {words(said.band)}" if said.band is not None else ""
    plans = [FieldPlan(lead.name, f"lead, {lead.unit}, {public.rate:g} Hz{band}", "lead", 0.0) for lead in public.leads]
    plans += [FieldPlan(c.name, c.kind, c.role, float(frame[c.name].isna().mean())) for c in schema.learned]
    ones = tuple(one.recording for one in kept)
    return Recordings(schema, frame, ones, subjects, public, said.band), Profile(
        len(kept), int(subjects.max()) + 1, tuple(plans), notes
    )


def _patient(one: Found, said: Said) -> tuple[str, str] | None:
    """Whom a recording is of: the declared subject, else whom it names itself, be it in its header or in its line of a
    manifest; None where it names nobody. No other recording is asked."""
    facts = [(name, text) for name, text in one.facts.items() if name == said.subject and text]
    if said.subject is None:
        left = {name for name, told in said.columns.items() if told.get("role") == "key"}
        facts = [(PATIENT, text) for name, text in one.facts.items() if names_patients(name) and name not in left]
    return next((told for told in facts if told[1]), None)


def undeclared(said: Said) -> list[Problem]:
    """All that differential privacy asks to be declared, and is not."""
    rule = "under differential privacy nothing is looked up in recordings: what is public of them is declared"
    fixes = {
        "rate": "rate = 250",
        "leads": 'leads = ["II", "V1"]',
        "units": 'units = "mV"',
        "range": "range = [-3, 3]",
        "seconds": "seconds = 30",
        "kinds": 'kinds = ["N", "S", "V"]',
    }
    problems = [
        Problem(f"no {key} is declared", rule, f"[signal] {fix}")
        for key, fix in fixes.items()
        if getattr(said, key) is None
    ]
    if said.resample is not None:
        problems.append(Problem("resample is declared", "recordings of another rate count as missing", "leave it out"))
    if said.beats is not None:
        problems.append(Problem("beats are to be detected", "marked beats are learned", "mark them, or leave it out"))
    if said.band is not None and said.rate is not None:
        problems += wrong(said.band, said.rate, heart=True)
    if said.spikes is not None:
        problems.append(
            Problem("spikes are to count as missing", "a value beyond its range counts as its end", "leave it out")
        )
    for lead in said.leads or ():
        if isinstance(said.range, dict) and lead not in said.range:
            problems.append(
                Problem(f"no range of lead '{lead}' is declared", rule, f"[signal] range = {{ {lead} = ...}}")
            )
        if said.units is not None and said.unit(lead) is None:
            problems.append(
                Problem(f"no unit of lead '{lead}' is declared", rule, f'[signal] units = {{ {lead} = "mV" }}')
            )
    return [*problems, *undeclared_columns(said.columns, said.named)]


def public_of(said: Said) -> Public:
    """What is declared, once all of it is."""
    assert said.leads is not None and said.rate is not None and said.seconds is not None and said.kinds is not None
    spans = [said.range[name] if isinstance(said.range, dict) else said.range for name in said.leads]
    ranges = tuple((float(low), float(high)) for low, high in spans)  # type: ignore[misc]
    gains = [10.0 ** np.floor(np.log10(STEPS / max(abs(low), abs(high)))) for low, high in ranges]
    leads = tuple(Lead(name, str(said.unit(name)), float(gain)) for name, gain in zip(said.leads, gains, strict=True))
    return Public(said.rate, leads, ranges, said.seconds, said.kinds)


def _schema(said: Said) -> Schema:
    columns = [] if said.subject is None else [Column(said.subject, "identifier", "subject")]
    learned = (public_column(name, said.columns[name], target=said.target) for name in said.named)
    return Schema((*columns, *learned), said.cohort, said.n_public, public=True)


def _as_declared(one: Found, public: Public, said: Said) -> Found | None:
    """The recording with the declared leads, in their units and ranges; None where it is not as declared."""
    own = one.recording
    named = {lead.name: lead for lead in own.leads}
    if len(named) < len(own.leads) or not set(named) & {lead.name for lead in public.leads}:
        return None
    leads = tuple(replace(lead, unit=lead.unit or str(said.unit(lead.name))) for lead in own.leads)
    one = replace(one, recording=replace(own, leads=leads), ends=())
    wanted = {lead.name: lead.unit for lead in public.leads}
    units = [align.factor(lead.unit, wanted[lead.name]) for lead in leads if lead.name in wanted]
    other = not np.isclose(own.rate, public.rate, rtol=1e-4)
    if other or None in units or too_short([own]) or wrong_rates([own]):
        return None
    facts = {**one.facts, **({PATIENT: one.patient} if one.patient and not one.facts.get(PATIENT) else {})}
    if said.subject is not None and not facts.get(said.subject):
        return None
    made = align.to_leads(one, public.leads)
    if said.band is not None and list(too_short_for(own, said.band)):
        return None
    try:
        dead = seen_in(made).dead
    except Exception:  # whatever is wrong with one patient's file, others hear nothing of it
        return None
    kept = made.recording if said.band is None else inside(made.recording, said.band)
    recording: Recording = replace(
        made.recording,
        rate=public.rate,
        leads=public.leads,
        values=partial(_within, kept, public, dead),
        states=Marks(),
    )
    return replace(made, recording=recording, facts=facts)


def _within(own: Recording, public: Public, dead: np.ndarray) -> np.ndarray:
    """(samples, leads) within the declared range; a lead that was off is missing."""
    low, high = np.array(public.ranges, dtype=np.float32).T
    values = own.values().clip(low, high)
    values[:, dead] = np.nan
    return values
