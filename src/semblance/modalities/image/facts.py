"""What is known of an image besides its pixels: its label and further columns, drawn together, and told to networks.

Columns are one Gaussian of scores (`learn.person`). A network is told a number in units of its spread, a category by an
indicator of each level, and whether a number is missing. No level and no number of fewer than `rare` patients is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.errors import UsageError
from semblance.core.facts import framed
from semblance.core.model import Wanted
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.learn.asked import Asked, Columns
from semblance.learn.person import Limits, Person, Scale

TRIED = 256
"""Combinations of shares, at most, of which one image is drawn before anything is learned."""


@dataclass(frozen=True, eq=False)
class Facts:
    """The `columns`, the label among them where one is learned, and the `person` that has them."""

    columns: tuple[Column, ...]
    person: Person

    @classmethod
    def fit(cls, schema: Schema, frame: pd.DataFrame, subjects: np.ndarray, *, labelled: bool, rare: int) -> Facts:
        """From the frame of images of patients (n,); of those that are not `labelled`, without the label."""
        columns = tuple(c for c in schema.learned if c.kind != "text" and (labelled or c.role != "target"))
        names = [column.name for column in columns]
        return cls(columns, Person.fit(frame[names], np.zeros((len(frame), 0)), subjects, rare=rare))

    @property
    def width(self) -> int:
        """How many numbers tell what is known besides the label."""
        return sum(_width(scale) for scale in self._further)

    @property
    def _further(self) -> list[Scale]:
        """The scales of what is no label."""
        return [s for s, column in zip(self.person.scales, self.columns, strict=True) if column.role != "target"]

    def told(self, frame: pd.DataFrame) -> np.ndarray:
        """(n, width) float32 numbers that tell what is known besides the label."""
        parts = [_told(scale, frame[scale.name]) for scale in self._further]
        return np.concatenate([np.zeros((len(frame), 0)), *parts], 1, dtype=np.float32)

    def asked(self, wanted: Wanted | None) -> Asked | None:
        """What is wanted, in the terms of a person. Raises UsageError with all that cannot be had."""
        if not wanted:
            return None
        reading = Columns(self.person, {c.name: 10.0**-c.decimals for c in self.columns if c.continuous})
        for part in ("fair_on", "do"):
            if getattr(wanted, part):
                reading.say(f"{part} of images", "images can be given, have quotas and be shifted", "leave it out")
        limits, moved = Limits(), dict[int, float]()
        for name, condition in wanted.given.items():
            limits = limits.and_also(reading.limits(name, condition))
        quotas = tuple(reading.quota(name, quota) for name, quota in wanted.quota.items())
        for name, shift in wanted.shift.items():
            if isinstance(shift, Mapping):
                reading.say("odds of values", "images have quotas instead", f"--quota {name}=balanced", name)
            elif (place := reading.place(name)) is not None:
                moved |= reading.moved(place, shift)
        if reading.problems:
            raise UsageError(*reading.problems)
        return Asked(limits.and_also(Limits(moved=moved)), quotas)

    def tried(self, asked: Asked | None) -> None:
        """Raise UsageError where nobody is as shares of several columns have it together, before anything is learned:
        they are dealt independently, so that some images will be so."""
        parts = [] if asked is None else [[one for share, one in quota if share > 0] for quota in asked.quotas]
        for i, chosen in enumerate(islice(product(*parts), TRIED)):
            limits = Limits() if asked is None else asked.limits
            for one in chosen:
                limits = limits.and_also(one)
            self.person.draw(1, rng=stream(0, "tried", i), limits=limits)

    def each(
        self, n: int, asked: Asked | None, *, together: int, seed: int, name: str
    ) -> Iterator[tuple[int, pd.DataFrame]]:
        """Of `n` images so many `together`: the number of the first one, and the columns of (together,) images; those
        beyond the last are of none. Without quotas the first ones do not depend on how many follow."""
        asked = Asked() if asked is None else asked
        every = asked.of_each(n, rng=stream(seed, "quotas")) if asked.quotas else [asked.limits]
        for first in range(0, n, together):
            own = [every[(first + i) % len(every)] for i in range(together)]
            yield first, self._drawn(own, rng=stream(seed, name, first))

    def _drawn(self, each: list[Limits], *, rng: np.random.Generator) -> pd.DataFrame:
        """The columns of new images, one within each of the limits."""
        alike = dict[Any, list[int]]()
        for i, limits in enumerate(each):
            key = tuple(tuple(sorted(part.items())) for part in (limits.spans, limits.gone, limits.moved))
            alike.setdefault(key, []).append(i)
        parts = [self.person.draw(len(rows), rng=rng, limits=each[rows[0]])[0] for rows in alike.values()]
        order = np.argsort(np.concatenate(list(alike.values())))
        return framed({c.name: _column(c, s, parts, order) for c, s in self._both}, len(each))

    @property
    def _both(self) -> list[tuple[Column, Scale]]:
        return list(zip(self.columns, self.person.scales, strict=True))

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, without the columns: they are the schema's."""
        numbers = {name: array.tolist() for name, array in self.person.arrays().items()}
        return {"names": [c.name for c in self.columns], "scales": self.person.to_json(), **numbers}

    @classmethod
    def from_json(cls, told: Mapping[str, Any], schema: Schema) -> Facts:
        """The inverse of `to_json`."""
        arrays = {name: np.array(told[name], dtype=float) for name in ("person.mean", "person.root")}
        return cls(tuple(schema[name] for name in told["names"]), Person.restored(told["scales"], arrays))


def _column(column: Column, scale: Scale, parts: list[pd.DataFrame], order: np.ndarray) -> Any:
    """(n,) a column as a frame holds it: rounded as it was read, or a Categorical."""
    values = np.concatenate([part[column.name].astype(object).to_numpy() for part in parts])[order]
    if column.continuous:
        return pd.Series(values.astype(float)).clip(column.min, column.max).round(column.decimals).to_numpy()
    return pd.Categorical(values, categories=pd.Index(sorted(scale.levels), dtype="str"))


def _width(scale: Scale) -> int:
    return len(scale.levels) or (1 + (scale.missing > 0) if scale.knots else 0)


def _told(scale: Scale, column: pd.Series) -> np.ndarray:
    """(n, width) numbers of a column; a level that was not learned is none of the others."""
    if scale.levels:
        codes = pd.Index(scale.levels).get_indexer(pd.Index(column.astype(object)))
        return np.asarray(codes[:, None] == np.arange(len(scale.levels)), dtype=float)
    if not scale.knots:
        return np.zeros((len(column), 0))
    knots, values = np.array(scale.knots), column.to_numpy(dtype=float)
    gone, spread = np.isnan(values), knots.std()
    moved = (values.clip(knots[0], knots[-1]) - knots.mean()) / (spread if spread > 0 else 1.0)
    return np.column_stack([np.where(gone, 0.0, moved), gone])[:, : _width(scale)]
