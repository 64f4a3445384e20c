"""Pictures of stays for the report that stays inside: some stays, what is measured when, channels through the hours.

They are plain JSON of lines, which `app/plots.py` draws without knowing what a stay is. Real stays are patients' data:
no picture leaves with a public report.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.modalities.vitals.data import Stays

SHOWN, LINES, CHANNELS = 2, 5, 6
"""Stays of each side, lines of a stay, and channels that are shown through the hours."""
COLUMNS, FEWEST = 96, 20
"""Cells of an axis at most, and stays with a value in a cell below which it is no picture."""
SIDES = (("real", "train"), ("synthetic", "synthetic"))

Picture = dict[str, Any]


def pictures(evidence: Evidence[Stays]) -> list[Picture]:
    """All that there is to see, as JSON."""
    parts = {role: getattr(evidence, part).coded(evidence.train.channels) for role, part in SIDES}
    if not all(len(stays.value) for stays in parts.values()):
        return []
    hours = _cell(evidence.train)
    often = np.bincount(evidence.train.channel, minlength=len(evidence.train.channels))
    main = np.argsort(-often, kind="stable")[: min(CHANNELS, int((often > 0).sum()))]
    made = [*_stays(parts, main[:LINES], hours, evidence.seed), *_through(parts, main, hours)]
    return [picture for picture in made if picture["panels"]]


def _cell(stays: Stays) -> float:
    """Hours of a cell of the axis."""
    return float(max(1, np.ceil(stays.minute.max() / 60 / COLUMNS)))


def _grid(stays: Stays, main: np.ndarray, hours: float) -> np.ndarray:
    """(n, cells, channels) the last value in each cell, NaN where there is none."""
    cells = int(COLUMNS if not len(stays.minute) else min(stays.minute.max() // (60 * hours) + 1, COLUMNS))
    made = np.full((len(stays), cells, len(main)), np.nan)
    for j, code in enumerate(main):
        at = np.flatnonzero(stays.channel == code)
        cell = np.minimum((stays.minute[at] // (60 * hours)).astype(int), cells - 1)
        made[stays.stay[at], cell, j] = stays.value[at]
    return made


def _stays(parts: dict[str, Stays], main: np.ndarray, hours: float, seed: int) -> list[Picture]:
    """Some stays: their values, carried on until the next one, and what was measured when."""
    values, there = [], []
    for role, stays in parts.items():
        some = stays.take(stream(seed, "shown", role).permutation(len(stays))[:SHOWN])
        for one in _grid(some, main, hours):
            names = [stays.names[code] for code in main]
            lines = [
                {"name": name, "role": role, "y": _rounded(_carried(y))}
                for name, y in zip(names, one.T, strict=True)
                if np.isfinite(y).any()
            ]
            marks = [
                {"name": name, "role": role, "y": [0.8 * float(x) for x in np.isfinite(y)]}
                for name, y in zip(names, one.T, strict=True)
            ]
            axis = {"title": role, "step": hours, "apart": True, "x": "hours"}
            values += [{**axis, "lines": lines, "y": "each in its unit"}] if lines else []
            there.append({**axis, "lines": marks, "y": "measured or not"})
    drawn = "Stays drawn by chance"
    return [
        {"title": "Stays", "note": f"{drawn}: values are carried on until the next one.", "panels": values},
        {"title": "What is measured when", "note": f"{drawn}: up where a channel is measured.", "panels": there},
    ]


def _carried(y: np.ndarray) -> np.ndarray:
    """Values carried on until the next one, the first one back to the beginning."""
    known = np.flatnonzero(np.isfinite(y))
    last = np.searchsorted(known, np.arange(len(y)), side="right") - 1
    made: np.ndarray = y[known[np.maximum(last, 0)]]
    return made


def _through(parts: dict[str, Stays], main: np.ndarray, hours: float) -> list[Picture]:
    """Each channel through the hours: its values with the band that holds four of five, and how many stays have one."""
    grids = {role: _grid(stays, main, hours) for role, stays in parts.items()}
    channels = next(iter(parts.values())).channels
    bands, shares = [], []
    for j, code in enumerate(main):
        axis = {"title": channels[code].name, "step": hours, "x": "hours"}
        lines = [line for role, grid in grids.items() for line in _band(grid[..., j], role, channels[code].name)]
        if len(lines) == len(grids):
            bands.append({**axis, "lines": lines, "y": channels[code].unit or "value"})
        counted = [
            {"name": channels[code].name, "role": role, "y": _rounded(np.isfinite(grid[..., j]).mean(0))}
            for role, grid in grids.items()
        ]
        shares.append({**axis, "lines": counted, "y": "share of stays"})
    return [
        {"title": "Through the stay", "note": "The median of a channel, and the band that holds four of five values: "
         "too narrow, and variety was lost.", "panels": bands},
        {"title": "How often", "note": "The share of stays in which a channel is measured, hour by hour.",
         "panels": shares},
    ]  # fmt: skip


def _band(values: np.ndarray, role: str, name: str) -> list[dict[str, Any]]:
    """(n, cells) as a line with its band, up to where few stays have values; nothing where there are few at once."""
    few = np.flatnonzero(np.isfinite(values).sum(0) < FEWEST)
    values = values[:, : few[0]] if len(few) else values
    if values.shape[1] < 2:
        return []
    low, middle, high = np.nanquantile(values, [0.1, 0.5, 0.9], axis=0)
    return [{"name": name, "role": role, "y": _rounded(middle), "low": _rounded(low), "high": _rounded(high)}]


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 4) for value in values]
