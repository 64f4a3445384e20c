"""Recordings of one set made alike: leads by name in one order and unit, and one rate.

Each change is a note or a problem that names the recording and the lead; samples are still read only when asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np

from semblance.core.errors import DataError, Problem
from semblance.modalities.signal.data import Lead, Marks, Recording
from semblance.modalities.signal.declare import Said
from semblance.modalities.signal.found import Found

SHARE = 0.5
"""A lead is kept where at least this share of the recordings has it."""
_VOLTS = {"v": 1.0, "mv": 1e-3, "uv": 1e-6, "µv": 1e-6, "μv": 1e-6, "nv": 1e-9}


def alike(found: Sequence[Found], said: Said) -> tuple[list[Found], list[str]]:
    """The same recordings with the same leads at one rate, and notes of what was changed. Raises DataError."""
    renamed, notes = _distinct(found)
    leads, left_out = chosen([one.recording for one in renamed], said)
    problems = [problem for one in renamed for problem in _misfits(one.recording, leads)]
    if problems:
        raise DataError(*problems)
    rate, resampled = common_rate([one.recording for one in renamed], said)
    aligned = [to_rate(to_leads(one, leads), rate) for one in renamed]
    ones = [one.recording for one in renamed]
    turned = _turned(ones, leads) if said.leads is None else []
    return aligned, [*notes, *left_out, *turned, *_absent(ones, leads), *resampled]


def listed(names: Sequence[str], most: int = 5) -> str:
    """The first few names, and how many more there are.

    >>> listed(["100", "101", "102"], most=2)
    '100, 101 and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


# Leads


def _distinct(found: Sequence[Found]) -> tuple[list[Found], list[str]]:
    """Leads of one name within a recording get numbers behind it."""
    made, changed = [], []
    for one in found:
        seen: Counter[str] = Counter()
        leads = []
        for lead in one.recording.leads:
            seen[lead.name] += 1
            leads.append(lead if seen[lead.name] == 1 else replace(lead, name=f"{lead.name} {seen[lead.name]}"))
        changed += [one.recording.name] if tuple(leads) != one.recording.leads else []
        made.append(replace(one, recording=replace(one.recording, leads=tuple(leads))))
    note = f"leads of one name are numbered in {listed(changed)}"
    return made, [note] if changed else []


def chosen(recordings: Sequence[Recording], said: Said) -> tuple[tuple[Lead, ...], list[str]]:
    """The leads of the set, as the first recording that has each writes it, and a note of those left out."""
    first: dict[str, Lead] = {}
    for recording in recordings:
        for lead in recording.leads:
            first.setdefault(lead.name, lead)
    count = Counter(lead.name for recording in recordings for lead in recording.leads)
    kept = [name for name in first if count[name] >= SHARE * len(recordings)] if said.leads is None else said.leads
    lost = [name for name in kept if name not in first]
    if lost or not kept:
        found = f"no recording has the lead '{lost[0]}'" if lost else "no lead is in at least half of the recordings"
        fix = f"[signal] leads lists some of: {listed(list(first), most=20)}"
        raise DataError.of(found, rule="recordings of one set share leads", fix=fix)
    out = [f"'{name}' ({count[name]} of {len(recordings)})" for name in first if name not in kept]
    why = "less than half of the recordings have them" if said.leads is None else "[signal] leads does not list them"
    return tuple(first[name] for name in kept), [f"leads left out, as {why}: {listed(out)}"] if out else []


def _turned(recordings: Sequence[Recording], leads: tuple[Lead, ...]) -> list[str]:
    """A note of recordings whose leads stand in another order."""
    place = {lead.name: i for i, lead in enumerate(leads)}
    orders = {r.name: [place[lead.name] for lead in r.leads if lead.name in place] for r in recordings}
    names = [name for name, order in orders.items() if order != sorted(order)]
    return [f"leads stand in another order in {listed(names)}, and are reordered"] if names else []


def _absent(recordings: Sequence[Recording], leads: tuple[Lead, ...]) -> list[str]:
    lacking = {
        lead.name: [r.name for r in recordings if lead.name not in {own.name for own in r.leads}] for lead in leads
    }
    return [f"lead '{name}' is missing throughout in {listed(names)}" for name, names in lacking.items() if names]


def _misfits(recording: Recording, leads: tuple[Lead, ...]) -> list[Problem]:
    wanted = {lead.name: lead for lead in leads}
    own = [lead for lead in recording.leads if lead.name in wanted]
    if not own:
        fix = f"leave it out, or write its leads as one of: {listed(list(wanted), most=20)}"
        return [Problem(f"record '{recording.name}' has none of the set's leads", "recordings share leads", fix)]
    return [
        Problem(
            f"record '{recording.name}': lead '{lead.name}' is in {lead.unit}, elsewhere in {wanted[lead.name].unit}",
            "a lead has one unit, or units of voltage",
            f'correct it, or say what it is: [signal] units = {{ "{lead.name}" = "{wanted[lead.name].unit}" }}',
        )
        for lead in own
        if factor(lead.unit, wanted[lead.name].unit) is None
    ]


