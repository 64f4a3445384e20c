"""Predicates that isolate a record: conditions on one or several columns, all tried at once.

The records that meet a condition are a row of bits; those that meet several, the AND of their rows. Nothing is written
as a query, so that names, dates, negative numbers and missing values need no care.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

MOST = 16  # conditions of a predicate
FURTHER = 2  # conditions after a record stands alone: chance meets them more rarely, which narrows the interval
SPARE = 2  # predicates begun for each one wanted
POINTS = 64  # quantiles at which a number's condition may end
BYTES = 1 << 27  # rows of bits held at once
LESS, SAME, MORE = -1, 0, 1


@dataclass(frozen=True)
class Predicates:
    """p predicates of up to w conditions: `column` (p, w), -1 where there is none; `sign` says whether the value is to
    be at most (-1), the same as (0) or at least (1) `value`. A NaN means missing."""

    column: np.ndarray
    sign: np.ndarray
    value: np.ndarray

    def __len__(self) -> int:
        return len(self.column)

    def take(self, which: np.ndarray) -> Predicates:
        """Some of them."""
        return Predicates(self.column[which], self.sign[which], self.value[which])

    def first(self, length: int | np.ndarray) -> Predicates:
        """With their first conditions only, as many as `length` (a number, or (p, 1)) says."""
        column = np.where(np.arange(self.column.shape[1]) < length, self.column, -1)
        return Predicates(column, self.sign, self.value)


Kind = Callable[..., Predicates]


def isolating(
    kind: Kind, records: np.ndarray, categorical: np.ndarray, most: int, *, rng: np.random.Generator
) -> Predicates:
    """At most `most` predicates of a kind that exactly one of the records (n, d) meets.

    Each takes its conditions in order until one record is left, then FURTHER ones.
    """
    made = kind(records, categorical, SPARE * most, rng=rng)
    length = shortest(made.take(np.arange(min(most, len(made)))), records)
    if np.count_nonzero(length) < most:
        length = np.append(length, shortest(made.take(np.arange(len(length), len(made))), records))
    kept = np.flatnonzero(length)[:most]
    return made.take(kept).first(length[kept, None] + FURTHER)


def single_columns(records: np.ndarray, categorical: np.ndarray, most: int, *, rng: np.random.Generator) -> Predicates:
    """Values that one record alone has in a column, and the extremes of each number."""
    rows = []
    for j, column in enumerate(records.T):
        values, times = np.unique(column, return_counts=True)
        alone = rng.permutation(values[times == 1])[:most]
        rows += [(j, SAME, value) for value in alone]
        if not categorical[j] and len(present := values[~np.isnan(values)]):
            rows += [(j, LESS, present[0]), (j, MORE, present[-1])]
    chosen = rng.permutation(len(rows))[:most]
    made = np.array(rows, dtype=float).reshape(-1, 3)[chosen]
    return Predicates(made[:, :1].astype(np.int64), made[:, 1:2].astype(np.int64), made[:, 2:])


def several_columns(records: np.ndarray, categorical: np.ndarray, most: int, *, rng: np.random.Generator) -> Predicates:
    """Conditions that a random record meets in random columns: its category, or on its side of the number's median,
    as far out as the next of POINTS quantiles."""
    n, d = records.shape
    column = np.argsort(rng.random((most, d)), axis=1)[:, :MOST]
    value = records[rng.integers(n, size=most)[:, None], column]
    sign = np.zeros(column.shape, dtype=np.int64)
    for j in np.flatnonzero(~categorical):
        here = (column == j) & ~np.isnan(value)
        if here.any():
            sign[here], value[here] = _sides(value[here], records[:, j])
    return Predicates(column, sign, value)


def _sides(values: np.ndarray, column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each value is at least the median or not, and the quantile that comes next towards the median."""
    points = np.quantile(column[~np.isnan(column)], np.linspace(0, 1, POINTS + 1), method="nearest")
    upper = values >= points[POINTS // 2]
    below, above = np.searchsorted(points, values, side="right") - 1, np.searchsorted(points, values)
    return np.where(upper, MORE, LESS), points[np.where(upper, below, above)]


def shortest(predicates: Predicates, records: np.ndarray) -> np.ndarray:
    """(p,) how many of its first conditions a predicate needs until one record is left; 0 where it never is."""
    if not len(predicates):
        return np.zeros(0, dtype=np.int64)
    rows, met = _bits(predicates, records)
    if met is None:
        return np.concatenate([shortest(half, records) for half in _halved(predicates)])
    length, left, bits = np.zeros(len(predicates), dtype=np.int64), np.arange(len(predicates)), met[rows[:, 0]]
    for k in range(rows.shape[1]):
        bits &= met[rows[left, k]]
        alone = _count(bits) == 1
        length[left[alone]] = k + 1
        left, bits = left[~alone], bits[~alone]
    return length


def singled(predicates: Predicates, records: np.ndarray) -> np.ndarray:
    """(p,) the one record that meets a predicate; -1 where none or several do."""
    if not len(predicates) or not len(records):
        return np.full(len(predicates), -1)
    rows, met = _bits(predicates, records)
    if met is None:
        return np.concatenate([singled(half, records) for half in _halved(predicates)])
    bits = met[rows[:, 0]]
    for k in range(1, rows.shape[1]):
        bits &= met[rows[:, k]]
    places = bits.view(np.uint8)
    byte = np.argmax(places, axis=1)
    bit = 7 - np.log2(np.maximum(places[np.arange(len(places)), byte], 1)).astype(np.int64)
    return np.where(_count(bits) == 1, 8 * byte + bit, -1)


def _count(bits: np.ndarray) -> np.ndarray:
    count: np.ndarray = np.bitwise_count(bits).sum(axis=1, dtype=np.int64)
    return count


def _halved(predicates: Predicates) -> list[Predicates]:
    return [predicates.take(half) for half in np.array_split(np.arange(len(predicates)), 2)]


def _bits(predicates: Predicates, records: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """(p, w) the row of each condition, and (rows, words) the records that meet it, each distinct condition once.

    The row of no condition is all ones; `None` for the rows where they would be too many to hold.
    """
    values, place = np.unique(predicates.value, return_inverse=True)
    which = (3 * predicates.column + predicates.sign + 1) * len(values) + place.reshape(predicates.value.shape)
    which = np.where(predicates.column < 0, np.iinfo(np.int64).max, which)
    distinct, first, rows = np.unique(which, return_index=True, return_inverse=True)
    words = -(-len(records) // 64)
    if len(distinct) * words * 8 > BYTES and len(predicates) > 1:
        return rows, None
    met = np.zeros((len(distinct) + 1, words), dtype=np.uint64)
    met[distinct.searchsorted(np.iinfo(np.int64).max)] = np.iinfo(np.uint64).max
    columns = np.asfortranarray(records)
    for row, at in enumerate(first):
        j, sign, value = (side.flat[at] for side in (predicates.column, predicates.sign, predicates.value))
        if j >= 0:
            packed = np.packbits(_met(columns[:, j], value, sign))
            met[row].view(np.uint8)[: len(packed)] = packed
    return rows.reshape(predicates.column.shape), met


def _met(column: np.ndarray, value: float, sign: int) -> np.ndarray:
    if sign == SAME:
        return np.isnan(column) if np.isnan(value) else column == value
    met: np.ndarray = column <= value if sign == LESS else column >= value
    return met
