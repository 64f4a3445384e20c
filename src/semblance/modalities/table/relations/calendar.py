"""A date as its day, weekday, month and time of day, so that the rhythm of a hospital survives wide bins of days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from semblance.core.schema import Column, Schema
from semblance.modalities.table.codes import DAY, snapped, unit_of
from semblance.modalities.table.relations.relation import Frame, Values, derived, labels, numbers, within

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FIRST_HALF = ("January", "February", "March", "April", "May", "June")
MONTHS = (*_FIRST_HALF, "July", "August", "September", "October", "November", "December")


@dataclass(frozen=True)
class Calendar:
    """The parts of the column `date` that are kept beside its day: any of "weekday", "month", "time"."""

    date: str
    parts: tuple[str, ...]
    unit: float
    min: float | None
    max: float | None
    fields: tuple[Column, ...]

    @classmethod
    def fit(cls, schema: Schema, frame: Frame, name: str, parts: tuple[str, ...], *, rare: int = 1) -> Calendar:
        """The calendar of a column of dates. A precision that fewer than `rare` records have is not the column's."""
        column, unit = schema[name], unit_of(schema[name], numbers(frame, name), rare=rare)
        day = Column(name, "date", column.role, date_format="%Y-%m-%d")
        fields = tuple(_field(derived(schema, name, part), part, unit) for part in parts)
        return cls(name, parts, unit, column.min, column.max, (day, *fields))

    @property
    def owns(self) -> tuple[str, ...]:
        return (self.date,)

    @property
    def needs(self) -> tuple[str, ...]:
        return ()

    def reduce(self, frame: Frame) -> dict[str, Values]:
        seconds = numbers(frame, self.date)
        days = np.floor(seconds / DAY)
        made = {"time": snapped((seconds - days * DAY) / self._scale, 1.0 if self.unit >= 1 else 0.0)}
        values = [made[part] if part == "time" else _labels(days, part) for part in self.parts]
        names = (field.name for field in self.fields)
        return dict(zip(names, (days * DAY, *values), strict=True))

    def restore(self, frame: Frame) -> dict[str, Values]:
        days = np.floor(numbers(frame, self.date) / DAY)
        named = dict(zip(self.parts, (field.name for field in self.fields[1:]), strict=True))
        month = _drawn(frame, named.get("month"), MONTHS, days)
        weekday = _drawn(frame, named.get("weekday"), WEEKDAYS, days)
        seconds = _matching(days, month, weekday) * DAY
        if "time" in named:
            time = np.nan_to_num(numbers(frame, named["time"])) * self._scale
            seconds = seconds + np.clip(time, 0, DAY - max(self.unit, 1e-6))
        return {self.date: within(seconds, self.min, self.max)}

    def broken(self, frame: Frame) -> np.ndarray:
        return np.zeros(len(numbers(frame, self.date)), dtype=bool)

    @property
    def _scale(self) -> float:
        return max(self.unit, 1.0)


def _field(name: str, part: str, unit: float) -> Column:
    if part == "time":
        return Column(name, "integer") if unit >= 1 else Column(name, "numeric", decimals=6)
    listed = WEEKDAYS if part == "weekday" else MONTHS
    return Column(name, "categorical", categories=listed, bound="declared")


def place_in(days: np.ndarray, part: str) -> np.ndarray:
    """(n,) the weekday (Monday 0) or month (January 0) of days since 1970-01-01, -1 where there is none."""
    known = np.isfinite(days)
    whole = np.where(known, days, 0).astype(np.int64)
    place = (whole + 3) % 7 if part == "weekday" else _months(whole) % 12
    return np.where(known, place, -1)


def _labels(days: np.ndarray, part: str) -> pd.Categorical:
    return pd.Categorical.from_codes(place_in(days, part), categories=list(WEEKDAYS if part == "weekday" else MONTHS))


def _drawn(frame: Frame, name: str | None, listed: tuple[str, ...], days: np.ndarray) -> np.ndarray | None:
    """(n,) the places that were drawn, -1 where none was; None where the part is not kept."""
    if name is None:
        return None
    values = labels(frame, name)
    place_of = np.array([*(listed.index(str(c)) if c in listed else -1 for c in values.categories), -1])
    return np.where(np.isfinite(days), place_of[np.asarray(values.codes)], -1)


def _months(days: np.ndarray) -> np.ndarray:
    """Months since 1970-01."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _first_day(months: np.ndarray) -> np.ndarray:
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _matching(days: np.ndarray, month: np.ndarray | None, weekday: np.ndarray | None) -> np.ndarray:
    """(n,) the nearest days of that month and weekday; NaN stays NaN."""
    known = np.isfinite(days)
    near = np.where(known, days, 0).astype(np.int64)
    low, high = near - 3, near + 3
    if month is not None:
        near, low, high = _in_month(near, np.where(month < 0, _months(near) % 12, month))
    if weekday is not None:
        near = _on_weekday(near, weekday, low, high)
    return np.where(known, near, np.nan)


def _in_month(days: np.ndarray, month: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n,) the nearest days of the months of a year, and the first and last days of those months."""
    year = _months(days) // 12
    begun = [(year + k) * 12 + month for k in (0, -1, 1)]
    spans = [(_first_day(m), _first_day(m + 1) - 1) for m in begun]
    candidates = np.stack([np.clip(days, low, high) for low, high in spans])
    best = np.argmin(np.abs(candidates - days), axis=0)[None]
    low, high = (np.take_along_axis(np.stack(side), best, axis=0)[0] for side in zip(*spans, strict=True))
    return np.take_along_axis(candidates, best, axis=0)[0], low, high


def _on_weekday(days: np.ndarray, weekday: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(n,) the nearest days from `low` to `high` that are on a weekday; any month has one within six days."""
    ahead = np.where(weekday < 0, 0, (weekday - (days + 3)) % 7)
    later, earlier = days + ahead, days + ahead - 7
    nearer = np.where((ahead > 3) & (weekday >= 0), earlier, later)
    farther = np.where(nearer == later, earlier, later)
    inside = (nearer >= low) & (nearer <= high)
    fits = (farther >= low) & (farther <= high)
    return np.where(inside | ~fits | (weekday < 0), nearer, farther)
