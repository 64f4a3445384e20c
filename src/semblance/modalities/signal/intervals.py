"""Pictures of the intervals from beat to beat, as a cardiologist looks at them: in turn, how often each comes, each
against the next one (Poincaré), and their spectrum (Task Force of the ESC and NASPE, Circulation 1996)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from semblance.core.rng import stream
from semblance.modalities.signal.data import AFTER, BEFORE, Pieces
from semblance.modalities.signal.metrics.hrv import LOW, heart_spectrum, successions

SHOWN, BEATS, FEWEST = 3, 200, 5
"""Recordings of each side whose intervals are shown in turn, how many of these, and how many there are at least."""
ENDS, BIN, DOTS = (0.2, 2.0), 0.025, 1200
"""Seconds that are shown, those of a bar, and the beats of a side that are shown as dots."""
BAND = [0.1, 0.9]

Sides = Mapping[str, Pieces]
Picture = dict[str, Any]


def intervals(sides: Sides, seed: int) -> Iterator[Picture]:
    """The pictures of beats with intervals, as JSON; none of recordings with too few."""
    yield _in_turn(sides, seed)
    told = {role: [one[0] / 1000 for one in successions(data)[0]] for role, data in sides.items()}
    yield _often(told)
    yield _against_next(sides, seed)
    yield _spectra(sides)


def _in_turn(sides: Sides, seed: int) -> Picture:
    rows = [(role, gaps) for role, data in sides.items() for gaps in _rows(data, role, seed)]
    known = np.concatenate([gaps for _, gaps in rows]) if rows else np.empty(0)
    ends = [float(np.nanmin(known)), float(np.nanmax(known))] if np.isfinite(known).any() else [0.0, 1.0]
    panels = []
    for role, gaps in rows:
        line = {"name": "interval", "role": role, "y": rounded(gaps)}
        panels.append({"title": role, "step": 1, "lines": [line], "range": ends, "x": "beats", "y": "RR (s)"})
    note = "Seconds from beat to beat (RR) of recordings drawn by chance, on one scale: the rhythm as a row of heights."
    return {"title": "Rhythm", "note": note, "panels": panels}


def _rows(data: Pieces, role: str, seed: int) -> Iterator[np.ndarray]:
    """The first intervals of a few recordings."""
    rng = stream(seed, "intervals", role)
    for one in rng.permutation(np.unique(data.source))[:SHOWN]:
        gaps = data.frame[AFTER].to_numpy(dtype=float)[data.source == one][:BEATS]
        if len(gaps) >= FEWEST:
            yield np.minimum(gaps, 2.5)


def _often(told: Mapping[str, list[np.ndarray]]) -> Picture:
    """How often normal intervals of each length come: the mean recording, and the band of four in five."""
    edges = np.arange(ENDS[0], ENDS[1] + BIN / 2, BIN)
    lines = []
    for role, each in told.items():
        shares = np.array([np.histogram(np.clip(nn, *ENDS), edges)[0] / len(nn) for nn in each if len(nn)])
        if len(shares):
            low, high = np.quantile(shares, BAND, axis=0)
            mean = {"y": rounded(shares.mean(0)), "low": rounded(low), "high": rounded(high)}
            lines.append({"name": "share of intervals", "role": role, **mean})
    shown = {"title": "normal beats", "start": ENDS[0] + BIN / 2, "step": BIN, "x": "RR (s)", "y": "share"}
    note = "How often each interval comes between normal beats: the mean recording, and the band of four in five."
    return {"title": "Intervals", "note": note, "panels": [{**shown, "lines": lines}] if len(lines) == 2 else []}


def _against_next(sides: Sides, seed: int) -> Picture:
    """Each interval against the next one, as many of each recording of a side."""
    panels = []
    for role, data in sides.items():
        rng = stream(seed, "poincare", role)
        mixed = rng.permutation(len(data))
        turn = _turns(data.source[mixed])
        rows = mixed[np.argsort(turn, kind="stable")][:DOTS]
        two = np.stack([data.frame[name].to_numpy(dtype=float)[rows] for name in (BEFORE, AFTER)], 1).clip(*ENDS)
        dots = two[np.isfinite(two).all(1)]
        if len(dots) >= FEWEST:
            points = [[round(float(a), 3), round(float(b), 3)] for a, b in dots]
            shown = {"role": role, "points": points, "ends": list(ENDS)}
            panels.append({"title": role, **shown, "x": "RR (s)", "y": "next RR (s)"})
    note = (
        "Each interval against the next one (a Poincaré plot), as many beats of each recording: regular beats lie "
        "along the diagonal, early ones far left of it with their pause above, and a fibrillating heart is a cloud."
    )
    return {"title": "Intervals in pairs", "note": note, "panels": panels if len(panels) == len(sides) else []}


def _turns(source: np.ndarray) -> np.ndarray:
    """(n,) the how-manieth of its recording each row is.

    >>> _turns(np.array([7, 7, 2, 7, 2])).tolist()
    [0, 1, 0, 2, 1]
    """
    order = np.argsort(source, kind="stable")
    begins = np.flatnonzero(np.diff(source[order], prepend=-1))
    made = np.empty(len(source), dtype=np.int64)
    made[order] = np.arange(len(source)) - np.repeat(begins, np.diff([*begins, len(source)]))
    return made


def _spectra(sides: Sides) -> Picture:
    """The power of the variation of normal intervals at each frequency: the median recording and a band."""
    lines, step = [], 1.0
    for role, data in sides.items():
        found = [one for nn, _, when in successions(data)[0] if (one := heart_spectrum(nn, when)) is not None]
        if found:
            hertz, power = found[0][0], np.array([power for _, power in found])
            shown = (hertz > LOW[0] / 3) & (hertz <= 0.5)
            low, middle, high = 10 * np.log10(np.quantile(power, [BAND[0], 0.5, BAND[1]], axis=0)[:, shown] + 1e-3)
            told = {"y": rounded(middle), "low": rounded(low), "high": rounded(high)}
            lines.append({"name": "power", "role": role, **told})
            step, start = float(hertz[1] - hertz[0]), float(hertz[shown][0])
    note = (
        "Power of the variation between normal beats: the median recording of two minutes or more, and the band of "
        "four in five. Blood pressure sways it at .04 to .15 Hz, breathing at .15 to .4 Hz."
    )
    if len(lines) < len(sides):
        return {"title": "Spectrum of the heart rate", "note": note, "panels": []}
    panel = {"title": "normal beats", "start": start, "step": step, "lines": lines, "x": "Hz", "y": "dB (ms²/Hz)"}
    return {"title": "Spectrum of the heart rate", "note": note, "panels": [panel]}


def rounded(values: np.ndarray) -> list[float | None]:
    """As many decimals as a picture shows; None for what is missing."""
    return [round(float(value), 4) if np.isfinite(value) else None for value in values]
