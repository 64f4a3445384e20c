"""Where the values of a column lie, told from two noisy histograms over cells that are public.

The first has cells between powers of two on either side of an origin, as in the approximate bounds of Google's library
(Wilson et al., PoPETs 2020). The second has cells of one width between the bounds that the first gives, at round
numbers or on the calendar, and takes away at both ends what holds nobody but noise. A range covers all values but those
of as few patients as the noise hides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from semblance.core.schema import Column

DAY = 86_400.0
POWERS = {"integer": (1.0, 40), "numeric": (2.0**-20, 60), "date": (DAY, 17)}
"""Of each kind the smallest distance from the origin that counts, and how many doublings of it have a cell."""
ORIGINS = {"date": 946_684_800.0}
"""Numbers are seen from 0, dates from the first of January 2000 (in seconds since 1970)."""
FALSE = 1e-4
"""Probability that noise alone puts a cell into a range."""
CELLS = 32
"""Cells of the second histogram, at most (and two more)."""
HIDDEN = 0.05
"""No more than this share of the patients may be cut off at one end of the second histogram."""
OCCUPIED = 3.0
"""Standard deviations of the noise from which on a cell of it is not cut off."""
MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600)
"""Widths of cells of dates; where they would be shorter than a week, they are a few days wide."""
WEEK = 7


@dataclass(frozen=True)
class Doubling:
    """Cells at powers of two times `unit` around an origin: cell `powers` holds the origin, those beyond are larger."""

    origin: float
    unit: float
    powers: int

    @classmethod
    def of(cls, column: Column) -> Doubling:
        """The cells of a kind of column."""
        return cls(ORIGINS.get(column.kind, 0.0), *POWERS[column.kind])

    @property
    def size(self) -> int:
        return 2 * self.powers + 1

    def cells(self, values: np.ndarray) -> np.ndarray:
        """(n,) the cell of each value; those beyond the last cell count there."""
        most = self.unit * 2.0**self.powers
        distance = np.clip(values - self.origin, -most, most) / self.unit
        doublings = np.frexp(distance)[1].clip(0, self.powers)
        found: np.ndarray = self.powers + np.where(distance < 0, -doublings, doublings)
        return found

    def bounds(self, first: int, last: int) -> tuple[float, float]:
        """The least and the largest value of these cells and all between."""
        return self._border(first - self.powers, outer=first < self.powers), self._border(
            last - self.powers, outer=last > self.powers
        )

    def _border(self, cell: int, *, outer: bool) -> float:
        power = abs(cell) if outer else abs(cell) - 1
        return self.origin + (math.copysign(self.unit * 2.0**power, cell) if cell else 0.0)


@dataclass(frozen=True)
class Even:
    """Cells between borders, the lower one of which belongs to each. `exact` says that a cell is one whole number."""

    borders: np.ndarray
    exact: bool = False

    @classmethod
    def of(cls, column: Column, low: float, high: float) -> Even:
        """Cells that cover the range from `low` to `high`, whose borders are round."""
        if column.kind == "date":
            return cls(_calendar(low, high))
        width = _round_up((high - low) / CELLS) if high > low else 1.0
        if column.kind == "integer":
            width = max(width, 1.0)
        exact = column.kind == "integer" and width == 1
        first = math.floor(low / width)
        last = max(math.floor(high) if exact else math.ceil(high / width) - 1, first)
        digits = max(0, -math.floor(math.log10(width)))

        def at(cells: np.ndarray) -> np.ndarray:
            return np.round(cells * width, digits) + 0.0

        # A quotient that underflows, or a border that is rounded, may leave out the very ends.
        first -= int(at(np.array(first)) > low)
        last += int(at(np.array(last + 1)) < high)
        return cls(at(np.arange(first, last + 2)), exact)

    @property
    def size(self) -> int:
        return len(self.borders) - 1

    def cells(self, values: np.ndarray) -> np.ndarray:
        """(n,) the cell of each value, -1 for those that lie in none; the upper end belongs to the last."""
        found = np.searchsorted(self.borders, values, side="right") - 1
        found[values == self.borders[-1]] = self.size - 1
        return np.where(found < self.size, found, -1)

    def bounds(self, first: int, last: int) -> tuple[float, float]:
        """The least and the largest value of these cells and all between."""
        return float(self.borders[first]), float(self.borders[last + 1]) - self.exact


def _round_up(width: float) -> float:
    """The least of 1, 2 and 5 times a power of ten that is not below."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= width * (1 - 1e-9))


def _calendar(low: float, high: float) -> np.ndarray:
    """Borders at the first of months, or at midnight where the range is short, in seconds since 1970."""
    span, unit = (high - low) / (CELLS * DAY), "M"
    each = next((months for months in MONTHS if months * 30 >= span), MONTHS[-1])
    if span < WEEK:
        each, unit = max(1, math.ceil(span)), "D"
    first, last = (np.datetime64(int(at // DAY), "D").astype(f"datetime64[{unit}]").astype(int) for at in (low, high))
    steps = np.arange(first // each, last // each + 2) * each
    borders: np.ndarray = steps.astype(f"datetime64[{unit}]").astype("datetime64[s]").astype(float)
    return borders


def sure(cells: int) -> float:
    """Standard deviations above which none of so many cells is by noise alone, but with the probability FALSE."""
    return float(norm.isf(FALSE / cells))


def occupied(counts: np.ndarray, *, sigma: float) -> tuple[int, int] | None:
    """The first and the last cell that stand out of the noise, and on from there, up to the origin in the middle, as
    long as the next one holds more than one standard deviation; None where none stands out."""
    held = np.flatnonzero(counts > sure(len(counts)) * sigma)
    if not len(held):
        return None
    first, last, middle = int(held[0]), int(held[-1]), len(counts) // 2
    while first not in (0, middle) and counts[first - 1] > sigma:
        first -= 1
    while last not in (middle, len(counts) - 1) and counts[last + 1] > sigma:
        last += 1
    return first, last


def trimmed(counts: np.ndarray, *, sigma: float) -> tuple[int, int]:
    """The first and the last cell without those at the ends that hold nobody, as far as the noise lets anybody see."""
    first, last = _empty(counts, sigma), len(counts) - 1 - _empty(counts[::-1], sigma)
    return (first, last) if first <= last else (0, len(counts) - 1)


def _empty(counts: np.ndarray, sigma: float) -> int:
    """How many cells from the start hold together no more than their noise, where that hides few of the patients."""
    sums, noise = np.cumsum(counts), sigma * np.sqrt(np.arange(1, len(counts) + 1))
    fine = (sums <= noise) & (sums + noise <= HIDDEN * counts.sum())
    held = np.flatnonzero(counts > OCCUPIED * sigma)
    fine[held[0] if len(held) else 0 :] = False
    return int(np.flatnonzero(fine)[-1]) + 1 if fine.any() else 0
