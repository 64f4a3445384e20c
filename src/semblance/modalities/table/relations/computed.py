"""Columns that others decide: sums, conversions of units, numbers looked up. They are dropped, and computed again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from semblance.core.schema import Column, Schema
from semblance.modalities.table.codes import snapped, unit_of
from semblance.modalities.table.relations.relation import Frame, Values, derived, labels, numbers

CLOSE = 1e-9


@dataclass(frozen=True)
class Computed:
    """`child` is computed from other columns and is a multiple of `unit` (0: of none).

    `fields` is empty where the child is known whenever it can be computed, and only then. Else it is one column: 0
    where the child is computed, missing where it is missing, and its own value where it cannot be computed.
    """

    child: str
    unit: float
    fields: tuple[Column, ...]

    def settle(self, schema: Schema, frame: Frame) -> Self:
        """The same relation with the field that these records need."""
        child, made = numbers(frame, self.child), self.computed(frame)
        if (np.isnan(child) == np.isnan(made)).all():
            return self
        name = derived(schema, self.child, "alone")
        own = replace(schema[self.child], name=name, role="feature", min=None, max=None)
        return replace(self, fields=(own if own.kind != "date" else Column(name, "numeric"),))

    def exact(self, frame: Frame) -> np.ndarray:
        """(n,) the child as it follows from the others before it is rounded, NaN where it does not."""
        raise TypeError(f"{type(self).__name__} does not say how it is computed")

    def computed(self, frame: Frame) -> np.ndarray:
        """(n,) the child as it is written."""
        with np.errstate(invalid="ignore"):
            return snapped(self.exact(frame), self.unit)

    @property
    def owns(self) -> tuple[str, ...]:
        return (self.child,)

    def reduce(self, frame: Frame) -> dict[str, Values]:
        child, known = numbers(frame, self.child), np.isfinite(self.computed(frame))
        return {field.name: np.where(known & ~np.isnan(child), 0.0, child) for field in self.fields}

    def restore(self, frame: Frame) -> dict[str, Values]:
        made = self.computed(frame)
        if not self.fields:
            return {self.child: made}
        own = numbers(frame, self.fields[0].name)
        return {self.child: np.where(np.isfinite(made), np.where(np.isnan(own), np.nan, made), own)}

    def broken(self, frame: Frame) -> np.ndarray:
        child, made = numbers(frame, self.child), self.exact(frame)
        with np.errstate(invalid="ignore"):
            apart = np.abs(child - made) > self.unit / 2 + CLOSE * np.maximum(np.abs(child), np.abs(made))
        broken: np.ndarray = apart & np.isfinite(made)
        return broken


@dataclass(frozen=True)
class Sum(Computed):
    """The child is the sum of `parts`."""

    parts: tuple[str, ...]

    @classmethod
    def fit(cls, schema: Schema, frame: Frame, total: str, parts: tuple[str, ...]) -> Sum:
        """The sum of these columns of a frame."""
        # As fine as any record: the total follows to its last digit, and what is drawn is as fine as its parts are.
        unit = unit_of(schema[total], numbers(frame, total), rare=1)
        return cls(total, unit, (), parts).settle(schema, frame)

    @property
    def needs(self) -> tuple[str, ...]:
        return self.parts

    def exact(self, frame: Frame) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            total: np.ndarray = np.sum([numbers(frame, part) for part in self.parts], axis=0)
        return total


@dataclass(frozen=True)
class Linear(Computed):
    """The child is `slope` * parent + `offset`."""

    parent: str
    slope: float
    offset: float

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.parent,)

    def exact(self, frame: Frame) -> np.ndarray:
        return self.slope * numbers(frame, self.parent) + self.offset


@dataclass(frozen=True)
class Lookup(Computed):
    """The child has one value for each value of a column of texts, `values[i]` for `texts[i]` (None: missing).

    Texts that too few patients hold have no place here; they have the value `other`.
    """

    parent: str
    texts: tuple[str | None, ...]
    values: tuple[float | None, ...]
    other: float | None

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.parent,)

    def exact(self, frame: Frame) -> np.ndarray:
        parents = labels(frame, self.parent)
        value_of = dict(zip(self.texts, self.values, strict=True))
        listed = [value_of.get(text, self.other) for text in (*map(str, parents.categories), None)]
        found = np.array([np.nan if value is None else value for value in listed])
        made: np.ndarray = found[np.asarray(parents.codes)]
        return made
