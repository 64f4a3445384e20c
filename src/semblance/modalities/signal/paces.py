"""What beats tell of a sampling rate: hearts that beat, or whose QRS complexes last, as no other in the set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from semblance.core.errors import Problem
from semblance.modalities.signal.align import listed
from semblance.modalities.signal.data import Recording

SLOWEST = 2.0
"""Samples per second: of fewer nobody can tell whether a lead is flat for a second."""
BEAT = (0.05, 5.0)
"""Seconds from beat to beat, from a mouse's heart to a slow one: beyond these the rate is wrong."""
PACE, APART, FEWEST = (0.25, 2.5), 1.6, 3
"""Seconds beyond which hearts of adults hardly beat, and how many times as fast or as slow as the median one, of so
many at least, a heart is that may have another rate: over the 22 patients of MIT-BIH it is .67 to 1.4 times."""
QRS = 0.08
"""Seconds to either side of R in which a QRS complex is measured."""
NEARER = 0.1
"""By how much pace and QRS complex are nearer to those of others at the others' rate than at the rate that a recording
tells, in squares of natural logarithms. Of the 22 patients of MIT-BIH it tells 22 that are said to have half their
rate, 19 that are said to have twice of it, and 16 at 1.44 times; of those that have such a rate it tells 1, 0 and 0."""


def wrong_rates(recordings: Sequence[Recording]) -> list[Problem]:
    """Recordings of too few samples per second, or whose beats come so fast or so slowly that this cannot be right."""
    few = f"a recording has {SLOWEST:g} samples per second or more"
    rule, fix = f"beats are {BEAT[0]:g} to {BEAT[1]:g} s apart", "correct the sampling rate, or the annotations"
    return [
        *(
            Problem(f"record '{r.name}' has {r.rate:.3g} samples per second", few, _SECONDS)
            for r in recordings
            if r.rate < SLOWEST
        ),
        *(
            Problem(f"record '{r.name}' has a beat every {seconds:.3g} s at {r.rate:g} Hz", rule, fix)
            for r, seconds in _paces(recordings)
            if r.rate >= SLOWEST and not BEAT[0] <= seconds <= BEAT[1]
        ),
    ]


def odd_paces(recordings: Sequence[Recording]) -> list[str]:
    """A note of hearts that beat much faster or more slowly than the others, or than those of adults."""
    paces = _paces(recordings)
    usual = float(np.median([seconds for _, seconds in paces])) if len(paces) >= FEWEST else np.nan
    odd = [
        f"{r.name} ({seconds:.3g} s)"
        for r, seconds in paces
        if not PACE[0] <= seconds <= PACE[1] or max(seconds / usual, usual / seconds) > APART
    ]
    note = f"beats are oddly near each other or far apart in {listed(odd)}: the sampling rate may be wrong"
    return [note] if odd else []


def odd_rates(recordings: Sequence[Recording]) -> Iterator[str]:
    """A note of recordings at another rate than most, whose hearts would be more like the others' at that of these."""
    beating = [r for r, _ in _paces(recordings)]
    rates = Counter(r.rate for r in beating)
    if len(rates) < 2:
        return
    most = max(rates, key=rates.__getitem__)
    if rates[most] < FEWEST:
        return
    usual = np.median([_heart(r, most) for r in beating if r.rate == most], axis=0)
    odd = [r for r in beating if r.rate != most and _away(r, r.rate, usual) - _away(r, most, usual) > NEARER]
    if odd:
        told = listed([f"{r.name} ({r.rate:g} Hz)" for r in odd])
        yield f"beats at {most:g} Hz, as in most recordings, would be more like the others' in {told}: a wrong rate?"


def _paces(recordings: Sequence[Recording]) -> list[tuple[Recording, float]]:
    """Recordings that have some beats, and the median of the seconds from beat to beat."""
    return [(r, float(np.median(np.diff(r.beats.at))) / r.rate) for r in recordings if len(r.beats) > 10]


def _away(one: Recording, rate: float, usual: np.ndarray) -> float:
    return float(((_heart(one, rate) - usual) ** 2).sum())


def _heart(one: Recording, rate: float) -> np.ndarray:
    """(2,) natural logarithms of the seconds from beat to beat and of those of a QRS complex, had it this rate: what
    the median beat climbs and falls, over its steepest slope, on the lead that swings most."""
    half = max(round(QRS * rate), 1)
    at = one.beats.at[(one.beats.at >= half) & (one.beats.at < one.length - half)]
    beat = np.nan_to_num(np.median(one.values()[at[:, None] + np.arange(-half, half)], axis=0))
    slope = np.abs(np.diff(beat[:, np.ptp(beat, axis=0).argmax()]))
    seconds = np.array([np.median(np.diff(one.beats.at)), slope.sum() / max(slope.max(), 1e-12)]) / rate
    return np.log(np.maximum(seconds, 1e-12))


_SECONDS = "correct the sampling rate, or the times: they are seconds, and milliseconds only where a column is time_ms"
