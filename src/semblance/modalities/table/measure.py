"""What a column may hold, and how many patients there are, measured privately where nobody could declare it.

A tenth of what is left of the budget pays for all of it at once, before any record is counted: two noisy histograms for
the bounds of a column (`ranges`), one for its categories, one cell for the number of patients, all with the same noise.
Of a patient one record counts, chosen at random. Categories are told that many patients hold (`privacy.noise.common`);
the others become one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.errors import PrivacyError, Problem, UsageError
from semblance.core.files import write_json
from semblance.core.promise import MEASURED_SCHEMA, Ledger, Noise
from semblance.core.schema import OTHER, Column, Schema
from semblance.modalities.table.declare import Declared
from semblance.modalities.table.ranges import Doubling, Even, occupied, sure, trimmed
from semblance.privacy.noise import chosen, common, noised, threshold

SHARE = 0.1
"""Of what is left of the budget, in zero-concentrated terms; generators spend the rest."""
THRESHOLDS = 0.1
"""The share of delta for the chance that a category of one lone patient is told, over all columns together."""
FEW = 2.0
"""At least so many times as many patients as stand out of the noise must be there, or nothing is measured."""


@dataclass(frozen=True)
class Found:
    """What was measured: of each column "min" and "max", or "categories", and the noisy number of `patients`.

    `noise` is what a ledger paid, `told` what anybody may know of how it was measured.
    """

    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    patients: int | None = None
    noise: tuple[Mapping[str, Any], ...] = ()
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def notes(self) -> list[str]:
        """What the person shall know; nothing in it is without noise."""
        names = ", ".join(f"'{name}'" for name in self.columns)
        said = [f"measured privately, with {SHARE:.0%} of the budget: {names}"] if names else []
        if "categories from" in self.told:
            said.append(f"values of about {self.told['categories from']:,} patients or more became categories")
        if "bounds from" in self.told:
            said.append(f"values of some {self.told['bounds from']:,} patients may lie beyond each bound")
        return said + ([f"about {self.patients:,} patients, measured privately"] if self.patients is not None else [])


def kept(make: Callable[[], Found], *, folder: Path | None) -> Found:
    """What an interrupted run has left in `folder`, or what `make` measures now, which then stands there."""
    path = None if folder is None else folder / MEASURED_SCHEMA
    if path is not None and path.exists():
        told = json.loads(path.read_text(encoding="utf-8"))
        return Found(**{**told, "noise": tuple(told["noise"])})
    found = make()
    if path is not None:
        write_json(path, asdict(found))
    return found


@dataclass(frozen=True)
class Task:
    """The columns to measure, whether patients are to be counted, and the delta of the budget."""

    columns: tuple[Column, ...]
    counted: bool
    delta: float

    @property
    def ranges(self) -> tuple[Column, ...]:
        """Those whose bounds are asked."""
        return tuple(column for column in self.columns if column.continuous)

    @property
    def lists(self) -> tuple[Column, ...]:
        """Those whose categories are asked."""
        return tuple(column for column in self.columns if not column.continuous)

    @property
    def kept(self) -> float:
        """What thresholds take of delta."""
        return THRESHOLDS * self.delta if self.lists else 0.0

    def threshold(self, sigma: float) -> int:
        """From which noisy number of patients on a category is told."""
        return threshold(sigma=sigma, delta=self.kept / len(self.lists))

    def noise(self, ledger: Ledger) -> tuple[Noise, ...]:
        """What pays for all of it. Raises PrivacyError where nothing is left."""
        plain, lists = 2 * len(self.ranges) + self.counted, len(self.lists)
        sigma = ledger.affordable([(SHARE, plain + lists), (1 - SHARE, 1)], kept=self.kept)[0].sigma
        told = [Noise(sigma, 1, plain)] if plain else []
        return (*told, Noise(sigma, 1, lists, self.kept)) if lists else tuple(told)

    def told(self, sigma: float) -> dict[str, int]:
        """How many patients stand out of the noise: of a category, and together in a cell of a range."""
        found = {"categories from": self.threshold(sigma)} if self.lists else {}
        most = max((sure(Doubling.of(column).size) for column in self.ranges), default=0.0)
        return found | ({"bounds from": math.ceil(most * sigma)} if self.ranges else {})


def measure(schema: Schema, declared: Declared, frame: pd.DataFrame, subjects: np.ndarray, ledger: Ledger) -> Found:
    """Measure the learned columns of `schema` in `frame`, and the number of patients where it is asked.

    Raises UsageError, before anything is spent, where the noise would hide what so few patients hold; PrivacyError
    where nothing is left, and, with all columns that it concerns, where the noise does hide it.
    """
    task = Task(schema.learned, declared.counted, ledger.delta)
    parts = task.noise(ledger)
    sigma = parts[0].sigma
    _refuse_few(task.told(sigma), schema.n_public)
    ledger.reserve(*parts, note="schema")
    one = frame[chosen(subjects, most=1)]
    each = task.kept / max(len(task.lists), 1)
    columns: dict[str, Mapping[str, Any] | None] = {
        c.name: bounds(one[c.name].to_numpy(), c, sigma=sigma)
        if c.continuous
        else categories(one[c.name], c, sigma=sigma, delta=each)
        for c in task.columns
    }
    patients = max(int(noised(np.array([len(one)]), sigma=sigma)[0]), 1) if task.counted else None
    _refuse_hidden(columns, task.told(sigma))
    known = {name: said for name, said in columns.items() if said is not None}
    counted = {} if patients is None else {"patients": patients}
    return Found(known, patients, tuple(part.to_json() for part in parts), task.told(sigma) | counted)


def bounds(values: np.ndarray, column: Column, *, sigma: float) -> dict[str, float] | None:
    """Those of (n,) `values` that are not declared, one value of each patient; None where the noise hides all."""
    known = values[~np.isnan(values)].clip(column.min, column.max)
    doubling = Doubling.of(column)
    found = occupied(_noisy(doubling.cells(known), doubling.size, sigma), sigma=sigma)
    if found is None:
        return None
    even = Even.of(column, *doubling.bounds(*found))
    low, high = even.bounds(*trimmed(_noisy(even.cells(known), even.size, sigma), sigma=sigma))
    if column.min is not None:
        return {"max": max(high, column.min)}
    return {"min": low, "max": high} if column.max is None else {"min": min(low, column.max)}


def _noisy(cells: np.ndarray, size: int, sigma: float) -> np.ndarray:
    """(size,) how many are in each cell, with noise; those of cell -1 are in none."""
    return noised(np.bincount(cells[cells >= 0], minlength=size), sigma=sigma)


def categories(values: pd.Series, column: Column, *, sigma: float, delta: float) -> dict[str, list[str]] | None:
    """Those that are told of `values`, one of each patient, in the order of their names, and the one for all others.

    A boolean has the two most frequent ones and no other; None where the noise hides both.
    """
    # Texts that differ in spaces around them are one value; nobody's value is called as the other ones together.
    place, names = pd.factorize(values.cat.categories.str.strip())
    codes = values.cat.codes.to_numpy()
    counts = np.bincount(place[codes[codes >= 0]], minlength=len(names))
    noisy = common(np.where(names == OTHER, 0, counts), sigma=sigma, delta=delta)
    if column.kind != "boolean":
        return {"categories": [*sorted(names[noisy > 0]), OTHER]}
    first = [int(i) for i in np.argsort(-noisy, kind="stable")[:2] if noisy[i] > 0]
    return {"categories": sorted(names[first])} if first else None


def _refuse_few(told: Mapping[str, int], patients: int | None) -> None:
    """Raise UsageError where the declared number of patients is next to nothing beside the noise."""
    most = max(told.values(), default=0)
    if patients is not None and FEW * most > patients:
        raise UsageError.of(
            f"a schema to be measured, of about {patients:,} patients",
            rule=f"with this budget only what more than about {most:,} patients hold stands out of the noise",
            fix='declare more columns, or leave some out (role = "drop"), or ask for a larger --epsilon',
        )


def _refuse_hidden(columns: Mapping[str, Any], told: Mapping[str, int]) -> None:
    """Raise PrivacyError for the columns of which nothing stood out of the noise."""
    rule = f"what about {max(told.values(), default=0):,} patients hold stands out of the noise"
    fix = 'declare it, or role = "drop"; what was measured is spent'
    hidden = [
        Problem("the noise hides what it holds", rule, fix, name) for name, said in columns.items() if said is None
    ]
    if hidden:
        raise PrivacyError(*hidden)
