"""Leads that may be upside down: their QRS complexes point the other way than nearly everybody's."""

from __future__ import annotations

import numpy as np

from semblance.modalities.signal.data import Recording

NORMAL = "N"
"""The beats that are looked at: a bundle branch block or an ectopic beat may well point the other way."""
QRS, FEWEST_BEATS = 0.08, 10
"""Seconds to either side of R in which a QRS complex is looked at, and how many a recording must have."""
CLEAR, AGREE, FEWEST = 0.2, 0.9, 3
"""How much farther a QRS complex goes to one side, as a share of its swing, to point there; and the share of the other
recordings, of so many at least, that must point the other way. Over the 22 patients of MIT-BIH no lead is told; of the
18 with normal beats in MLII each is, had it alone this lead upside down, and in V1, where hearts differ, none."""


def upright(values: np.ndarray, one: Recording) -> np.ndarray:
    """(leads,) how much farther up than down the median normal QRS complex goes, from -1 to 1; NaN where unknown."""
    half = max(round(QRS * one.rate), 1)
    at = one.beats.at[one.beats.symbol.astype(str) == NORMAL]
    at = at[(at >= 2 * half) & (at < len(values) - half)]
    if len(at) < FEWEST_BEATS:
        return np.full(values.shape[1], np.nan)
    beats = values[at[:, None] + np.arange(-2 * half, half)]
    beat = np.median(np.nan_to_num(beats, posinf=0, neginf=0), axis=0)
    beat, level = beat[half:], np.median(beat, axis=0)
    up, down = beat.max(axis=0) - level, level - beat.min(axis=0)
    return np.divide(up - down, up + down, out=np.full(len(up), np.nan), where=up + down > 0)


def inverted(share: np.ndarray) -> np.ndarray:
    """(recordings,) bool: where a lead points clearly the other way than nearly all others, of whom there are some."""
    others = np.isfinite(share).sum() - 1
    made = np.zeros(len(share), dtype=bool)
    for side in (share, -share):
        clear = int((side > CLEAR).sum())
        if clear >= max(FEWEST, AGREE * others):
            made |= side < -CLEAR
    return made
