"""Recordings of patients, and the pieces of them (beats or windows) on which generators learn and judges look.

A recording is samples x leads in physical units at one rate, with marks: beats (a mark at each R peak) and states (a
mark where a state begins: a rhythm, eyes closed). Samples stay on disk until they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd

from semblance.core.errors import UsageError
from semblance.core.facts import stacked
from semblance.core.schema import Schema


@dataclass(frozen=True)
class Lead:
    """One channel: `name`, `unit`, and how a file holds it: digital = round(value * gain) + baseline.

    `fmt` is how a file stores it: a WFDB format ('16', '212'), or another of the input's format. Its converter gives
    numbers of so many `bits` around the `middle`; 0 bits where a file does not tell them.
    """

    name: str
    unit: str = "mV"
    gain: float = 200.0
    baseline: int = 0
    fmt: str = "16"
    bits: int = 0
    middle: int = 0


@dataclass(frozen=True, eq=False)
class Marks:
    """Marks in time: `at` (k,) int64 sample numbers in order, `symbol` (k,) text."""

    at: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    symbol: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=object))

    def __post_init__(self) -> None:
        if len(self.at) != len(self.symbol) or (np.diff(self.at) < 0).any():
            raise ValueError("marks stand in order, each with its symbol")

    def __len__(self) -> int:
        return len(self.at)

    def take(self, rows: np.ndarray) -> Marks:
        """The marks at these positions (or under this mask)."""
        return Marks(self.at[rows], self.symbol[rows])

    def state_at(self, sample: np.ndarray) -> np.ndarray:
        """(n,) text: the state in force at each sample; empty before the first mark."""
        found = np.searchsorted(self.at, sample, side="right") - 1
        return np.where(found >= 0, self.symbol[np.maximum(found, 0)], "") if len(self) else np.full(len(sample), "")


@dataclass(frozen=True, eq=False)
class Recording:
    """`length` samples of `leads` at `rate` Hz. `values()` gives (length, leads) float32, NaN where none was measured.

    An empty symbol among `states` says that no state is in force from there on.
    """

    name: str
    rate: float
    leads: tuple[Lead, ...]
    length: int
    values: Callable[[], np.ndarray]
    beats: Marks = field(default_factory=Marks)
    states: Marks = field(default_factory=Marks)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.length / self.rate


@dataclass(frozen=True)
class Public:
    """What was declared of recordings so that nothing has to be looked up in them: their `rate` (Hz), `leads`, the
    lowest and the highest value of each (`ranges`), how many `seconds` a made one has, and the `kinds` of beats, the
    usual one first."""

    rate: float
    leads: tuple[Lead, ...]
    ranges: tuple[tuple[float, float], ...]
    seconds: float
    kinds: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Recordings:
    """Recordings under a schema.

    `frame` (n, learned columns, in the schema's order) holds what is known of each as a whole, as tables hold it:
    numbers as float64, all else as pandas Categorical. `subjects` (n,) int64 codes of patients.
    """

    schema: Schema
    frame: pd.DataFrame
    recordings: tuple[Recording, ...]
    subjects: np.ndarray
    public: Public | None = None
    """What was declared, where the schema is public."""
    band: tuple[float, float] | None = None
    """The lowest and the highest frequency (Hz) that were kept, where a person declared them."""

    def __post_init__(self) -> None:
        if list(self.frame.columns) != [column.name for column in self.schema.learned]:
            raise ValueError("the frame holds exactly the learned columns, in the schema's order")
        if not len(self.subjects) == len(self.frame) == len(self.recordings):
            raise ValueError("every recording has a patient and a row of the frame")

    def __len__(self) -> int:
        return len(self.recordings)

    def take(self, rows: np.ndarray) -> Self:
        """The recordings at these positions (or under this mask); nothing is read for it."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        return type(self)(
            self.schema,
            self.frame.iloc[rows].reset_index(drop=True),
            tuple(self.recordings[i] for i in rows),
            self.subjects[rows],
            self.public,
            self.band,
        )


@dataclass(frozen=True, eq=False)
class Pieces:
    """Beats or windows of recordings, all alike: `waves` (n, leads, samples) float32 in physical units.

    `frame` has the piece's label (the schema's target), for beats the seconds since the beat before and to the beat
    after, and what is known of its recording. `source` (n,) numbers the recordings; the pieces of one stand in order of
    time. `subjects` (n,) are the patients of these. `recordings` are those that `source` numbers, where they are at
    hand.
    """

    schema: Schema
    frame: pd.DataFrame
    waves: np.ndarray
    rate: float
    leads: tuple[Lead, ...]
    source: np.ndarray
    subjects: np.ndarray
    recordings: tuple[Recording, ...] = ()

    def __len__(self) -> int:
        return len(self.waves)

    def take(self, rows: np.ndarray) -> Self:
        """The pieces at these positions (or under this mask)."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        return type(self)(
            self.schema,
            self.frame.iloc[rows].reset_index(drop=True),
            self.waves[rows],
            self.rate,
            self.leads,
            self.source[rows],
            self.subjects[rows],
            self.recordings,
        )

    @property
    def labels(self) -> np.ndarray:
        """(n,) text: the label of each piece; all empty where pieces have none."""
        target = self.schema.where("target")
        return np.full(len(self), "") if target is None else self.frame[target.name].astype(str).to_numpy()


BEFORE, AFTER = "rr_before", "rr_after"
"""Columns of beats: seconds since the beat before, and to the beat after."""


def concat(chunks: Iterable[Recordings]) -> Recordings:
    """The recordings of all parts under the first one's schema; their `subjects` number the same patients alike."""
    parts = list(chunks)
    if not parts:
        raise UsageError.of("no recordings", rule="at least one is needed to join", fix="give one or more parts")
    frame = stacked([part.frame for part in parts])
    return Recordings(
        parts[0].schema,
        frame,
        tuple(one for part in parts for one in part.recordings),
        np.concatenate([part.subjects for part in parts]),
        band=parts[0].band,
    )
