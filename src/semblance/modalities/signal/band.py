"""The band of frequencies that a person declared: what is slower or faster goes before anything is learned.

A Butterworth filter runs forwards and backwards, so that no wave moves in time and marks stay where they are. An octave
inside the band less than half a percent of a wave is lost, at its ends half of it, and an octave beyond them less than
half a percent is left; in its first and last two periods of the lowest frequency a recording is mirrored, and the
filter less exact. The level of each lead is no wave: it is set aside, and stands under the result again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
from scipy.signal import butter, sosfiltfilt

from semblance.core.errors import DataError, Problem
from semblance.modalities.signal.align import bridged, listed
from semblance.modalities.signal.data import Recording
from semblance.modalities.signal.found import Found

Band = tuple[float, float]
"""The lowest frequency (Hz; 0: nothing is too slow) and the highest."""
ORDER, TINY = 4, 1e-300
PERIODS = 2
"""Periods of the lowest frequency that a recording lasts at least: of fewer nobody can tell a drift from a wave."""
HEART = (0.67, 40.0)
"""Hz that an electrocardiogram needs: filters without a shift may cut what is slower than 0.67 Hz (Kligfield et al.,
Circulation 2007), else ST moves; a monitor keeps what is up to 40 Hz, else R peaks are lower and Q waves go."""


def banded(found: Sequence[Found], band: Band, *, heart: bool) -> tuple[list[Found], list[str]]:
    """The recordings without what is outside the band, and a note. `heart` says that their beats are learned.

    Raises DataError with every reason why they cannot be.
    """
    ones = [one.recording for one in found]
    problems = [*wrong(band, ones[0].rate, heart=heart), *(p for one in ones for p in too_short_for(one, band))]
    if problems:
        raise DataError(*problems)
    return [replace(one, recording=inside(one.recording, band)) for one in found], [_note(ones, band)]


def wrong(band: Band, rate: float, *, heart: bool) -> Iterator[Problem]:
    """What is wrong with a band for samples at `rate` Hz, of hearts or of anything."""
    low, high = band
    said = f"[signal] band = [{low:g}, {high:g}]"
    if high >= rate / 2:
        rule = f"of {rate:g} samples per second nothing from {rate / 2:g} Hz on is there to be kept"
        yield Problem(said, rule, f"a highest frequency below {rate / 2:g}")
    if heart and (low > HEART[0] or high < HEART[1]):
        rule = f"the waves of a heart need {HEART[0]:g} to {HEART[1]:g} Hz: a narrower band changes ST and R"
        yield Problem(said, rule, f"a lowest frequency up to {HEART[0]:g} and a highest from {HEART[1]:g} on")


def too_slow(resample: float | None, *, heart: bool) -> Iterator[Problem]:
    """What is wrong with a declared rate (Hz) that recordings shall come to, of hearts or of anything."""
    if heart and resample is not None and resample < 2 * HEART[1]:
        rule = f"the waves of a heart need {HEART[0]:g} to {HEART[1]:g} Hz: twice as many samples per second hold them"
        yield Problem(
            f"[signal] resample = {resample:g}", rule, f"resample = {2 * HEART[1]:g} or more, or leave it out"
        )


def slow(rate: float, *, heart: bool) -> Iterator[str]:
    """A note of hearts that were recorded at fewer samples per second (Hz) than hold their waves."""
    if heart and rate < 2 * HEART[1]:
        held = f"{rate:g} samples per second hold nothing above {rate / 2:g} Hz"
        need = f"the waves of a heart need {HEART[0]:g} to {HEART[1]:g} Hz"
        yield f"{held}, and {need}: R peaks are lower than they were, and Q waves may be gone"


def too_short_for(one: Recording, band: Band) -> Iterator[Problem]:
    """A recording that is too short for the band's lowest frequency."""
    if band[0] > 0 and one.seconds * band[0] < PERIODS:
        rule = f"a recording lasts {PERIODS} periods of the lowest frequency, {PERIODS / band[0]:.3g} s"
        yield Problem(f"record '{one.name}' lasts {one.seconds:.3g} s", rule, "leave it out, or band = [0, ...]")


def inside(one: Recording, band: Band) -> Recording:
    """The recording without what is outside the band; its samples are still read only when asked for."""
    return replace(one, values=partial(_passed, one.values, one.rate, band))


def _passed(values: Callable[[], np.ndarray], rate: float, band: Band) -> np.ndarray:
    return passed(values(), rate, band)


def passed(values: np.ndarray, rate: float, band: Band) -> np.ndarray:
    """(samples, leads) float32 of those at `rate` Hz. Missing stretches are bridged for the filter, then restored."""
    gone = ~np.isfinite(values)
    whole = bridged(values.astype(float), gone)
    level = np.where(gone, 0, whole).sum(0) / np.maximum((~gone).sum(0), 1)
    longest = rate / (band[0] if band[0] > 0 else band[1])
    edge = min(len(values) - 1, round(PERIODS * longest))
    moved = sosfiltfilt(_filter(rate, band), whole - level, axis=0, padtype="even", padlen=edge)
    made = (moved + level).astype(np.float32)
    made[gone] = values[gone]
    return np.asarray(made)


@lru_cache
def _filter(rate: float, band: Band) -> np.ndarray:
    """Sections of a low pass, and of a high pass where the band has a lower end."""
    parts = [butter(ORDER, band[1], fs=rate, output="sos")]
    parts += [butter(ORDER, band[0], "highpass", fs=rate, output="sos")] if band[0] > 0 else []
    return np.concatenate(parts)


def words(band: Band) -> str:
    """
    >>> words((0.5, 40)), words((0, 40))
    ('0.5 to 40 Hz', 'up to 40 Hz')
    """
    return f"{band[0]:g} to {band[1]:g} Hz" if band[0] > 0 else f"up to {band[1]:g} Hz"


def _note(ones: Sequence[Recording], band: Band) -> str:
    """What is not in the output, and how much of each lead it was."""
    lost, whole = np.zeros((2, len(ones[0].leads)))
    for one in ones:
        values = one.values()
        known = ~np.isnan(values)
        count = np.maximum(known.sum(0), 1)
        for total, part in ((lost, values - passed(values, one.rate, band)), (whole, values)):
            mean = np.where(known, part, 0).sum(0, dtype=float) / count
            total += np.where(known, np.square(part - mean, dtype=float), 0).sum(0)
    shares = [f"{own.name} {part:.1%}" for own, part in zip(ones[0].leads, lost / np.maximum(whole, TINY), strict=True)]
    slower = f"slower than {band[0]:g} Hz or " if band[0] > 0 else ""
    return (
        f"[signal] band: nothing {slower}faster than {band[1]:g} Hz is learned or made, and nothing brings it back; "
        f"of the variance of the leads that is: {listed(shares, most=8)}"
    )
