"""A number or date that is never below others: it is kept as the non-negative step from the highest of them.

Dates of unequal precision are compared at the precision of the higher one: 14:30 is not after that day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from semblance.core.schema import Column, Schema
from semblance.modalities.table.codes import snapped, unit_of
from semblance.modalities.table.relations.relation import Frame, Values, derived, numbers, within

NEAR = 1e-6


@dataclass(frozen=True)
class Above:
    """`high` is at least every one of `lows`, and above those that are `strictly` lower.

    It is a multiple of `unit` (0: of none). `fields` are the step from the least value that it may have, in units where
    it is a date, and its own value in records that know none of `lows`, where there are any.
    """

    high: str
    lows: tuple[str, ...]
    strictly: tuple[str, ...]
    date: bool
    unit: float
    min: float | None
    max: float | None
    fields: tuple[Column, ...]

    @classmethod
    def fit(
        cls, schema: Schema, frame: Frame, high: str, lows: tuple[str, ...], strictly: tuple[str, ...], *, rare: int = 1
    ) -> Above:
        """The relation between these columns of a frame.

        A precision that fewer than `rare` records have is not that of what is drawn. With 1 every record is compared
        as it is written, as a check of records must.
        """
        column = schema[high]
        unit = unit_of(column, numbers(frame, high), rare=rare)
        made = cls(high, lows, strictly, column.kind == "date", unit, column.min, column.max, ())
        alone = ~np.isfinite(made._least(frame)) & ~np.isnan(numbers(frame, high))
        own = replace(column, name=derived(schema, high, "alone"), role="feature")
        return replace(made, fields=(made._step(schema), *([own] if alone.any() else [])))

    @property
    def owns(self) -> tuple[str, ...]:
        return (self.high,)

    @property
    def needs(self) -> tuple[str, ...]:
        return self.lows

    def _step(self, schema: Schema) -> Column:
        what = f"after {self.lows[-1]}" if self.date else f"above {self.lows[-1]}"
        whole = (self.date and self.unit >= 1) or schema[self.high].kind == "integer"
        decimals = 0 if whole else 6 if self.date else schema[self.high].decimals
        return Column(derived(schema, self.high, what), "integer" if whole else "numeric", decimals=decimals)

    @property
    def _scale(self) -> float:
        return self.unit if self.date and self.unit >= 1 else 1.0

    def reduce(self, frame: Frame) -> dict[str, Values]:
        high, least = numbers(frame, self.high), self._least(frame)
        known = np.isfinite(least)
        with np.errstate(invalid="ignore"):
            step = snapped((high - least) / self._scale, 1.0 if self._scale > 1 else self.unit)
        values = (np.where(known, step, np.nan), np.where(known, np.nan, high))
        return {field.name: value for field, value in zip(self.fields, values, strict=False)}

    def restore(self, frame: Frame) -> dict[str, Values]:
        least = self._least(frame)
        known = np.isfinite(least)
        step = np.maximum(numbers(frame, self.fields[0].name), 0.0) * self._scale
        alone = numbers(frame, self.fields[1].name) if len(self.fields) > 1 else np.full(len(step), np.nan)
        with np.errstate(invalid="ignore"):
            high = snapped(np.where(known, least + step, alone), self.unit)
        high = within(high, self.min, self.max)
        return {self.high: np.where(np.isnan(least), high, np.maximum(high, least))}

    def broken(self, frame: Frame) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            broken: np.ndarray = numbers(frame, self.high) < self._least(frame)
        return broken

    def _least(self, frame: Frame) -> np.ndarray:
        """(n,) the least value that the higher may have, NaN where no lower is known."""
        each = [self._next(numbers(frame, low), strict=low in self.strictly) for low in self.lows]
        least: np.ndarray = np.fmax.reduce(each)
        return least

    def _next(self, low: np.ndarray, *, strict: bool) -> np.ndarray:
        if not self.unit:
            return np.nextafter(low, np.inf) if strict else low
        steps = low / self.unit
        near = np.isclose(steps, np.round(steps), rtol=1e-12, atol=NEAR)
        steps = np.where(near, np.round(steps), np.floor(steps))
        steps = steps + 1 if strict else steps if self.date else np.where(near, steps, steps + 1)
        return snapped(steps * self.unit, self.unit)
