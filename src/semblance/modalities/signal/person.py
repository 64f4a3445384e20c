"""What belongs together in a person: numbers and categories of a recording as a whole, as one Gaussian.

A category is a cut of a normal score, a number of the frame its quantiles (a Gaussian copula; Nelsen 2006), all other
numbers are normal as they are. The covariance is shrunk as Ledoit and Wolf (2004) found best. Quantiles are means over
at least `rare` patients, so that no number of one patient is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri
from sklearn.covariance import ledoit_wolf

FAR = 2.0
"""Standard deviations beyond which no further number is drawn: the tails of few recordings are not known."""


@dataclass(frozen=True)
class Scale:
    """One column of the frame: `levels` and their cumulative `shares`, or the `knots` of a number; `missing` share."""

    name: str
    levels: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    knots: tuple[float, ...] = ()
    missing: float = 0.0

    @classmethod
    def of(cls, column: pd.Series, *, rare: int) -> Scale:
        """Learned from the recordings of patients; levels that fewer than `rare` have are left out."""
        missing = round(float(column.isna().mean()), 3)
        if not isinstance(column.dtype, pd.CategoricalDtype):
            known = np.sort(column.dropna().to_numpy(dtype=float))
            groups = np.array_split(known, max(len(known) // max(rare, 1), 1)) if len(known) else []
            return cls(str(column.name), knots=tuple(float(g.mean()) for g in groups), missing=missing)
        count = column.value_counts()
        count = count[count >= rare]
        shares = (count / count.sum()).cumsum() if len(count) else count
        return cls(str(column.name), tuple(map(str, count.index)), tuple(map(float, shares)), missing=missing)

    def scores(self, column: pd.Series) -> np.ndarray:
        """(n,) normal scores; 0 for what is missing or has no level."""
        if not self.levels:
            known = column.to_numpy(dtype=float) if self.knots else np.full(len(column), np.nan)
            rank = pd.Series(known).rank().to_numpy() / (np.isfinite(known).sum() + 1)
            return np.nan_to_num(ndtri(rank))
        ends = np.array([0.0, *self.shares])
        middle = dict(zip(self.levels, ndtri(np.clip((ends[1:] + ends[:-1]) / 2, 1e-3, 1 - 1e-3)), strict=True))
        return column.astype(object).map(middle).fillna(0.0).to_numpy(dtype=float)

    def values(self, scores: np.ndarray, *, rng: np.random.Generator) -> Any:
        """The inverse: a float array or a categorical."""
        place, gone = ndtr(scores), rng.random(len(scores)) < self.missing
        if not self.levels:
            knots = np.array(self.knots) if self.knots else np.array([np.nan])
            made = np.interp(place, (np.arange(len(knots)) + 0.5) / len(knots), knots)
            return np.where(gone, np.nan, made)
        code = np.minimum(np.searchsorted(np.array(self.shares), place), len(self.levels) - 1)
        return pd.Categorical.from_codes(np.where(gone, -1, code), list(self.levels))


@dataclass(frozen=True, eq=False)
class Person:
    """A Gaussian over the scores of `scales` and then further numbers: `mean` (d,), `root` (d, d) of the covariance."""

    scales: tuple[Scale, ...]
    mean: np.ndarray
    root: np.ndarray

    @classmethod
    def fit(cls, frame: pd.DataFrame, numbers: np.ndarray, *, rare: int) -> Person:
        """From (n, columns) and (n, numbers) of recordings."""
        scales = tuple(Scale.of(frame[name], rare=rare) for name in frame)
        scores = [scale.scores(frame[scale.name]) for scale in scales]
        told = np.column_stack([*scores, numbers]) if scores else numbers
        mean, sd = told.mean(0), np.where(told.std(0) > 0, told.std(0), 1e-9)
        together = ledoit_wolf((told - mean) / sd)[0] if len(told) > 1 else np.eye(len(mean))
        values, vectors = np.linalg.eigh(together)
        return cls(scales, mean, sd[:, None] * vectors * np.sqrt(np.maximum(values, 0)))

    def draw(self, n: int, *, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
        """The frame and the numbers of `n` new recordings."""
        moved, k = rng.standard_normal((n, len(self.mean))) @ self.root.T, len(self.scales)
        spread = np.sqrt((self.root**2).sum(1))
        scores, moved = moved[:, :k] / spread[:k], moved.clip(-FAR * spread, FAR * spread)
        frame = {s.name: s.values(scores[:, i], rng=rng) for i, s in enumerate(self.scales)}
        return pd.DataFrame(frame, index=pd.RangeIndex(n)), self.mean[k:] + moved[:, k:]

    def arrays(self) -> dict[str, np.ndarray]:
        """What is saved as tensors."""
        return {"person.mean": self.mean, "person.root": self.root}

    def to_json(self) -> list[dict[str, Any]]:
        """The scales as plain JSON."""
        return [dict(vars(scale)) for scale in self.scales]

    @classmethod
    def restored(cls, told: list[Mapping[str, Any]], arrays: Mapping[str, np.ndarray]) -> Person:
        """The inverse of `to_json` and `arrays`."""
        scales = (Scale(**{name: _listed(value) for name, value in scale.items()}) for scale in told)
        return cls(tuple(scales), arrays["person.mean"], arrays["person.root"])


def _listed(value: Any) -> Any:
    """JSON has no tuples."""
    return tuple(value) if isinstance(value, list) else value
