"""What belongs together in a person: numbers and categories of a record as a whole, as one Gaussian.

A category is a cut of a normal score, a number of the frame its quantiles (a Gaussian copula; Nelsen 2006), all other
numbers are normal as they are. The covariance is shrunk as Ledoit and Wolf (2004) found best. Quantiles are means over
at least `rare` patients, each of whom counts once; a column that fewer have a number of is not known at all. Beyond the
first and the last of them numbers go on as they came there, for half a step: what the patients of a tail have on the
mean is known, and not one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri
from sklearn.covariance import ledoit_wolf

from semblance.core.errors import UsageError

Spans = tuple[tuple[float, float], ...]
"""Closed ranges of a score."""
TINY = 1e-12
TRIED, ROUNDS = 2048, 100
"""People who are tried at a time, and how often, where what they shall be like is limited."""
GRID = ndtri((np.arange(1000) + 0.5) / 1000)
"""Scores that stand for all."""
CLOSE = 1e-6
"""How near a score is to one that was asked for, for all that rounding does."""
CLOSELY = 0.95
"""The largest correlation that levels tell of scores."""
FAR = 2.0
"""Standard deviations beyond which no further number is drawn: the tails of few recordings are not known."""


@dataclass(frozen=True)
class Limits:
    """What a person shall be like, by the place of a column or a number: `spans` of its score (of a number behind the
    columns: of the number itself), whether a column is `gone` (missing), and by how much its mean is `moved` in
    standard deviations (a number: by itself); what goes with it follows."""

    spans: Mapping[int, Spans] = field(default_factory=dict)
    gone: Mapping[int, bool] = field(default_factory=dict)
    moved: Mapping[int, float] = field(default_factory=dict)

    def and_also(self, other: Limits) -> Limits:
        """Both at once; where both limit one place, what both allow."""
        spans = dict(self.spans)
        for place, allowed in other.spans.items():
            both = [(max(a, c), min(b, d)) for a, b in spans.get(place, ((-np.inf, np.inf),)) for c, d in allowed]
            spans[place] = tuple((low, high) for low, high in both if low <= high)
        return Limits(spans, {**self.gone, **other.gone}, {**self.moved, **other.moved})


FREE = Limits()


@dataclass(frozen=True)
class Scale:
    """One column of the frame: `levels` and their cumulative `shares`, or the `knots` of a number, each in the middle
    of its share of the cohort, and the `ends` of its tails, where they are known; `missing` share."""

    name: str
    levels: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    knots: tuple[float, ...] = ()
    missing: float = 0.0
    ends: tuple[float, ...] = ()
    number: bool = False
    """Whether it is a number; a category of which no level is known is missing throughout."""

    @classmethod
    def of(cls, column: pd.Series, subjects: np.ndarray, *, rare: int) -> Scale:
        """Learned from recordings of (n,) `subjects`; levels and numbers that fewer than `rare` have are left out."""
        patients, name, missing = pd.Series(subjects, index=column.index), str(column.name), column.isna().mean()
        if not isinstance(column.dtype, pd.CategoricalDtype):
            known = np.sort(column.dropna().astype(float).groupby(patients).mean().to_numpy())
            groups = np.array_split(known, len(known) // max(rare, 1)) if len(known) >= max(rare, 1) else []
            knots = tuple(float(g.mean()) for g in groups)
            return cls(name, knots=knots, missing=_lost(missing, groups), ends=_ends(knots), number=True)
        count = column.value_counts()
        count = count[patients.groupby(column, observed=False).nunique().reindex(count.index) >= rare]
        count = count[count > 0]
        shares = (count / count.sum()).cumsum() if len(count) else count
        return cls(name, tuple(map(str, count.index)), tuple(map(float, shares)), missing=_lost(missing, count))

    def scores(self, column: pd.Series) -> np.ndarray:
        """(n,) normal scores; 0 for what is missing or has no level."""
        if not self.levels:
            known = column.to_numpy(dtype=float) if self.knots else np.full(len(column), np.nan)
            rank = pd.Series(known).rank().to_numpy() / (np.isfinite(known).sum() + 1)
            return np.nan_to_num(ndtri(rank))
        ends = np.array([0.0, *self.shares])
        middle = dict(zip(self.levels, ndtri(np.clip((ends[1:] + ends[:-1]) / 2, 1e-3, 1 - 1e-3)), strict=True))
        return column.astype(object).map(middle).fillna(0.0).to_numpy(dtype=float)

    def scores_alone(self, column: pd.Series) -> np.ndarray:
        """(n,) the same of each value by itself, by where the cohort that was learned has it."""
        if not self.knots:
            return self.scores(column)
        places, known = self._curve()
        return np.nan_to_num(ndtri(np.interp(column.to_numpy(dtype=float), known, places).clip(1e-3, 1 - 1e-3)))

    @property
    def kept(self) -> float:
        """The standard deviation of what is left of a normal score where its level is all that is known; 1 of
        numbers."""
        ends = ndtri(np.array([0.0, *self.shares[:-1], 1.0]))
        heights, each = np.exp(-(ends**2) / 2) / np.sqrt(2 * np.pi), np.diff([0.0, *self.shares])
        found = float(np.sqrt((np.diff(heights) ** 2 / np.maximum(each, TINY)).sum()))
        return found if len(self.levels) > 1 else 1.0

    def values(self, scores: np.ndarray, *, rng: np.random.Generator, gone: bool | None = None) -> Any:
        """The inverse: a float array or a categorical. `gone` says whether all are missing or none is."""
        place, lost = ndtr(scores), rng.random(len(scores)) < self.missing
        if gone is not None:
            lost = np.full(len(scores), gone)
        if self.number:
            return np.where(lost, np.nan, self._numbers(place))
        if not self.levels:
            return pd.Categorical([None] * len(scores), categories=pd.Index([], dtype="str"))
        code = np.minimum(np.searchsorted(np.array(self.shares), place), len(self.levels) - 1)
        return pd.Categorical.from_codes(np.where(lost, -1, code), list(self.levels))

    def _numbers(self, place: np.ndarray) -> np.ndarray:
        """The numbers at shares of the cohort."""
        return np.interp(place, *self._curve())

    def _curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Shares of the cohort, and the numbers at them."""
        knots = np.array(self.knots) if self.knots else np.array([np.nan])
        places = (np.arange(len(knots)) + 0.5) / len(knots)
        if not self.ends:
            return places, knots
        return np.array([0.0, *places, 1.0]), np.array([self.ends[0], *knots, self.ends[1]])

    def span_of_level(self, level: str) -> tuple[float, float]:
        """The scores that stand for a level."""
        ends, i = (0.0, *self.shares), self.levels.index(level)
        # One step inside: at its upper end a score stands for the next level.
        return float(ndtri(ends[i])), float(np.nextafter(ndtri(min(ends[i + 1], 1.0)), -np.inf))

    def span_of_range(self, low: float | None, high: float | None) -> tuple[float, float] | None:
        """The scores of numbers from `low` to `high`; None where there are none."""
        places, known = self._curve()
        if not self.knots or (low is not None and low > known[-1]) or (high is not None and high < known[0]):
            return None
        begins = 0.0 if low is None or low <= known[0] else float(np.interp(low, known, places))
        ends = 1.0 if high is None or high >= known[-1] else float(np.interp(high, known, places))
        return float(ndtri(begins)), float(ndtri(ends))

    def score_of_shift(self, shift: float) -> float | None:
        """By how much scores are moved so that the mean of the numbers moves by `shift`; None if it cannot."""
        moves = np.linspace(-3, 3, 601)
        means = np.array([self._numbers(ndtr(GRID + move)).mean() for move in moves])
        wanted = means[300] + shift
        if not means[0] <= wanted <= means[-1]:
            return None
        return float(np.interp(wanted, means, moves))


