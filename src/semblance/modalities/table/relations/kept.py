"""A table's relations, as they are restored: what one needs is owned by none that stands after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.schema import Column, Schema
from semblance.modalities.table.relations.above import Above
from semblance.modalities.table.relations.calendar import Calendar
from semblance.modalities.table.relations.computed import Linear, Lookup, Sum
from semblance.modalities.table.relations.joint import Joint
from semblance.modalities.table.relations.relation import Frame, Relation, Values, numbers, plain, revived, within

KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (Above, Calendar, Joint, Linear, Lookup, Sum)}


@dataclass(frozen=True)
class Relations:
    """`parts` are kept by construction. `checks` are declared as well, but can only be looked at.

    Of the parts, those that own one of `found` were found, and the others were declared.
    """

    parts: tuple[Relation, ...] = ()
    checks: tuple[Relation, ...] = ()
    found: tuple[str, ...] = ()

    def fields(self, schema: Schema) -> tuple[Column, ...]:
        """The columns that are coded: what a relation puts in stands where its first column stood."""
        first = {min(part.owns, key=schema.names.index): part.fields for part in self.parts}
        owned = {name for part in self.parts for name in part.owns}
        return tuple(field for c in schema.learned for field in first.get(c.name, () if c.name in owned else (c,)))

    def reduce(self, frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
        """(n, fields) the coded columns."""
        made: dict[str, Any] = {name: frame[name] for name in frame.columns}
        for part in self.parts:
            made |= part.reduce(frame)
        return pd.DataFrame({c.name: made[c.name] for c in self.fields(schema)}, index=frame.index)

    def restore(self, values: Frame, schema: Schema) -> dict[str, Values]:
        """The columns of the schema from those that are coded; a declared bound is kept by clipping."""
        bounded = {c.name: c for c in schema.learned if c.continuous and (c.min is not None or c.max is not None)}
        made = dict(values)
        for name in bounded.keys() & made.keys():
            made[name] = within(numbers(made, name), bounded[name].min, bounded[name].max)
        for part in self.parts:
            made |= part.restore(made)
        return {c.name: made[c.name] for c in schema.learned}

    def broken(self, frame: Frame, *, n: int) -> np.ndarray:
        """(n,) bool: the records that break a declared relation."""
        broken = np.zeros(n, dtype=bool)
        for part in (*self.parts, *self.checks):
            if not set(part.owns) & set(self.found):
                broken |= part.broken(frame)
        return broken

    def kept(self, name: str) -> tuple[str, ...] | None:
        """The values of a column that occur in a joint; None where it is in none."""
        return next((p.kept(name) for p in self.parts if isinstance(p, Joint) and name in p.owns), None)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        listed = {key: [_plain(part) for part in getattr(self, key)] for key in ("parts", "checks")}
        return {**listed, "found": list(self.found)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Relations:
        """The inverse of `to_json`."""
        parts, checks = (tuple(revived(KINDS[e["relation"]], e) for e in data[key]) for key in ("parts", "checks"))
        return cls(parts, checks, tuple(data["found"]))


def _plain(part: Relation) -> dict[str, Any]:
    return {"relation": type(part).__name__, **plain(part)}


def in_order(parts: Iterable[Relation]) -> tuple[Relation, ...] | None:
    """The relations such that each stands after those that restore what it needs; None where they go in a circle."""
    waiting, done = list(parts), []
    while waiting:
        missing = {name for part in waiting for name in part.owns}
        ready = [part for part in waiting if not missing.intersection(part.needs)]
        if not ready:
            return None
        done += ready
        waiting = [part for part in waiting if part not in ready]
    return tuple(done)
