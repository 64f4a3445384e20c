"""Stretches of the recordings themselves, as their files hold them: baseline, gaps and seams are there to be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semblance.core.rng import stream
from semblance.modalities.signal.aami import classes
from semblance.modalities.signal.data import AFTER, Pieces, Recording
from semblance.modalities.signal.intervals import rounded
from semblance.modalities.signal.pieces import beats_of

STRIPS, SECONDS, DRAWN = 3, 7.0, 125.0
"""Strips of each side, their length, and the rate in Hz at which they are drawn."""
FEW, MOST = 3, 24
"""Leads that are shown one above the other, and the most that are shown of any."""
PAGE, COLUMNS, MIDDLE = 10.0, 4, 6.25
"""Seconds and columns of a page of more leads of a heart, and at which second the chosen beat stands."""
ORDER = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")
"""The twelve leads from column to column of a page."""

Picture = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """From which second on and for how many a recording is shown; `kind` is that of the beat at second `middle`, where
    there is one."""

    recording: Recording
    start: float
    length: float
    kind: str = ""
    middle: float = 0.0


def strips(sides: Mapping[str, Pieces], seed: int) -> Picture:
    """Some seconds of a few recordings of each side, as JSON; none of pieces whose recordings are not at hand.

    Of hearts, each kind of beat that a side has stands at the centre of one of its strips.
    """
    heart = AFTER in next(iter(sides.values())).frame
    panels = []
    for role, data in sides.items():
        rng = stream(seed, "strips", role)
        panels += [_strip(place, role, heart=heart) for place in (_beats if heart else _anywhere)(data, rng)]
    note = "sample for sample as their files hold them; only the height at which a lead stands is moved."
    if not heart:
        return {"title": "Strips", "note": f"Some seconds of recordings drawn by chance, {note}", "panels": panels}
    note = f"Some seconds around a beat of each kind, of recordings drawn by chance, {note}"
    paper = "On paper as for an electrocardiogram: a small square is 40 ms and 0.1 mV."
    return {"title": "Strips", "note": f"{note} {paper}", "panels": panels}


def _anywhere(data: Pieces, rng: np.random.Generator) -> Iterator[Place]:
    """A few recordings, each from anywhere."""
    for source in rng.permutation(np.unique(data.source))[:STRIPS] if data.recordings else ():
        one = data.recordings[source]
        yield Place(one, float(rng.uniform(0, max(one.seconds - SECONDS, 0))), SECONDS)


def _beats(data: Pieces, rng: np.random.Generator) -> Iterator[Place]:
    """A beat of each kind in the middle, the most frequent first, and further ones of that; recordings not shown before
    where there are any."""
    kinds, counts = np.unique(data.labels, return_counts=True)
    ordered = kinds[np.argsort(-counts, kind="stable")].tolist()
    shown: list[int] = []
    for kind in [*ordered, *ordered[:1] * (STRIPS - len(ordered))] if data.recordings else ():
        having = np.unique(data.source[data.labels == kind])
        fresh = np.setdiff1d(having, shown)
        shown.append(int(rng.choice(fresh if len(fresh) else having)))
        one = data.recordings[shown[-1]]
        marks = beats_of(one)
        middle = float(rng.choice(marks.at[classes(marks.symbol) == kind])) / one.rate
        length, before = (PAGE, MIDDLE) if len(one.leads) > FEW else (SECONDS, SECONDS / 2)
        start = min(max(middle - before, 0), max(one.seconds - length, 0))
        yield Place(one, start, length, kind, middle)


def _strip(place: Place, role: str, *, heart: bool) -> Picture:
    one, every = place.recording, max(round(place.recording.rate / DRAWN), 1)
    first = int(place.start * one.rate)
    values = _standing(one.values()[first : first + int(place.length * one.rate)])[::every]
    names = [lead.name for lead in one.leads[:MOST]]
    page = heart and len(names) > FEW
    told = _page(names, values, one.rate / every) if page else [
        {"name": name, "y": rounded(values[:, i])} for i, name in enumerate(names)
    ]  # fmt: skip
    lines = [{**line, "role": role} for line in told]
    units = {lead.unit for lead in one.leads}
    paper = {"x": 0.04, "y": 0.1} if heart and units == {"mV"} else None
    title = f"{role}, {place.kind}" if place.kind else role
    return {"title": title, "step": every / one.rate, "apart": True, "lines": lines, "marks": _letters(place),
            "paper": paper, "x": "seconds", "y": ", ".join(sorted(units))}  # fmt: skip


def _page(names: Sequence[str], values: np.ndarray, rate: float) -> list[dict[str, Any]]:
    """(samples, leads) as on paper: each column of leads shows the seconds after those of the column before, and below
    them one lead, II where it is there, runs through."""
    upper = [name.upper() for name in names]
    order = [upper.index(name) for name in ORDER] if set(ORDER) <= set(upper) else list(range(len(names)))
    order += [i for i in range(len(names)) if i not in order]
    rows, wide = -(-len(order) // COLUMNS), int(PAGE / COLUMNS * rate)
    told = []
    for turn, i in enumerate(order):
        column, row = divmod(turn, rows)
        cell = values[column * wide : (column + 1) * wide, i]
        told.append({"name": names[i], "row": row, "start": column * wide / rate, "y": rounded(cell)})
    through = upper.index("II") if "II" in upper else order[0]
    return [*told, {"name": names[through], "row": rows, "start": 0.0, "y": rounded(values[:, through])}]


def _standing(values: np.ndarray) -> np.ndarray:
    """(samples, leads) about the median of each lead; a lead of which nothing was measured stays missing."""
    known = np.isfinite(values)
    middle = [np.median(lead[there]) if there.any() else 0.0 for lead, there in zip(values.T, known.T, strict=True)]
    return values - np.array(middle)


def _letters(place: Place) -> list[dict[str, Any]]:
    """The class of each beat of a stretch, and how many seconds after its start it stands; the one in the middle is
    told apart."""
    if not place.kind:
        return []
    marks, rate = beats_of(place.recording), place.recording.rate
    after = marks.at / rate - int(place.start * rate) / rate
    rows = np.flatnonzero((after >= 0) & (after < place.length))
    told = zip(rows, classes(marks.symbol[rows]), strict=True)
    return [
        {"x": round(float(after[i]), 3), "text": str(text), "chosen": bool(marks.at[i] == round(place.middle * rate))}
        for i, text in told
    ]
