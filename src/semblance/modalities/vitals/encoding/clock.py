"""The clock of a ward: measurements fall on the marks of a stay's own clock, most of them at one minute of the hour.

Bins of equal width lie around the marks of that clock, so that what is measured every hour is in every fourth bin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semblance.modalities.vitals.data import Stays

WIDTHS = (1, 3, 5, 15, 30, 60, 120, 360, 1440)
"""Minutes that a bin may have: a round of four is a part of an hour, or some hours."""
MOST = 256
"""Bins of a stay, at most (where days are no bin too wide)."""
ROUND, FINE = 4, 15
"""Bins of a round (an hour, where bins have 15 minutes), and into how many ticks a bin is divided."""


@dataclass(frozen=True, eq=False)
class Clock:
    """`width` minutes of a bin, `horizon` minutes that stays last at most; `phases` (60,) how often a round begins at
    each of its ticks; `grain` the minutes between times that files can tell."""

    width: float
    horizon: float
    phases: np.ndarray
    grain: float = 1.0

    @classmethod
    def of(cls, stays: Stays, *, rare: int) -> Clock:
        """The clock of stays; a horizon and phases that fewer than `rare` patients have are none."""
        patient = np.unique(stays.subjects, return_inverse=True)[1]
        last = np.zeros(int(patient.max(initial=-1)) + 1)
        np.maximum.at(last, patient[stays.stay], stays.minute)
        horizon = float(np.sort(last)[-min(rare, len(last))]) if len(last) else 1.0
        width = next((float(w) for w in WIDTHS if horizon / w <= MOST), float(WIDTHS[-1]))
        rough = cls(width, max(np.ceil(horizon / width), 1) * width, np.ones(ROUND * FINE))
        phase = rough.phase_of(stays)
        count = np.bincount(phase, minlength=ROUND * FINE).astype(float)
        of_patients = np.unique(np.column_stack([phase, patient]), axis=0)[:, 0]
        count[np.bincount(of_patients, minlength=ROUND * FINE) < rare] = 0
        return cls(width, rough.horizon, count if count.sum() else np.ones(ROUND * FINE), stays.layout.grain)

    @property
    def bins(self) -> int:
        """How many bins there are: a round before the first mark, and all up to the horizon."""
        return int(self.horizon / self.width) + ROUND + 1

    @property
    def tick(self) -> float:
        """Minutes of a tick."""
        return self.width / FINE

    def phase_of(self, stays: Stays) -> np.ndarray:
        """(n,) at which tick of a round most moments of each stay are."""
        first = np.diff(stays.moment, prepend=-1) > 0
        tick = np.round(stays.minute[first] / self.tick).astype(np.int64) % (ROUND * FINE)
        count = np.zeros((len(stays), ROUND * FINE), dtype=np.int64)
        np.add.at(count, (stays.stay[first], tick), 1)
        made: np.ndarray = count.argmax(axis=1)
        return made

    def bins_of(self, stays: Stays, phase: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(m,) the bin of each measurement, and whether it is on the mark of that bin."""
        away = (stays.minute - self.tick * phase[stays.stay]) / self.width
        made = np.round(away)
        on = np.abs(away - made) < 0.5 / FINE
        return np.clip(made.astype(np.int64) + ROUND, 0, self.bins - 1), on

    def minutes(self, bins: np.ndarray, phase: np.ndarray, off: np.ndarray) -> np.ndarray:
        """(m,) minutes of bins in stays whose rounds begin at `phase` (m,), `off` (m,) ticks from the mark."""
        made = self.tick * (phase + off) + self.width * (bins - ROUND)
        told: np.ndarray = np.round(made / self.grain) * self.grain
        return told

    def draw(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n,) phases of new stays."""
        return rng.choice(len(self.phases), n, p=self.phases / self.phases.sum())
