"""Writes a simulated ward: `stays.vitals.csv`, a row per measurement of 400 stays, and `stays.csv`, a row per stay.

Pressures come in threes, vital signs every hour, lactate when somebody worries; the ill die more often and are measured
more. No real patient stands behind any of it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

STAYS, HOURS = 400, 24


def stay(number: int, rng: np.random.Generator) -> tuple[list[tuple[int, int, str, float]], tuple[int, int, str, int]]:
    """The measurements of a stay as (stay, minute, channel, value), and what is known of it."""
    age, sex = int(np.clip(rng.normal(64, 14), 18, 95)), str(rng.choice(["F", "M"]))
    ill = rng.normal() + (age - 64) / 40
    died = int(rng.random() < 1 / (1 + np.exp(2.0 - 1.8 * ill)))
    rows, start, line = [], int(rng.integers(0, 60)), rng.random() < 1 / (1 + np.exp(-0.8 * ill))
    for minute in range(start, 60 * HOURS, 60):
        told = {"HR": 84 + 9 * ill + rng.normal(0, 5)}
        if line:
            middle, wide = 78 - 6 * ill + rng.normal(0, 5), 40 + abs(rng.normal(0, 6))
            told |= {"SysABP": middle + 0.66 * wide, "MAP": middle, "DiasABP": middle - 0.34 * wide}
        if (minute - start) % 240 == 0:
            told |= {"Temp": 37 + rng.normal(0, 0.4), "GCS": float(np.clip(14 - 2 * ill + rng.normal(), 3, 15))}
        if rng.random() < 0.04 + 0.12 / (1 + np.exp(-1.5 * ill)):
            told |= {"Lactate": max(1.6 + 0.9 * ill + rng.normal(0, 0.4), 0.3)}
        digits = {"Temp": 1, "Lactate": 1}
        rows += [(number, minute, name, round(value, digits.get(name, 0))) for name, value in told.items()]
    return rows, (number, age, sex, died)


def main() -> None:
    """Write both files."""
    rng = np.random.default_rng(0)
    made = [stay(number, rng) for number in range(1, STAYS + 1)]
    long = pd.DataFrame([row for rows, _ in made for row in rows], columns=["stay", "minute", "channel", "value"])
    long.to_csv("stays.vitals.csv", index=False)
    pd.DataFrame([known for _, known in made], columns=["stay", "age", "sex", "died"]).to_csv("stays.csv", index=False)


if __name__ == "__main__":
    main()
