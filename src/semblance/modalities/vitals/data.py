"""Stays of patients: what was measured as (minute, channel, value), whenever it was, and what is known of each stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from semblance.core.errors import UsageError
from semblance.core.facts import stacked
from semblance.core.schema import Schema
from semblance.modalities.vitals.declare import CLOCKS, SILENT, Said

Clock = Literal["minutes", "hours", "HH:MM", "timestamps"]


@dataclass(frozen=True)
class Channel:
    """What is measured: its `name`, its `unit` where one is known, and the `decimals` of its values."""

    name: str
    unit: str = ""
    decimals: int = 0


@dataclass(frozen=True)
class Layout:
    """How files hold stays: `long` (a row per value) and `table` (a row per stay; None where there is no such file).

    `record`, `time`, `channel`, `value` and `unit` name columns of the long file, `clock` says how it tells times,
    `early` lists the facts that stand there as values of minute 0, and `columns` tells the order of the columns. `key`
    is what the table calls the stay (None: as the long file does), `told` its columns in order, and `grain` the minutes
    between two times that the file can tell apart.
    """

    long: str = "stays.vitals.csv"
    table: str | None = "stays.csv"
    record: str = "stay"
    time: str = "minute"
    channel: str = "channel"
    value: str = "value"
    unit: str | None = None
    clock: Clock = "minutes"
    early: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    key: str | None = None
    told: tuple[str, ...] = ()
    grain: float = 1.0

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Layout:
        """The inverse of `to_json`. Raises ValueError for a clock that is none."""
        if told.get("clock", "minutes") not in CLOCKS:
            raise ValueError(f"no clock '{told['clock']}'")
        lists = {name: tuple(told.get(name, ())) for name in ("early", "columns", "told")}
        return cls(**{**told, **lists})


@dataclass(frozen=True)
class Public:
    """What is declared of stays for differential privacy: `limits` of the values of each channel, `panels` of channels
    that are measured together (each is in one of them, by its code), and so many minutes, the `horizon`, in bins of
    `step` minutes."""

    limits: tuple[tuple[float, float], ...]
    panels: tuple[tuple[int, ...], ...]
    horizon: float
    step: float

    @property
    def bins(self) -> int:
        """How many bins there are."""
        return max(round(self.horizon / self.step), 1)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Public:
        """The inverse of `to_json`."""
        limits, panels = (tuple(map(tuple, told[name])) for name in ("limits", "panels"))
        return cls(limits, panels, told["horizon"], told["step"])


@dataclass(frozen=True, eq=False)
class Stays:
    """Stays under a schema.

    `frame` (n, learned columns, in the schema's order) holds what is known of each as a whole, as tables hold it:
    numbers as float64, all else as pandas Categorical. The measurements of stay i are those from `starts[i]` up to
    `starts[i + 1]`, in order of time: `minute` (m,) float64 since the stay began, `channel` (m,) codes among
    `channels`, `value` (m,) float64. `subjects` (n,) int64 codes of patients. `said` is what was declared of them,
    `public` what they were read under where nothing else may be known of them.
    """

    schema: Schema
    frame: pd.DataFrame
    channels: tuple[Channel, ...]
    starts: np.ndarray
    minute: np.ndarray
    channel: np.ndarray
    value: np.ndarray
    subjects: np.ndarray
    layout: Layout = Layout()
    said: Said = SILENT
    public: Public | None = None

    def __post_init__(self) -> None:
        if list(self.frame.columns) != [column.name for column in self.schema.learned]:
            raise ValueError("the frame holds exactly the learned columns, in the schema's order")
        if not len(self.subjects) == len(self.frame) == len(self.starts) - 1:
            raise ValueError("every stay has a patient, a row of the frame, and a place where it begins")
        if not len(self.minute) == len(self.channel) == len(self.value) == self.starts[-1]:
            raise ValueError("every measurement has a time, a channel and a value")

    def __len__(self) -> int:
        return len(self.subjects)

    def take(self, rows: np.ndarray) -> Self:
        """The stays at these positions (or under this mask)."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        size = np.diff(self.starts)[rows]
        starts = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
        place = np.repeat(self.starts[:-1][rows] - starts[:-1], size) + np.arange(starts[-1])
        return type(self)(
            self.schema,
            self.frame.iloc[rows].reset_index(drop=True),
            self.channels,
            starts,
            self.minute[place],
            self.channel[place],
            self.value[place],
            self.subjects[rows],
            self.layout,
            self.said,
            self.public,
        )

    def coded(self, channels: tuple[Channel, ...]) -> Self:
        """The same stays with the channels of others, by name; measurements of further channels are left out."""
        if self.names == tuple(channel.name for channel in channels):
            return self
        code = pd.Index([channel.name for channel in channels]).get_indexer(pd.Index(self.names))[self.channel]
        return replace(self.kept(code >= 0), channels=channels, channel=code[code >= 0])

    def kept(self, mask: np.ndarray) -> Self:
        """The measurements under a mask (m,), of all stays."""
        size = np.bincount(self.stay[mask], minlength=len(self))
        starts = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
        parts = {name: getattr(self, name)[mask] for name in ("minute", "channel", "value")}
        return replace(self, starts=starts, **parts)

    @cached_property
    def stay(self) -> np.ndarray:
        """(m,) the stay of each measurement."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    @cached_property
    def moment(self) -> np.ndarray:
        """(m,) the number of the moment of each measurement: one time of one stay."""
        if not len(self.minute):
            return np.empty(0, dtype=np.int64)
        begins = (np.diff(self.stay, prepend=-1) != 0) | (np.diff(self.minute, prepend=-1.0) != 0)
        return np.cumsum(begins) - 1

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the channels."""
        return tuple(channel.name for channel in self.channels)


def concat(chunks: Iterable[Stays]) -> Stays:
    """The stays of all parts under the first one's schema; their `subjects` number the same patients alike."""
    parts = list(chunks)
    if not parts:
        raise UsageError.of("no stays", rule="at least one part is needed to join", fix="give one or more parts")
    frame = stacked([part.frame for part in parts])
    sizes = np.concatenate([np.diff(part.starts) for part in parts])
    return Stays(
        parts[0].schema,
        frame,
        parts[0].channels,
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.concatenate([part.minute for part in parts]),
        np.concatenate([part.channel for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.subjects for part in parts]),
        parts[0].layout,
        parts[0].said,
        parts[0].public,
    )
