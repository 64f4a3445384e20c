"""What every relation between columns can do.

A relation owns columns: it replaces them by `fields` that cannot break it, and restores them from these and from
columns that it needs. `reduce` looks at whole records, so that the order of relations matters for `restore` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Protocol, TypeVar

import numpy as np
import pandas as pd

from semblance.core.schema import Column, Schema

Values = Any
"""(n,) float64 values of numbers and dates, or a pandas Categorical."""
Frame = Mapping[str, Any]
R = TypeVar("R")


class Relation(Protocol):
    """A frozen, JSON-able dataclass. Frames map names of columns to (n,) values, as a Table's frame does."""

    @property
    def owns(self) -> tuple[str, ...]:
        """The columns that it restores."""
        ...

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns that it restores them from, beside its own fields."""
        ...

    @property
    def fields(self) -> tuple[Column, ...]:
        """The columns that are coded instead of `owns`."""
        ...

    def reduce(self, frame: Frame) -> dict[str, Values]:
        """The values of `fields`."""
        ...

    def restore(self, frame: Frame) -> dict[str, Values]:
        """The values of `owns`, from those of `fields` and `needs`: the inverse of `reduce`."""
        ...

    def broken(self, frame: Frame) -> np.ndarray:
        """(n,) bool: the records that break it."""
        ...


def numbers(frame: Frame, name: str) -> np.ndarray:
    """(n,) float64 values of a column of numbers or dates."""
    return np.asarray(frame[name], dtype=float)


def labels(frame: Frame, name: str) -> pd.Categorical:
    """(n,) values of any other column."""
    return pd.Categorical(frame[name])


def derived(schema: Schema, column: str, what: str) -> str:
    """The name of a field, such as "discharged (after admitted)", that no column of the data has."""
    name = f"{column} ({what})"
    while name in schema.names:
        name = f"({name})"
    return name


def plain(relation: Any) -> dict[str, Any]:
    """A relation's fields as plain JSON."""
    return {**asdict(relation), "fields": Schema(relation.fields).to_json()["columns"]}


def revived(kind: type[R], data: Mapping[str, Any]) -> R:
    """The inverse of `plain`."""
    said = {f.name: _tuples(data[f.name]) for f in fields(kind)}  # type: ignore[arg-type]
    return kind(**{**said, "fields": Schema.from_json({"columns": data["fields"]}).columns})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def within(values: np.ndarray, low: float | None, high: float | None) -> np.ndarray:
    """(n,) the values, moved to the nearer bound where they lie outside; None is no bound."""
    clipped: np.ndarray = np.clip(values, -np.inf if low is None else low, np.inf if high is None else high)
    return clipped
