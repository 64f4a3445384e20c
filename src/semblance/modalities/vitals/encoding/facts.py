"""What is known of a stay as a whole, as numbers: a number by its normal score, a choice by an indicator of each level.

Levels that fewer than `rare` patients have are left out; what is missing is a number of its own, for that it is missing
may mean something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.schema import Column
from semblance.modalities.vitals.encoding import flags
from semblance.modalities.vitals.encoding.marginals import Marginal, scores

FEW_VALUES = 12
"""A whole number of at most so many values is a choice among them."""


@dataclass(frozen=True, eq=False)
class Fact:
    """A column: its `levels` (texts, or numbers where `number`) with their `shares`, or the `marginal` of a number.

    `missing` is the share of stays that lack it: all of them, where fewer than `rare` patients have any value.
    """

    name: str
    number: bool
    levels: tuple[Any, ...]
    shares: np.ndarray
    marginal: Marginal
    missing: float

    @classmethod
    def of(cls, column: Column, values: pd.Series, who: np.ndarray, *, rare: int) -> Fact:
        """Of (n,) values of stays of patients (n,)."""
        known, none = values.notna().to_numpy(), Marginal.none()
        if len(np.unique(who[known])) < rare:
            return cls(column.name, column.continuous, (), np.empty(0), none, 1.0)
        gone = float(1 - known.mean()) if len(np.unique(who[~known])) >= rare else 0.0
        if column.continuous:
            numbers = values.to_numpy(dtype=float)
            known = np.isfinite(numbers)
            levels = _common(numbers[known], who[known], rare)
            few = column.kind == "integer" and len(np.unique(numbers[known])) <= FEW_VALUES and len(levels)
            digits = 0 if column.kind == "integer" else column.decimals
            marginal = Marginal.of(numbers[known], who[known], rare=rare, decimals=digits)
            if not few:
                return cls(column.name, True, (), np.empty(0), marginal, gone)
            return cls(column.name, True, tuple(levels), _shares(numbers, levels), none, gone)
        texts = values.astype(object).to_numpy()
        levels = _common(texts[known].astype(str), who[known], rare)
        return cls(column.name, False, tuple(map(str, levels)), _shares(texts, levels), none, gone)

    @property
    def width(self) -> int:
        """How many numbers it takes."""
        return (len(self.levels) if self.levels else int(bool(len(self.marginal.knots)))) + (self.missing > 0)

    def encode(self, values: pd.Series, *, rng: np.random.Generator) -> np.ndarray:
        """(n, width) numbers of mean 0 and variance about 1."""
        known = values.notna().to_numpy()
        parts = []
        if self.levels:
            codes = values.astype(object).map({level: i for i, level in enumerate(self.levels)}).to_numpy(dtype=float)
            there = flags.encoded(codes[:, None] == np.arange(len(self.levels)), self.shares)
            parts.append(np.where(np.isnan(codes)[:, None], 0.0, there))
        elif len(self.marginal.knots):
            found = scores(values.to_numpy(dtype=float), rng=rng)
            parts.append(np.where(np.isnan(found), rng.standard_normal(len(found)), found)[:, None])
        if self.missing:
            parts.append(flags.encoded(~known[:, None], self._gone))
        return np.concatenate(parts, axis=1) if parts else np.empty((len(values), 0))

    def decode(self, numbers: np.ndarray) -> Any:
        """(n,) the column as a frame holds it."""
        gone = np.zeros(len(numbers), dtype=bool)
        if self.missing:
            gone = flags.above(numbers[:, -1:], self._gone)[:, 0] > 0
        if self.levels:
            codes = flags.above(numbers[:, : len(self.levels)], self.shares).argmax(axis=1)
            return self.chosen(np.where(gone, -1, codes))
        found = self.marginal.values(numbers[:, 0]) if len(self.marginal.knots) else np.full(len(numbers), np.nan)
        if self.number:
            return np.where(gone, np.nan, found)
        return pd.Categorical([None] * len(numbers))

    def chosen(self, codes: np.ndarray) -> Any:
        """(n,) the levels of these codes, missing where below 0, as a frame holds them."""
        if self.number:
            return np.where(codes < 0, np.nan, np.array([*self.levels, np.nan], dtype=float)[codes])
        return pd.Categorical.from_codes(codes, categories=pd.Index(self.levels, dtype="str"))

    def outcomes(self, labels: np.ndarray, *, sure: bool, rng: np.random.Generator) -> Any:
        """(n,) the levels of classes, as a frame holds them; some missing, but where they are `sure`."""
        gone = (rng.random(len(labels)) < self.missing) & (not sure)
        return self.chosen(np.where(gone | (not self.levels), -1, labels))

    @property
    def _gone(self) -> np.ndarray:
        return np.array([self.missing])

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        marginal = {name: part.tolist() for name, part in self.marginal.arrays().items()}
        marginal["decimals"] = self.marginal.decimals
        held = {"levels": list(self.levels), "shares": self.shares.tolist(), "marginal": marginal}
        return {"name": self.name, "number": self.number, "missing": self.missing, **held}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Fact:
        """The inverse of `to_json`."""
        held = told["marginal"]
        parts = {name: np.array(held[name]) for name in ("knots", "places", "levels")}
        marginal = Marginal(**parts, decimals=held["decimals"])
        shares = np.array(told["shares"])
        return cls(told["name"], told["number"], tuple(told["levels"]), shares, marginal, told["missing"])


def _common(values: np.ndarray, who: np.ndarray, rare: int) -> list[Any]:
    """The values that at least `rare` patients have, in order."""
    pairs = pd.DataFrame({"value": values, "who": who}).drop_duplicates()
    count = pairs["value"].value_counts()
    return sorted(count[count >= rare].index.tolist())


def _shares(values: np.ndarray, levels: list[Any]) -> np.ndarray:
    count = np.array([float((values == level).sum()) for level in levels])
    made: np.ndarray = count / max(count.sum(), 1.0)
    return made
