"""A model that is a whole table of probabilities over codes: conditionals by summing, the oracle of these tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from semblance.core.modality import ReadOptions
from semblance.core.model import Card
from semblance.core.rng import stream
from semblance.modalities.table.data import Table, concat, from_frame
from semblance.modalities.table.encode import Encoding, EncodingOptions
from semblance.modalities.table.generators.coded import CodedModel


@dataclass(frozen=True)
class Exact(CodedModel):
    """`joint` holds the probability of every combination of codes."""

    joint: np.ndarray
    card: ClassVar[Card] = Card("exact", "every combination of codes", "a table", conditional=True)

    @classmethod
    def of(cls, table: Table, *, smoothing: float = 0.0, **options: Any) -> Exact:
        """Count every combination in `table`."""
        encoding = Encoding.fit(table, EncodingOptions(**options))
        joint = np.full(tuple(encoding.sizes), smoothing)
        np.add.at(joint, tuple(encoding.encode(table).T), 1.0)
        return cls(encoding, options, joint / joint.sum())

    def draw(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes."""
        return self.complete(np.full((n, self.joint.ndim), -1), rng=rng)

    def conditional(self, known: np.ndarray, column: int) -> np.ndarray:
        """By summing over what is not known."""
        found = np.zeros((len(known), self.joint.shape[column]))
        for pattern, rows in _patterns(known):
            left = self._slice(pattern)
            kept = [j for j in range(self.joint.ndim) if pattern[j] < 0]
            axes = tuple(k for k, j in enumerate(kept) if j != column)
            share = left.sum(axes)
            found[rows] = share / max(share.sum(), 1e-300)
        return found

    def complete(self, known: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """Draw a whole combination among those that fit."""
        codes = known.copy()
        for pattern, rows in _patterns(known):
            left, kept = self._slice(pattern), [j for j in range(self.joint.ndim) if pattern[j] < 0]
            if not kept:
                continue
            flat = left.ravel() / left.sum()
            drawn = rng.choice(len(flat), size=len(rows), p=flat)
            codes[np.ix_(rows, kept)] = np.column_stack(np.unravel_index(drawn, left.shape))
        return codes

    def _slice(self, pattern: np.ndarray) -> np.ndarray:
        return self.joint[tuple(slice(None) if code < 0 else code for code in pattern)]


def _patterns(known: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    patterns, inverse = np.unique(known, axis=0, return_inverse=True)
    return [(pattern, np.flatnonzero(inverse.ravel() == i)) for i, pattern in enumerate(patterns)]


def cohort(n: int = 4000, seed: int = 0) -> pd.DataFrame:
    """Age drives diabetes, both drive death; the dying are weighed less often; groups of race fare differently."""
    rng = stream(seed, "wanted")
    age = np.clip(rng.normal(60, 12, n), 20, 95).round()
    diabetes = rng.random(n) < 1 / (1 + np.exp(-(age - 70) / 10))
    race = rng.choice(["A", "B", "C"], n, p=[0.6, 0.3, 0.1])
    died = rng.random(n) < np.clip(0.2 + 0.25 * (race == "B") + 0.2 * diabetes, 0, 1)
    weight = (75 + 6 * diabetes + rng.normal(0, 9, n)).round(1)
    return pd.DataFrame(
        {
            "age": age.astype(int),
            "diabetes": np.where(diabetes, "yes", "no"),
            "race": race,
            "weight": np.where(rng.random(n) < np.where(died, 0.4, 0.1), np.nan, weight),
            "died": np.where(died, "yes", "no"),
        }
    )


def table(frame: pd.DataFrame, **options: Any) -> Table:
    """A frame as it is read."""
    made, _ = from_frame(frame, ReadOptions(**options))
    return made


def exact(*, n: int = 4000, bins: int = 6, smoothing: float = 0.0) -> Exact:
    """The exact model of the cohort, with few bins of each number."""
    return Exact.of(table(cohort(n), target="died"), bins=bins, tokens=1, smoothing=smoothing)


def sampled(model: CodedModel, n: int, *, seed: int = 0, **wanted: Any) -> Table:
    """`n` records as wanted."""
    from semblance.core.model import Wanted

    return concat(list(model.sample(n, rng=stream(seed, "sample"), wanted=Wanted(**wanted))))
