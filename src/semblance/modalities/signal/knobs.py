"""Knobs of a recording: how long the QT interval is, how high the ST segment stands, and how much noise is added.

The wave between the end of the QRS complex and the end of the T wave is stretched, or raised by a plateau that rises
behind the QRS complex and falls until the T wave ends; the QRS complex, its height and the P wave stay. Noise is white,
and protects nobody: no guarantee follows from it, since what is drawn is no function of one patient's record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semblance.modalities.signal.data import Lead

QT, ST, NOISE = "qt", "st", "noise"
FARTHEST = {QT: 150.0, ST: 0.5, NOISE: 1.0}
"""Milliseconds, and millivolts, that a knob moves at most."""
MILLIVOLT = {"mv": 1.0, "uv": 1e3, "\u00b5v": 1e3, "\u03bcv": 1e3, "v": 1e-3, "nv": 1e6}
"""What a millivolt is in the units of leads; in others there is no most."""
J, RISEN = 0.05, 0.09
"""Seconds behind the R peak at which the QRS complex ends, and at which a raised ST segment has risen."""
T_END = 0.4
"""Seconds from the R peak to the end of the T wave, at 60 beats per minute; it goes by the root of the interval
(Bazett, Heart 1920)."""
PLATEAU = 0.5
"""The share of the time to the end of the T wave in which a raised ST segment stays at its height."""
ROOM = 0.06
"""Seconds that a T wave keeps to the end of its window."""


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

    def turn(self, waves: np.ndarray, interval: np.ndarray, *, rate: float, before: int) -> np.ndarray:
        """(n, leads, size) waves whose R peaks stand at sample `before`, after (n,) seconds since the beat before."""
        if not self.qt and not any(self.st):
            return waves
        time = (np.arange(waves.shape[2]) - before) / rate
        ends = np.minimum(T_END * np.sqrt(interval), time[-1] - ROOM)[:, None]
        moved = self._stretched(waves, time, ends) if self.qt else waves
        if any(self.st):
            moved = moved + np.array(self.st, dtype=np.float32)[:, None] * _plateau(time, ends)[:, None, :]
        return moved.astype(np.float32)

    def _stretched(self, waves: np.ndarray, time: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """The wave at the time that comes to stand at each sample."""
        later = np.clip(ends + self.qt, J + ROOM, time[-1] - ROOM / 2)
        share = (time - J) / (later - J)
        behind = ends + (time - later) * (time[-1] - ends) / (time[-1] - later)
        source = np.where(time < J, time, np.where(time < later, J + share * (ends - J), behind))
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


def _plateau(time: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """(n, size) from 0 over 1 to 0."""
    falls = np.maximum(PLATEAU * ends, RISEN)
    rise, fall = (time - J) / (RISEN - J), (ends - time) / np.maximum(ends - falls, 1e-3)
    made: np.ndarray = _smooth(rise) * _smooth(fall)
    return made


def _smooth(share: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(share, 0, 1)))