def factor(unit: str, wanted: str) -> float | None:
    """What a value in `unit` is multiplied with to be in `wanted`; None where nobody can know.

    >>> factor("uV", "mV"), factor("mmHg", "mV")
    (0.001, None)
    """
    if unit == wanted:
        return 1.0
    own, other = _VOLTS.get(unit.strip().lower()), _VOLTS.get(wanted.strip().lower())
    return None if own is None or other is None else float(f"{own / other:.12g}")


def to_leads(one: Found, leads: tuple[Lead, ...]) -> Found:
    """The same with these leads, in their order and unit; one that it lacks is NaN throughout."""
    recording = one.recording
    place = {lead.name: i for i, lead in enumerate(recording.leads)}
    picks, scales, own = [], [], []
    for lead in leads:
        at = place.get(lead.name, -1)
        scale = 1.0 if at < 0 else (factor(recording.leads[at].unit, lead.unit) or 1.0)
        held = lead if at < 0 else recording.leads[at]
        picks.append(at)
        scales.append(scale)
        own.append(replace(held, unit=lead.unit, gain=held.gain / scale))
    ends = tuple(
        _scaled(one.ends[at] if 0 <= at < len(one.ends) else None, s) for at, s in zip(picks, scales, strict=True)
    )
    if picks == list(range(len(recording.leads))) and set(scales) == {1.0}:
        return replace(one, ends=ends)
    values = partial(_picked, recording.values, np.array(picks), np.array(scales, dtype=np.float32))
    return replace(one, recording=replace(recording, leads=tuple(own), values=values), ends=ends)


def _scaled(ends: tuple[float, float] | None, scale: float) -> tuple[float, float] | None:
    return None if ends is None else (ends[0] * scale, ends[1] * scale)


def _picked(values: Callable[[], np.ndarray], picks: np.ndarray, scales: np.ndarray) -> np.ndarray:
    held = values()[:, np.maximum(picks, 0)] * scales
    held[:, picks < 0] = np.nan
    return held


# Rates


def common_rate(recordings: Sequence[Recording], said: Said) -> tuple[float, list[str]]:
    """The declared rate, or the one that most recordings have (the higher of two), and a note of those that differ."""
    count = Counter(recording.rate for recording in recordings)
    most = max(count, key=lambda rate: (count[rate], rate))
    rate = said.resample if said.resample is not None else most
    others = [f"{recording.name} ({recording.rate:g} Hz)" for recording in recordings if recording.rate != rate]
    fix = "" if said.resample is not None else "; declare another rate with [signal] resample"
    return rate, [f"resampled to {rate:g} Hz: {listed(others)}{fix}"] if others else []


def to_rate(one: Found, rate: float) -> Found:
    """The same at `rate`, by a polyphase filter; marks move in step."""
    recording = one.recording
    if recording.rate == rate:
        return one
    ratio = _ratio(recording.rate, rate)
    length = -(-recording.length * ratio.numerator // ratio.denominator)
    moved = replace(
        recording,
        rate=rate,
        length=length,
        values=partial(_later, recording.values, recording.rate, rate),
        beats=_moved(recording.beats, ratio, length),
        states=_moved(recording.states, ratio, length),
    )
    return replace(one, recording=moved)


def _moved(marks: Marks, ratio: Fraction, length: int) -> Marks:
    return Marks(np.minimum(np.round(marks.at * float(ratio)).astype(np.int64), length - 1), marks.symbol)


def _ratio(own: float, rate: float) -> Fraction:
    return Fraction(rate / own).limit_denominator(10_000)


def _later(values: Callable[[], np.ndarray], own: float, rate: float) -> np.ndarray:
    return resampled(values(), own, rate)


def resampled(held: np.ndarray, own: float, rate: float) -> np.ndarray:
    """(samples, leads) at `rate` of those at `own` Hz. Missing stretches are bridged for the filter, then restored."""
    from scipy.signal import resample_poly

    ratio, gone = _ratio(own, rate), np.isnan(held)
    made = resample_poly(bridged(held, gone), ratio.numerator, ratio.denominator, padtype="line").astype(np.float32)
    source = np.minimum(np.round(np.arange(len(made)) / float(ratio)).astype(np.int64), len(held) - 1)
    made[gone[source]] = np.nan
    return np.asarray(made)


def bridged(held: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """(samples, leads) with straight lines across what is `gone`; zero where all of a lead is."""
    made, place = held.copy(), np.arange(len(held))
    for lead in np.flatnonzero(gone.any(axis=0)):
        known = ~gone[:, lead]
        made[:, lead] = np.interp(place, place[known], held[known, lead]) if known.any() else 0.0
    return made
