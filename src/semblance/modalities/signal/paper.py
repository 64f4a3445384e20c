"""Stretches of the recordings themselves, as their files hold them: baseline, gaps and seams are there to be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from semblance.core.rng import stream
from semblance.modalities.signal.aami import classes
from semblance.modalities.signal.data import AFTER, Pieces, Recording
from semblance.modalities.signal.intervals import rounded
from semblance.modalities.signal.pieces import beats_of

STRIPS, SECONDS, DRAWN = 3, 7.0, 125.0
"""Strips of each side, their length, and the rate in Hz at which they are drawn."""
LEADS = 3

Picture = dict[str, Any]


def strips(sides: Mapping[str, Pieces], seed: int) -> Picture:
    """Some seconds of a few recordings of each side, as JSON; none of pieces whose recordings are not at hand."""
    heart = AFTER in next(iter(sides.values())).frame
    panels = [
        _strip(one, start, role, heart=heart)
        for role, data in sides.items()
        for one, start in _places(data, role, seed)
    ]
    note = (
        "Some seconds of recordings drawn by chance, sample for sample as their files hold them; only the height at "
        "which a lead stands is moved."
    )
    paper = " On paper as for an electrocardiogram: a small square is 40 ms and 0.1 mV." if heart else ""
    return {"title": "Strips", "note": note + paper, "panels": panels}


def _places(data: Pieces, role: str, seed: int) -> Iterator[tuple[Recording, float]]:
    """A few recordings, and the second from which each is shown."""
    rng = stream(seed, "strips", role)
    for source in rng.permutation(np.unique(data.source))[:STRIPS] if data.recordings else ():
        one = data.recordings[source]
        yield one, float(rng.uniform(0, max(one.seconds - SECONDS, 0)))


def _strip(one: Recording, start: float, role: str, *, heart: bool) -> Picture:
    first, every = int(start * one.rate), max(round(one.rate / DRAWN), 1)
    values = _standing(one.values()[first : first + int(SECONDS * one.rate)])[::every]
    lines = [{"name": x.name, "role": role, "y": rounded(values[:, i])} for i, x in enumerate(one.leads[:LEADS])]
    units = {lead.unit for lead in one.leads}
    paper = {"x": 0.04, "y": 0.1} if heart and units == {"mV"} else None
    marks = _letters(one, first / one.rate) if heart else []
    return {"title": role, "step": every / one.rate, "apart": True, "lines": lines, "marks": marks, "paper": paper,
            "x": "seconds", "y": ", ".join(sorted(units))}  # fmt: skip


def _standing(values: np.ndarray) -> np.ndarray:
    """(samples, leads) about the median of each lead; a lead of which nothing was measured stays missing."""
    known = np.isfinite(values)
    middle = [np.median(lead[there]) if there.any() else 0.0 for lead, there in zip(values.T, known.T, strict=True)]
    return values - np.array(middle)


def _letters(one: Recording, start: float) -> list[dict[str, Any]]:
    """The class of each beat of the stretch, and how many seconds after its start it stands."""
    marks = beats_of(one)
    after = marks.at / one.rate - start
    shown = np.flatnonzero((after >= 0) & (after < SECONDS))
    letters = classes(marks.symbol[shown])
    return [{"x": round(float(x), 3), "text": str(text)} for x, text in zip(after[shown], letters, strict=True)]