@dataclass(frozen=True, eq=False)
class Person:
    """A Gaussian over the scores of `scales` and then further numbers: `mean` (d,), `root` (d, d) of the covariance."""

    scales: tuple[Scale, ...]
    mean: np.ndarray
    root: np.ndarray

    @classmethod
    def fit(cls, frame: pd.DataFrame, numbers: np.ndarray, subjects: np.ndarray, *, rare: int) -> Person:
        """From (n, columns) and (n, numbers) of recordings of (n,) `subjects`."""
        scales = tuple(Scale.of(frame[name], subjects, rare=rare) for name in frame)
        scores = [scale.scores(frame[scale.name]) for scale in scales]
        told = np.column_stack([*scores, numbers]) if scores else numbers
        mean, sd = told.mean(0), np.where(told.std(0) > 0, told.std(0), 1e-9)
        together = ledoit_wolf((told - mean) / sd)[0] if len(told) > 1 and len(mean) else np.eye(len(mean))
        together = _latent(together, np.array([*(scale.kept for scale in scales), *np.ones(numbers.shape[1])]))
        values, vectors = np.linalg.eigh(together)
        return cls(scales, mean, np.ascontiguousarray(sd[:, None] * vectors * np.sqrt(np.maximum(values, 0))))

    @property
    def spread(self) -> np.ndarray:
        """(d,) standard deviations."""
        found: np.ndarray = np.sqrt((self.root**2).sum(1))
        return found

    def reach(self, place: int) -> tuple[float, float]:
        """The least and the most that a number can be."""
        far = FAR * self.spread[place]
        return float(self.mean[place] - far), float(self.mean[place] + far)

    def draw(self, n: int, *, rng: np.random.Generator, limits: Limits = FREE) -> tuple[pd.DataFrame, np.ndarray]:
        """The frame and the numbers of `n` new recordings. Raises UsageError where nobody is as the limits say."""
        moved, k = self._within(n, limits, rng=rng), len(self.scales)
        scores, numbers = self._seen(moved)
        frame = {
            scale.name: scale.values(scores[:, i], rng=rng, gone=limits.gone.get(i))
            for i, scale in enumerate(self.scales)
        }
        return pd.DataFrame(frame, index=pd.RangeIndex(n)), numbers[:, k:]

    def _seen(self, moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, d) scores, which count for columns, and (n, d) numbers, none of them far from the mean."""
        far = FAR * self.spread
        return moved / np.maximum(self.spread, TINY), self.mean + moved.clip(-far, far)

    def _within(self, n: int, limits: Limits, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) how far people within the limits are from the mean."""
        drift, found = self._drift(limits), np.empty((0, len(self.mean)))
        for _ in range(ROUNDS):
            tried = rng.standard_normal((TRIED if limits.spans else n, len(self.mean))) @ self.root.T + drift
            tried = self._exactly(tried, limits, rng=rng)
            found = np.concatenate([found, tried[self._fit(tried, limits)]])
            if len(found) >= n:
                return found[:n]
        raise UsageError.of(
            f"{len(found)} of {ROUNDS * TRIED:,} people that were tried are as it was asked for",
            rule="what is wanted together occurs together",
            fix="ask for less at once, or for wider ranges",
        )

    def _exactly(self, moved: np.ndarray, limits: Limits, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) `moved` so that a column of which single scores are asked for has one of them, and all else as it is
        given that: nobody would have it by chance (Matheron's rule; Hoffman & Ribak, ApJ 1991)."""
        points = {at: [low for low, _ in spans] for at, spans in limits.spans.items() if _single(spans)}
        if not points:
            return moved
        at = list(points)
        aims = np.stack([rng.choice(some, len(moved)) for some in points.values()], 1)
        far = aims * self.spread[at] - moved[:, at]
        pull = np.linalg.lstsq(self.root[at] @ self.root[at].T, self.root[at] @ self.root.T, rcond=None)[0]
        made: np.ndarray = moved + far @ pull
        return made

    def _fit(self, moved: np.ndarray, limits: Limits) -> np.ndarray:
        """(n,) bool: who is within the limits."""
        scores, numbers = self._seen(moved)
        fine = np.ones(len(moved), dtype=bool)
        for place, spans in limits.spans.items():
            seen = (scores if place < len(self.scales) else numbers)[:, place]
            near = CLOSE if _single(spans) else 0.0
            each = ((seen >= low - near) & (seen <= high + near) for low, high in spans)
            fine &= sum(each, np.zeros(len(moved), dtype=bool))
        return fine

    def _drift(self, limits: Limits) -> np.ndarray:
        """(d,) how the mean moves: what is moved, and what goes with it."""
        drift = np.zeros(len(self.mean))
        for place, move in limits.moved.items():
            together = self.root @ self.root[place]
            far = move * self.spread[place] if place < len(self.scales) else move
            drift += together * (far / max(together[place], 1e-12))
        return drift

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


def _latent(together: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """(d, d) the correlations of normal scores behind those of levels, which know them in part (`kept` (d,); biserial
    correlation: Pearson, Biometrika 1909)."""
    both = np.outer(kept, kept)
    made = np.where(both < 1, np.clip(together / both, -CLOSELY, CLOSELY), together)
    np.fill_diagonal(made, np.diag(together))
    return made


def _single(spans: Spans) -> bool:
    """Whether ranges are single scores."""
    return bool(spans) and all(low == high for low, high in spans)


def _ends(knots: tuple[float, ...]) -> tuple[float, ...]:
    """The ends of the tails: half a step beyond the first and the last knot, and never across zero. Of a single knot
    none are known."""
    if len(knots) < 2:
        return ()
    low, high = knots[0] - (knots[1] - knots[0]) / 2, knots[-1] + (knots[-1] - knots[-2]) / 2
    return (max(low, 0.0) if knots[0] >= 0 else low), (min(high, 0.0) if knots[-1] <= 0 else high)


def _lost(share: float, known: Sized) -> float:
    """The share of recordings that lack a column, all where nothing of it is known."""
    return round(float(share), 3) if len(known) else 1.0


def _listed(value: Any) -> Any:
    """JSON has no tuples."""
    return tuple(value) if isinstance(value, list) else value
