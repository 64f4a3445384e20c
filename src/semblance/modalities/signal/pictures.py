"""Pictures of signals for the report that stays inside: strips, average beats, spectra, intervals from beat to beat.

They are plain JSON of lines and dots, which `app/plots.py` draws without knowing what a signal is. Real strips are
patients' data: no picture leaves with a public report.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.signal import welch

from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.modalities.signal import stitch
from semblance.modalities.signal.data import AFTER, Pieces
from semblance.modalities.signal.intervals import intervals, rounded
from semblance.modalities.signal.pieces import R_AT

STRIPS, SECONDS, DRAWN = 3, 7.0, 125.0
"""Strips of each side, their length, and the rate in Hz at which they are drawn."""
KINDS, FEWEST = 4, 20
"""Kinds whose average is drawn, and the fewest pieces of a kind."""
SIDES = (("real", "train"), ("synthetic", "synthetic"))

Picture = dict[str, Any]


def pictures(evidence: Evidence[Pieces]) -> list[Picture]:
    """All that there is to see, as JSON."""
    sides = {role: getattr(evidence, part) for role, part in SIDES}
    if not all(len(part) for part in sides.values()):
        return []
    made = [_strips(sides, evidence.seed), _averages(sides), _spectra(sides)]
    if AFTER in evidence.train.frame:
        made += intervals(sides, evidence.seed)
    return [picture for picture in made if picture["panels"]]


def _strips(sides: dict[str, Pieces], seed: int) -> Picture:
    heart = AFTER in next(iter(sides.values())).frame
    panels = [_strip(data.take(rows), role) for role, data in sides.items() for rows in _places(data, role, seed)]
    note = (
        "Some seconds of recordings drawn by chance, put together from their pieces, the baseline without its wander."
    )
    paper = " On paper as for an electrocardiogram: a small square is 40 ms and 0.1 mV." if heart else ""
    return {"title": "Strips", "note": note + paper, "panels": panels}


def _places(data: Pieces, role: str, seed: int) -> Iterator[np.ndarray]:
    """Rows of some seconds of a few recordings."""
    rng = stream(seed, "strips", role)
    for one in rng.permutation(np.unique(data.source))[:STRIPS]:
        rows = np.flatnonzero(data.source == one)
        enough = np.flatnonzero(np.cumsum(_steps(data, rows)) >= SECONDS)
        count = int(enough[0]) + 1 if len(enough) else len(rows)
        first = int(rng.integers(len(rows) - count + 1))
        yield rows[first : first + count]


def _steps(data: Pieces, rows: np.ndarray) -> np.ndarray:
    """Seconds from each piece to the next one."""
    if AFTER in data.frame:
        steps: np.ndarray = np.minimum(data.frame[AFTER].to_numpy()[rows], 3.0)
        return steps
    return np.full(len(rows), data.waves.shape[2] / data.rate)


def _strip(data: Pieces, role: str) -> Picture:
    heart, rate = AFTER in data.frame, data.rate
    before = round(R_AT * rate)
    if heart:
        begins = np.concatenate([[0.0], np.cumsum(_steps(data, np.arange(len(data))))[:-1]])
        at = before + np.round(begins * rate).astype(int)
        values = stitch.beats(np.nan_to_num(data.waves), at, int(at[-1] + 0.6 * rate), rate=rate, before=before)
    else:
        at, values = np.arange(len(data)) * data.waves.shape[2], np.concatenate(data.waves, 1).T
    values, every = values[: int(SECONDS * rate)], max(round(rate / DRAWN), 1)
    marks = [(round(float(a / rate), 3), str(s)) for a, s in zip(at, data.labels, strict=True) if s]
    lines = [
        {"name": lead.name, "role": role, "y": rounded(values[::every, i])} for i, lead in enumerate(data.leads[:3])
    ]
    units = {lead.unit for lead in data.leads}
    paper = {"x": 0.04, "y": 0.1} if heart and units == {"mV"} else None
    shown = [{"x": x, "text": text} for x, text in marks if x < SECONDS and heart]
    return {"title": role, "step": every / rate, "apart": True, "lines": lines, "marks": shown, "paper": paper,
            "x": "seconds", "y": ", ".join(sorted(units))}  # fmt: skip


def _averages(sides: dict[str, Pieces]) -> Picture:
    """Median pieces of each kind with the band that holds four of five."""
    real = sides["real"]
    kinds, counts = np.unique(real.labels, return_counts=True)
    panels = []
    for kind in kinds[np.argsort(-counts, kind="stable")][:KINDS]:
        for i, lead in enumerate(real.leads[:2]):
            waves = {role: data.waves[data.labels == kind, i] for role, data in sides.items()}
            lines = [line for role, some in waves.items() for line in _band(some, role, lead.name)]
            if len(lines) == len(sides):
                title = f"{kind}, {lead.name}" if kind else lead.name
                panels.append({"title": title, "step": 1 / real.rate, "lines": lines, "x": "seconds", "y": lead.unit})
    note = "The median piece of each kind, and the band that holds four of five: too narrow, and variety was lost."
    return {"title": "Average pieces", "note": note, "panels": panels}


def _band(waves: np.ndarray, role: str, name: str) -> list[dict[str, Any]]:
    """(n, samples) as a line with its band; nothing for few pieces."""
    waves = waves[np.isfinite(waves).all(1)][:5000]
    if len(waves) < FEWEST:
        return []
    low, middle, high = np.quantile(waves, [0.1, 0.5, 0.9], axis=0)
    told = {"y": rounded(middle), "low": rounded(low), "high": rounded(high)}
    return [{"name": name, "role": role, **told}]


def _spectra(sides: dict[str, Pieces]) -> Picture:
    """The median power at each frequency, in decibels."""
    real = sides["real"]
    panels = []
    for i, lead in enumerate(real.leads[:3]):
        lines = []
        for role, data in sides.items():
            waves = data.waves[:, i][np.isfinite(data.waves[:, i]).all(1)][:5000]
            if len(waves) >= FEWEST:
                frequency, power = welch(waves, data.rate, nperseg=min(waves.shape[1], 256), axis=1)
                level = 10 * np.log10(np.quantile(power, [0.1, 0.5, 0.9], axis=0) + 1e-12)[:, 1:]
                told = {"y": rounded(level[1]), "low": rounded(level[0]), "high": rounded(level[2])}
                lines.append({"name": lead.name, "role": role, **told})
        if len(lines) == len(sides):
            step = float(frequency[1] - frequency[0])
            panels.append({"title": lead.name, "step": step, "start": step, "lines": lines, "x": "Hz", "y": "dB"})
    note = "Power at each frequency: the median piece, and the band that holds four of five."
    return {"title": "Spectra", "note": note, "panels": panels}
