"""Small recordings for tests: sines with beats and states, whose values are exact in a converter of 1/200 mV."""

from __future__ import annotations

import numpy as np
import pandas as pd

from semblance.core.schema import Column, Schema
from semblance.modalities.signal.data import Lead, Marks, Recording, Recordings

RATE = 100.0
SCHEMA = Schema((Column("age", "integer", dtype="int64"), Column("sex", "categorical")))


def wave(length: int = 300, leads: int = 2, *, phase: float = 0.0) -> np.ndarray:
    """(length, leads) float32 in steps of 1/200 mV, each lead a sine of its own."""
    time = np.arange(length)[:, None] / RATE
    exact = np.sin(2 * np.pi * (1.3 + np.arange(leads)) * time + phase)
    return (np.round(exact * 200) / 200).astype(np.float32)


def recording(name: str = "r1", *, fmt: str = "16", values: np.ndarray | None = None, **others: object) -> Recording:
    """A recording of leads I, II, ... with two rhythms and a beat in each second."""
    held = wave() if values is None else values
    names = ("I", "II", "III", "V1")[: held.shape[1]]
    at = np.arange(50, len(held), 100)
    beats = Marks(at, np.resize(np.array(["N", "V", "N", "A"], dtype=object), len(at)))
    states = Marks(np.array([0, len(held) // 2]), np.array(["N", "AFIB"], dtype=object))
    parts = {"rate": RATE, "leads": tuple(Lead(n, fmt=fmt) for n in names), "beats": beats, "states": states}
    return Recording(name=name, length=len(held), values=lambda: held, **{**parts, **others})


def recordings(count: int = 3, *, fmt: str = "16") -> Recordings:
    """A set of them with age and sex; the last age is missing."""
    made = tuple(recording(f"r{i}", fmt=fmt, values=wave(phase=i)) for i in range(count))
    frame = pd.DataFrame(
        {
            "age": [*np.arange(40.0, 39.0 + count), np.nan],
            "sex": pd.Categorical(["female", "male"] * count, categories=pd.Index(["female", "male"], dtype="str"))[
                :count
            ],
        }
    )
    return Recordings(SCHEMA, frame, made, np.arange(count))


def same_marks(first: Marks, second: Marks) -> bool:
    """Whether two sets of marks are the same."""
    return first.at.tolist() == second.at.tolist() and list(first.symbol) == list(second.symbol)
