"""Simulated stays: vital signs every hour, pressures in threes, blood gases for the sick, and an outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.vitals.data import Channel, Layout, Stays

CHANNELS = (
    Channel("DiasABP"),
    Channel("GCS"),
    Channel("HR"),
    Channel("Lactate", decimals=1),
    Channel("MAP"),
    Channel("SysABP"),
    Channel("Temp", decimals=1),
    Channel("pH", decimals=2),
)
SCHEMA = Schema(
    (
        Column("stay", "identifier", "subject"),
        Column("age", "integer", dtype="int64"),
        Column("sex", "categorical"),
        Column("died", "categorical", "target"),
    )
)
HOURS = 24
Spoil = Callable[[Stays, np.random.Generator], Stays]


def one(rng: np.random.Generator) -> tuple[list[tuple[float, int, float]], tuple[float, str, str]]:
    """The measurements of a stay, and its age, sex and outcome."""
    age, sex = float(np.clip(rng.normal(64, 14), 18, 95).round()), str(rng.choice(["F", "M"]))
    ill = rng.normal(0, 1) + (age - 64) / 40
    died = "1" if rng.random() < 1 / (1 + np.exp(2.0 - 1.8 * ill)) else "0"
    phase, hours = float(rng.integers(0, 60)), HOURS if rng.random() < 0.85 else int(rng.integers(8, HOURS))
    line, rows = rng.random() < 1 / (1 + np.exp(-0.8 * ill)), []
    level = {"HR": 84 + 9 * ill, "MAP": 78 - 6 * ill, "Temp": 37.0, "GCS": 14 - 2.2 * ill, "Lactate": 1.6 + 0.9 * ill}
    drift = np.cumsum(rng.normal(0, 0.5, (HOURS, 3)), axis=0)
    for hour in range(hours):
        at = 60 * hour + phase
        if rng.random() < 0.93:
            rows.append((at, 2, level["HR"] + 3 * drift[hour, 0] + rng.normal(0, 3)))
        if line and rng.random() < 0.9:
            middle = level["MAP"] + 3 * drift[hour, 1] + rng.normal(0, 3)
            wide = abs(rng.normal(40, 6)) + 6
            rows += [(at, 5, middle + 0.66 * wide), (at, 4, middle), (at, 0, middle - 0.34 * wide)]
        if hour % 4 == 0:
            rows.append((at, 6, level["Temp"] + 0.3 * drift[hour, 2] + rng.normal(0, 0.2)))
            rows.append((at, 1, float(np.clip(level["GCS"] + rng.normal(0, 1), 3, 15))))
        if rng.random() < 0.04 + 0.12 / (1 + np.exp(-1.5 * ill)):
            other = at + float(rng.integers(1, 30))
            rows += [(other, 3, max(level["Lactate"] + rng.normal(0, 0.4), 0.3)), (other, 7, 7.38 - 0.03 * ill)]
    digits = [channel.decimals for channel in CHANNELS]
    return sorted((t, c, round(v, digits[c])) for t, c, v in rows), (age, sex, died)


@cache
def stays(n: int, seed: int) -> Stays:
    """`n` stays of 24 hours or less, each of another patient."""
    made = [one(stream(seed, "stay", i)) for i in range(n)]
    rows = np.array([row for some, _ in made for row in some]).reshape(-1, 3)
    frame = pd.DataFrame(
        {
            "age": np.array([told[0] for _, told in made], dtype=float),
            "sex": pd.Categorical([told[1] for _, told in made], ["F", "M"]),
            "died": pd.Categorical([told[2] for _, told in made], ["0", "1"]),
        }
    )
    starts = np.concatenate([[0], np.cumsum([len(some) for some, _ in made])]).astype(np.int64)
    columns = (rows[:, 0].copy(), rows[:, 1].astype(np.int64), rows[:, 2].copy())
    return Stays(SCHEMA, frame, CHANNELS, starts, *columns, np.arange(n), Layout())


def unrelated(data: Stays, rng: np.random.Generator) -> Stays:
    """Values of each channel, and facts, dealt anew: what belongs together is lost."""
    value = data.value.copy()
    for code in range(len(data.channels)):
        at = np.flatnonzero(data.channel == code)
        value[at] = value[rng.permutation(at)]
    frame = pd.DataFrame({name: data.frame[name].array[rng.permutation(len(data))] for name in data.frame})
    return replace(data, value=value, frame=frame)


def shifted(data: Stays, rng: np.random.Generator) -> Stays:
    """Every value a quarter higher, and half of the outcomes the first one."""
    spoilt = np.where(rng.random(len(data)) < 0.5, 0, data.frame["died"].cat.codes)
    died = pd.Categorical.from_codes(spoilt, dtype=data.frame["died"].dtype)
    return replace(data, value=data.value * 1.25, frame=data.frame.assign(died=died))


def thinned(data: Stays, rng: np.random.Generator) -> Stays:
    """Four of five measurements lost, whichever."""
    kept = rng.random(len(data.value)) < 0.2
    starts = np.concatenate([[0], np.cumsum(np.bincount(data.stay[kept], minlength=len(data)))]).astype(np.int64)
    return replace(data, starts=starts, minute=data.minute[kept], channel=data.channel[kept], value=data.value[kept])


def collapsed(data: Stays, rng: np.random.Generator) -> Stays:
    """A handful of stays again and again."""
    return data.take(rng.integers(0, 5, len(data)))


def upside_down(data: Stays, rng: np.random.Generator) -> Stays:
    """Systolic and diastolic pressures exchanged."""
    channel = np.select([data.channel == 0, data.channel == 5], [5, 0], data.channel)
    return replace(data, channel=channel)


CORRUPTIONS: dict[str, Spoil] = {
    "unrelated": unrelated,
    "shifted": shifted,
    "thinned": thinned,
    "collapsed": collapsed,
    "upside down": upside_down,
}
