"""One column <-> small integers, such that no code stands for a single patient.

A category, or an exact number, becomes a token only where at least `rare` patients hold it. What is left of a category
becomes one rare class; what is left of a number becomes quantile bins, drawn from by a smoothed inverse distribution
function whose knots are trimmed means over at least `rare` patients each. So neither the codes nor the knots hold a
value that belongs to one patient, and one outlier moves none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.schema import Column

RARE = "(rare)"
MAX_KNOTS = 4096
DAY = 86_400.0
_FINEST = {1e-6: ("%f", "%3f"), 1.0: ("%S", "%T"), 60.0: ("%M",), 3600.0: ("%H", "%-H", "%I", "%-I")}


def patients_of(codes: np.ndarray, subjects: np.ndarray, size: int) -> np.ndarray:
    """How many patients hold each code: (size,) counts. Codes below 0 are left out."""
    held = codes >= 0
    codes, subjects = codes[held], subjects[held]
    if not len(codes):
        return np.zeros(size, dtype=np.int64)
    if _all_differ(subjects):
        return np.bincount(codes, minlength=size)
    pairs = np.unique(codes.astype(np.int64) * (int(subjects.max()) + 1) + subjects)
    return np.bincount(pairs // (int(subjects.max()) + 1), minlength=size)


def _all_differ(subjects: np.ndarray) -> bool:
    """Whether no patient has two records."""
    return not len(subjects) or int(np.bincount(subjects).max()) == 1


@dataclass(frozen=True)
class Categories:
    """Codes of a column of strings. `tokens[i]` is the value of code i, None the missing value, RARE the rare class."""

    tokens: tuple[str | None, ...]
    other: int
    """The code of everything that has no token of its own."""

    @classmethod
    def fit(cls, values: pd.Series, subjects: np.ndarray, column: Column, *, rare: int, limit: int) -> Categories:
        """Count patients per category, keep the `limit` most frequent of those that at least `rare` patients hold."""
        names, codes = values.cat.categories, values.cat.codes.to_numpy()
        count = patients_of(codes, subjects, len(names))
        kept = np.flatnonzero(count >= rare)
        kept = np.sort(kept[np.argsort(-count[kept], kind="stable")][:limit])
        left = ~np.isin(codes, kept) & (codes >= 0)
        tokens: list[str | None] = [str(names[code]) for code in kept]
        if len(np.unique(subjects[codes < 0])) >= rare:
            tokens.append(None)
        common = int(np.argmax(count[kept])) if len(kept) else 0
        closed = column.kind in ("boolean", "ordinal") or column.bound != "observed"
        if not tokens or (not closed and len(np.unique(subjects[left])) >= rare):
            return cls((*tokens, None if closed else _unused(RARE, tokens)), len(tokens))
        return cls(tuple(tokens), common)

    @property
    def size(self) -> int:
        return len(self.tokens)

    def encode(self, values: pd.Series) -> np.ndarray:
        """(n,) codes."""
        code_of = {token: code for code, token in enumerate(self.tokens)}
        of_category = [code_of.get(str(name), self.other) for name in values.cat.categories]
        table = np.array([*of_category, code_of.get(None, self.other)], dtype=np.int64)
        return table[values.cat.codes.to_numpy()]

    def decode(self, codes: np.ndarray, rng: np.random.Generator) -> pd.Categorical:
        """Strings again; `rng` is not needed."""
        dtype, table = self._names
        return pd.Categorical.from_codes(table[codes], dtype=dtype)

    @cached_property
    def _names(self) -> tuple[pd.CategoricalDtype, np.ndarray]:
        """The names, and the place among them of each code; made once, for chunks are many."""
        names = [token for token in self.tokens if token is not None]
        place = {name: i for i, name in enumerate(names)}
        table = [-1 if token is None else place[token] for token in self.tokens]
        return pd.CategoricalDtype(names), np.array(table, dtype=np.int64)

    def to_json(self) -> dict[str, Any]:
        return {"tokens": list(self.tokens), "other": self.other}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Categories:
        return cls(tuple(data["tokens"]), data["other"])


def _unused(name: str, tokens: list[str | None]) -> str:
    while name in tokens:
        name = f"({name})"
    return name


@dataclass(frozen=True)
class Numbers:
    """Codes of a column of numbers or dates: the missing value first if it is held, then tokens, then bins.

    Knot i stands for the records between the shares `mass[i]` and `mass[i + 1]` of the distribution, and bin b for the
    knots `starts[b]` to `starts[b + 1]`.
    Values are snapped to `unit`, or left as they are where it is 0.
    """

    missing: bool
    tokens: np.ndarray
    knots: np.ndarray
    mass: np.ndarray
    starts: np.ndarray
    unit: float
    edges: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        inner = self.starts[1:-1].astype(int)
        edges = (self.knots[inner - 1] + self.knots[inner]) / 2 if len(inner) else np.zeros(0)
        object.__setattr__(self, "edges", edges)

    @classmethod
    def fit(
        cls, values: np.ndarray, subjects: np.ndarray, column: Column, *, rare: int, tokens: int, bins: int
    ) -> Numbers:
        """Tokens for every value that `rare` patients hold, or only for spikes if there are many; bins for the rest."""
        absent = np.isnan(values)
        missing = len(np.unique(subjects[absent])) >= rare
        values, subjects = values[~absent], subjects[~absent]
        exact = _tokens(values, subjects, rare=rare, limit=tokens, bins=bins)
        rest = ~np.isin(values, exact) & np.isfinite(values)
        knots, mass = _knots(values[rest], subjects[rest], rare=rare)
        if not missing and not len(exact) and not len(knots):
            missing = True
        starts = np.unique(np.searchsorted(mass, np.linspace(0, 1, bins + 1)).clip(max=len(knots)))
        return cls(missing, exact, knots, mass, starts, unit_of(column, values, rare=rare))

    @property
    def size(self) -> int:
        return int(self.missing) + len(self.tokens) + len(self.starts) - 1

    def encode(self, values: np.ndarray) -> np.ndarray:
        """(n,) codes. What has no code of its own goes to the nearest value that has one."""
        first = int(self.missing)
        codes = np.zeros(len(values), dtype=np.int64)
        filled = np.where(np.isnan(values), self._middle(), values)
        if len(self.tokens):
            nearest = _nearest(self.tokens, filled)
            codes = first + nearest
        if len(self.starts) > 1:
            binned = first + len(self.tokens) + np.searchsorted(self.edges, filled)
            exact = np.isin(filled, self.tokens)
            codes = np.where(exact, codes, binned)
        return np.where(np.isnan(values), 0, codes) if self.missing else codes

    def decode(self, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Numbers again: a token is exact, a bin draws from its part of the distribution function."""
        uniform, exact = rng.random(len(codes)), int(self.missing) + len(self.tokens)
        values = np.concatenate([[np.nan] * self.missing, self.tokens, [np.nan] * (self.size - exact)])[codes]
        binned = np.flatnonzero(codes >= exact)
        if len(binned):
            bin_of = codes[binned] - exact
            low, high = self.mass[self.starts[bin_of]], self.mass[self.starts[bin_of + 1]]
            drawn = self._at(low + uniform[binned] * (high - low))
            values[binned] = snapped(drawn, self.unit)
        return values

    @property
    def middles(self) -> np.ndarray:
        """(size,) the value in the middle of each code, NaN for the missing value."""
        borders = self.mass[self.starts]
        return np.concatenate([[np.nan] * self.missing, self.tokens, self._at((borders[:-1] + borders[1:]) / 2)])

    def _at(self, share: np.ndarray) -> np.ndarray:
        """The inverse distribution function of what has no token, straight between the middles of the knots."""
        return np.interp(share, (self.mass[:-1] + self.mass[1:]) / 2, self.knots) if len(self.knots) else np.zeros(0)

    def _middle(self) -> float:
        held = np.concatenate([self.tokens[np.isfinite(self.tokens)], self.knots])
        return float(np.median(held)) if len(held) else 0.0

    def to_json(self) -> dict[str, Any]:
        return {
            "missing": self.missing,
            "tokens": [repr(float(x)) for x in self.tokens],
            "knots": [repr(float(x)) for x in self.knots],
            "mass": [repr(float(x)) for x in self.mass],
            "starts": self.starts.tolist(),
            "unit": self.unit,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Numbers:
        tokens, knots, mass = (
            np.array([float(x) for x in data[key]], dtype=float) for key in ("tokens", "knots", "mass")
        )
        return cls(data["missing"], tokens, knots, mass, np.array(data["starts"], dtype=np.int64), data["unit"])


def _tokens(values: np.ndarray, subjects: np.ndarray, *, rare: int, limit: int, bins: int) -> np.ndarray:
    """Values that become tokens: all that `rare` patients hold; of more than `limit`, those heavier than half a bin."""
    distinct, code = np.unique(values, return_inverse=True)
    count = patients_of(code, subjects, len(distinct))
    held = count >= rare
    covered = count[held].sum() >= 0.5 * count.sum() if len(count) else False
    if held.sum() > limit or not covered:
        held &= count >= max(rare, count.sum() / (2 * bins))
    held |= ~np.isfinite(distinct) & (count >= rare)
    return distinct[held]


def _knots(values: np.ndarray, subjects: np.ndarray, *, rare: int) -> tuple[np.ndarray, np.ndarray]:
    """(g,) knots of the distribution function, and (g + 1,) the share of records below each group's border.

    A knot stands for consecutive records of at least `rare` patients: each patient's mean there, without the smallest
    and the largest of these means, so that no patient moves it however many records it has.
    """
    order = np.argsort(values, kind="stable")
    values, subjects = values[order], subjects[order]
    starts = _groups(subjects, patients=max(rare, -(-len(values) // MAX_KNOTS)))
    if not len(starts):
        return np.zeros(0), np.zeros(1)
    group = np.searchsorted(starts, np.arange(len(values)), side="right") - 1
    mass = np.concatenate([[0.0], np.cumsum(np.bincount(group)) / len(values)])
    return np.maximum.accumulate(_trimmed_means(values, subjects, group)), mass


def _groups(subjects: np.ndarray, *, patients: int) -> np.ndarray:
    """Where groups of consecutive records begin, each of at least so many patients; what is left joins the last."""
    if _all_differ(subjects):
        return np.arange(len(subjects) // patients) * patients
    starts, seen, begun = [], set(), 0
    for i, subject in enumerate(subjects.tolist()):
        seen.add(subject)
        if len(seen) == patients:
            starts.append(begun)
            seen, begun = set(), i + 1
    return np.array(starts, dtype=np.int64)


def _trimmed_means(values: np.ndarray, subjects: np.ndarray, group: np.ndarray) -> np.ndarray:
    """(g,) each group's mean of its patients' means, without the smallest and the largest where more than two are left.

    What is left out is never added up, so that no outlier leaves a trace, however large.
    """
    _, pair = np.unique(group * (int(subjects.max()) + 1) + subjects, return_inverse=True)
    means = np.bincount(pair, weights=values) / np.bincount(pair)
    of = np.zeros(len(means), dtype=np.int64)
    of[pair] = group
    order = np.lexsort((means, of))
    means, of, patients = means[order], of[order], np.bincount(of)
    last = np.cumsum(patients) - 1
    kept = np.ones(len(means), dtype=bool)
    kept[last[patients > 2]] = kept[(last - patients + 1)[patients > 2]] = False
    trimmed: np.ndarray = np.bincount(of[kept], weights=means[kept]) / np.bincount(of[kept])
    return trimmed


def _nearest(ordered: np.ndarray, values: np.ndarray) -> np.ndarray:
    right = np.clip(np.searchsorted(ordered, values), 0, len(ordered) - 1)
    left = np.maximum(right - 1, 0)
    with np.errstate(invalid="ignore"):
        closer = np.abs(values - ordered[left]) < np.abs(ordered[right] - values)
    return np.where(closer & (values != ordered[right]), left, right)


def unit_of(column: Column, values: np.ndarray, *, rare: int) -> float:
    """The step between values, 0 for none. A precision that fewer than `rare` records have is not the column's."""
    if column.kind == "integer":
        return 1.0
    finite = values[np.isfinite(values)]
    if column.kind == "date":
        *coarse, finest = steps(column)
        return next((step for step in coarse if np.sum(finite % step != 0) < rare), finest)
    finer = (np.sum(np.round(finite, d) != finite) for d in range(min(column.decimals, 13)))
    enough = next((d for d, count in enumerate(finer) if count < rare), column.decimals)
    return 10.0**-enough if enough <= 12 else 0.0


def snapped(values: np.ndarray, unit: float) -> np.ndarray:
    """The nearest multiples of a unit, as they are read from their texts; the values themselves where it is 0."""
    if not unit:
        return values
    nearest = np.round(values / unit) * unit if unit >= 1 else np.round(values, round(-np.log10(unit)))
    return nearest + 0.0  # no zero has a sign


def steps(column: Column) -> list[float]:
    """The steps in seconds that a date may have, coarse ones first, down to its format's; any where it has none."""
    written = "%f" if column.date_format is None else column.date_format
    finest = next((step for step, parts in _FINEST.items() if any(part in written for part in parts)), DAY)
    return [step for step in (DAY, 3600.0, 60.0, 1.0, 1e-6) if step >= finest]
