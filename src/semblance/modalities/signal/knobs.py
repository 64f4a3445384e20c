"""Knobs of a recording: how long the QT interval is, how high the ST segment stands, and how much noise is added.

The wave between the end of the QRS complex and the top of the T wave is stretched, so that the T wave falls later as it
fell; or all until the T wave ends is raised by a plateau. The QRS complex, its height and the P wave stay. Where waves
end is found on the mean beat of each kind in a recording, since a wide complex ends later. Noise is white, and protects
nobody: no guarantee follows from it, since what is drawn is no function of one patient's record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from semblance.modalities.signal.data import Lead

QT, ST, NOISE = "qt", "st", "noise"
FARTHEST = {QT: 150.0, ST: 0.5, NOISE: 1.0}
"""Milliseconds, and millivolts, that a knob moves at most."""
MILLIVOLT = {"mv": 1.0, "uv": 1e3, "\u00b5v": 1e3, "\u03bcv": 1e3, "v": 1e-3, "nv": 1e6}
"""What a millivolt is in the units of leads; in others there is no most."""
RISE, PLATEAU = 0.04, 0.4
"""Seconds in which a raised ST segment rises behind the QRS complex, and the share of the time from there to the end of
the T wave in which it stays at its height."""
SMOOTH = 0.02
"""Seconds of the moving mean under which a mean beat is looked at."""
WITHIN, STEEP, CALM, LATEST = 0.15, 0.12, 0.02, 0.2
"""A QRS complex is over behind R where the leads move less than this share of their fastest within so many seconds of
R, for so many seconds; after the latest that a complex ends, it is taken to have ended."""
T_END, LIKELY = 0.4, (0.7, 1.4)
"""Seconds from the R peak to the end of a T wave at 60 beats per minute, which go by the root of the interval (Bazett,
Heart 1920), and between how many times of it an end is believed."""
FROM, TO, FALL = 0.06, 0.5, 0.15
"""Where the top of a T wave is looked for, in seconds from the end of QRS and from R, and how long it falls at most."""
ROOM = 0.06
"""Seconds that a T wave lasts at least, and keeps to the end of its window."""


@dataclass(frozen=True)
class Knobs:
    """`qt` seconds by which QT intervals are longer, `st` (leads,) by which ST segments stand higher, and the standard
    deviation of `noise`, both in the leads' units."""

    qt: float = 0.0
    st: tuple[float, ...] = ()
    noise: float = 0.0

    def noisy(self, values: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(samples, leads) values with noise added."""
        if not self.noise:
            return values
        return values + np.float32(self.noise) * rng.standard_normal(values.shape, dtype=np.float32)

    def turn(
        self, waves: np.ndarray, interval: np.ndarray, kinds: np.ndarray, *, rate: float, before: int
    ) -> np.ndarray:
        """(n, leads, size) waves of one recording, of (n,) kinds, whose R peaks stand at sample `before`, after (n,)
        seconds since the beat before."""
        if not self.qt and not any(self.st):
            return waves
        time, made = (np.arange(waves.shape[2]) - before) / rate, np.empty(waves.shape, dtype=np.float32)
        for kind in np.unique(kinds):
            rows = kinds == kind
            made[rows] = self._turned(waves[rows], interval[rows], time)
        return made

    def _turned(self, waves: np.ndarray, interval: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Waves of one kind."""
        usual = float(np.median(interval))
        j, top, end = landmarks(waves.mean(axis=0), time, usual)
        longer = np.sqrt(interval / usual)[:, None]
        tops, ends = (np.clip(at * longer, j + ROOM, time[-1] - ROOM) for at in (top, end))
        moved = self._stretched(waves, time, j, tops, ends) if self.qt else waves
        if any(self.st):
            moved = moved + np.array(self.st, dtype=np.float32)[:, None] * _plateau(time, j, ends)[:, None, :]
        return moved

    def _stretched(
        self, waves: np.ndarray, time: np.ndarray, j: float, tops: np.ndarray, ends: np.ndarray
    ) -> np.ndarray:
        """The wave at the time that comes to stand at each sample."""
        by = np.clip(self.qt, j + ROOM / 2 - tops, time[-1] - ROOM / 2 - ends)
        rising = j + (time - j) * (tops - j) / (tops + by - j)
        behind = ends + (time - ends - by) * (time[-1] - ends) / (time[-1] - ends - by)
        source = np.where(time < j, time, np.where(time < tops + by, rising, np.minimum(time - by, ends)))
        source = np.where(time > ends + by, behind, source)
        place = np.clip((source - time[0]) / (time[1] - time[0]), 0, len(time) - 1)
        low = np.minimum(place.astype(np.int64), len(time) - 2)
        part = (place - low)[:, None, :]
        first, second = (np.take_along_axis(waves, (low + i)[:, None, :], 2) for i in (0, 1))
        stretched: np.ndarray = first * (1 - part) + second * part
        return stretched


def farthest(name: str, leads: Sequence[Lead]) -> float:
    """The most that a knob ('qt', 'st', 'st NAME', 'noise') moves: milliseconds, or the leads' unit."""
    knob, _, lead = name.partition(" ")
    if knob == QT:
        return FARTHEST[QT]
    of = [MILLIVOLT.get(one.unit.lower(), np.inf) for one in leads if lead in ("", one.name)]
    return FARTHEST[knob] * min(of, default=1.0)


def landmarks(beat: np.ndarray, time: np.ndarray, interval: float) -> tuple[float, float, float]:
    """Seconds from R to the end of QRS, the top of the T wave and its end, in a mean (leads, size) beat.

    QRS ends where all leads together come to rest. The T wave ends where the tangent of its steepest fall meets the
    line that the beat ends on (Lepeschkin & Surawicz, Circulation 1952).
    """
    step = time[1] - time[0]
    mean = uniform_filter1d(beat.astype(float), max(round(SMOOTH / step), 1), axis=1, mode="nearest")
    j = _j(np.linalg.norm(np.gradient(mean, axis=1), axis=0), time, step)
    height = np.linalg.norm(mean - mean[:, time > time[-1] - ROOM / 2].mean(axis=1, keepdims=True), axis=0)
    top = np.where((time >= j + FROM) & (time <= TO), height, -1).argmax()
    fall = -np.gradient(height, step)
    steepest = np.where((time >= time[top]) & (time <= time[top] + FALL), fall, -np.inf).argmax()
    bazett = T_END * np.sqrt(interval)
    end = time[steepest] + height[steepest] / max(fall[steepest], 1e-9)
    end = float(np.clip(end, LIKELY[0] * bazett, LIKELY[1] * bazett))
    return j, min(float(time[top]), end), end


def _j(speed: np.ndarray, time: np.ndarray, step: float) -> float:
    """Seconds from R at which leads that move at a (size,) speed come to rest."""
    calm = speed < STEEP * speed[np.abs(time) <= WITHIN].max()
    long = max(round(CALM / step), 1)
    rests = np.asarray(np.lib.stride_tricks.sliding_window_view(calm, long).all(axis=1))
    behind = time[: len(rests)][rests & (time[: len(rests)] >= SMOOTH)].tolist()
    return min([*behind, LATEST])


def _plateau(time: np.ndarray, j: float, ends: np.ndarray) -> np.ndarray:
    """(n, size) from 0 over 1 to 0."""
    falls = np.maximum(j + PLATEAU * (ends - j), j + RISE)
    rise, fall = (time - j) / RISE, (ends - time) / np.maximum(ends - falls, 1e-3)
    made: np.ndarray = _smooth(rise) * _smooth(fall)
    return made


def _smooth(share: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(share, 0, 1)))
