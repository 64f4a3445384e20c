"""Pictures of signals for the report that stays inside: strips, average beats, spectra, intervals from beat to beat.

They are plain JSON of lines and dots, which `app/plots.py` draws without knowing what a signal is. Real strips are
patients' data: no picture leaves with a public report.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.signal import welch

from semblance.core.dataset import Evidence
from semblance.modalities.signal.data import AFTER, Pieces
from semblance.modalities.signal.intervals import intervals, rounded
from semblance.modalities.signal.paper import FEW, MOST, strips
from semblance.modalities.signal.pieces import R_AT

KINDS, FEWEST = 4, 20
"""Kinds whose average is drawn, and the fewest pieces of a kind."""
EARLY = (
    "Seconds from the R peak. Where a heart is fast, the T wave of the beat before reaches to .25 s ahead of it: a "
    "side with more fast beats has the wider band there."
)
SIDES = (("real", "train"), ("synthetic", "synthetic"))

Picture = dict[str, Any]


def pictures(evidence: Evidence[Pieces]) -> list[Picture]:
    """All that there is to see, as JSON."""
    sides = {role: getattr(evidence, part) for role, part in SIDES}
    if not all(len(part) for part in sides.values()):
        return []
    made = [strips(sides, evidence.seed), _averages(sides), _spectra(sides)]
    if AFTER in evidence.train.frame:
        made += intervals(sides, evidence.seed)
    return [picture for picture in made if picture["panels"]]


def _averages(sides: dict[str, Pieces]) -> Picture:
    """Median pieces of each kind with the band that holds four of five."""
    real = sides["real"]
    small = len(real.leads) > FEW
    every, heart = 1 + small, AFTER in real.frame
    start = -round(R_AT * real.rate) / real.rate if heart else 0.0
    kinds, counts = np.unique(real.labels, return_counts=True)
    panels = []
    for kind in kinds[np.argsort(-counts, kind="stable")][:KINDS]:
        for i, lead in enumerate(real.leads[:MOST]):
            waves = {role: data.waves[data.labels == kind, i, ::every] for role, data in sides.items()}
            lines = [line for role, some in waves.items() for line in _band(some, role, lead.name)]
            if len(lines) == len(sides):
                title = f"{kind}, {lead.name}" if kind else lead.name
                axes = {"start": start, "step": every / real.rate, "x": "seconds", "y": lead.unit}
                panels.append({"title": title, "lines": lines, "small": small, **axes})
    note = "The median piece of each kind, and the band that holds four of five: too narrow, and variety was lost."
    return {"title": "Average pieces", "note": f"{note} {EARLY}" if heart else note, "panels": panels}


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
    for i, lead in enumerate(real.leads[:MOST]):
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
            axes = {"step": step, "start": step, "x": "Hz", "y": "dB", "small": len(real.leads) > FEW}
            panels.append({"title": lead.name, "lines": lines, **axes})
    note = "Power at each frequency: the median piece, and the band that holds four of five."
    return {"title": "Spectra", "note": note, "panels": panels}
