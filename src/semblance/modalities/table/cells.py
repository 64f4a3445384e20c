"""Small pictures of a column that show no small cell: shares of real and synthetic records per bin or category.

A cell that fewer than `rare` training patients hold is merged with a neighbour, or pooled, before anything is written.
Numeric edges are round numbers, never a value of the data; the outer cells are open, so no extreme is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.judge import patients
from semblance.core.schema import Column
from semblance.modalities.table.data import Table
from semblance.modalities.table.grid import codes, counts, finite

RARE = 11
SHOWN = 12
BARS = 24
GLANCE = 500  # records
MISSING = "(missing)"
OTHERS = "(others)"

Cells = list[dict[str, Any]]


def cells(train: Table, synthetic: Table, column: Column, *, rare: int = RARE) -> Cells:
    """One entry per cell: its label and its share of train and of synthetic records. Empty if all are too small."""
    real, made = train.frame[column.name], synthetic.frame[column.name]
    if column.continuous:
        labels, real_codes, made_codes = _bins(real.to_numpy(), made.to_numpy(), column)
        named, where = _merged(labels, _Holders.of(real_codes, train.subjects, len(labels)), rare=rare)
    else:
        names, real_codes, made_codes = _names(real, made)
        named, where = _pooled(names, _Holders.of(real_codes, train.subjects, len(names)), rare=rare)
    if not named:
        return []
    shares = [_shares(c, where, len(named)) for c in (real_codes, made_codes)]
    return [{"label": n, "train": r, "synthetic": s} for n, r, s in zip(named, *shares, strict=True) if r or s]


@dataclass(frozen=True)
class _Holders:
    """Who holds which code of a column: the patient of each record, sorted by code, and where each code starts."""

    subjects: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, code: np.ndarray, subjects: np.ndarray, size: int) -> _Holders:
        """Codes 0 .. size - 1; codes below 0 are nobody's."""
        small = code.astype(np.int16) if size < 2**15 else code  # sorted by radix
        order = np.argsort(small, kind="stable")
        starts = np.cumsum(np.bincount(code + 1, minlength=size + 1))[: size + 1]
        return cls(subjects[order], starts)

    def reach(self, members: Iterable[int], rare: int) -> bool:
        """Whether at least `rare` patients hold one of the codes `members`."""
        held = [self.subjects[self.starts[i] : self.starts[i + 1]] for i in members]
        pooled = np.concatenate(held) if held else self.subjects[:0]
        # The first few records mostly settle it, and sorting all of them is what takes time.
        return any(patients(pooled[:count]) >= rare for count in (GLANCE, len(pooled)))

    def records(self) -> np.ndarray:
        """(size,) records of each code: no fewer than its patients."""
        return np.diff(self.starts)


def _shares(code: np.ndarray, where: np.ndarray, size: int) -> list[float]:
    count = np.bincount(where[code[code >= 0]], minlength=size)
    return [round(float(share), 4) for share in count / max(count.sum(), 1)]


def _merged(labels: list[tuple[str, str, str]], holders: _Holders, *, rare: int) -> tuple[list[str], np.ndarray]:
    """Neighbouring bins joined from the left until each holds `rare` patients; a small rest joins the last.

    Returns the names of the cells and, per original bin, its cell.
    """
    groups, start = [], 0
    for end in range(1, len(labels) + 1):
        if holders.reach(range(start, end), rare):
            groups.append((start, end))
            start = end
    if not groups:
        return [], np.empty(0, int)
    groups[-1] = (groups[-1][0], len(labels) if start < len(labels) else groups[-1][1])
    where = np.repeat(np.arange(len(groups)), [b - a for a, b in groups])
    return [_span(labels[a], labels[b - 1]) for a, b in groups], where


def _pooled(labels: list[str], holders: _Holders, *, rare: int) -> tuple[list[str], np.ndarray]:
    """The most frequent categories by name and one pool for the rest, which swallows the smallest until it is large."""
    size = len(labels)
    order = list(np.argsort(-holders.records()[:-1], kind="stable")[:SHOWN])
    order = [i for i in order if holders.reach([i], rare)]
    left = np.setdiff1d(np.arange(size), order)
    while order and holders.reach(left, 1) and not holders.reach(left, rare):
        left = np.append(left, order.pop())
    if not order and not holders.reach(left, rare):
        return [], np.empty(0, int)
    where = np.full(size, len(order))
    where[order] = np.arange(len(order))
    return [labels[i] for i in order] + [OTHERS], where


def _names(real: pd.Series, made: pd.Series) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Labels of every category of train, of missing and of anything else (last); codes of both parts."""
    names = counts(real).index
    coded = [codes(part, names, other=len(names) + 1, missing=len(names)) for part in (real, made)]
    return [*map(str, names), MISSING, OTHERS], coded[0], coded[1]


def _bins(
    real: np.ndarray, made: np.ndarray, column: Column
) -> tuple[list[tuple[str, str, str]], np.ndarray, np.ndarray]:
    """(low, high, below) labels of bins between round edges, open at both ends; codes of both parts, -1 where missing.

    A bin holds its low edge and not the next one, so a whole number's bin ends one below it.
    """
    edges = _round_edges(finite(real), whole=column.kind == "integer")
    whole = column.kind == "integer"
    low = ["", *(_mark(edge, column) for edge in edges)]
    high = [*(_mark(edge - 1 if whole else edge, column) for edge in edges), ""]
    below = [f"up to {mark}" if whole else f"below {mark}" for mark in high]
    labels = list(zip(low, high, below, strict=True))
    coded = [np.where(np.isnan(v), -1, np.searchsorted(edges, v, side="right")) for v in (real, made)]
    return labels, coded[0], coded[1]


def _round_edges(values: np.ndarray, *, whole: bool) -> np.ndarray:
    """At most BARS edges at multiples of 1, 2 or 5 times a power of ten, over the middle 98% of the values."""
    if not len(values):
        return np.empty(0)
    low, high = np.quantile(values, [0.01, 0.99])
    if not high > low:
        low, high = np.quantile(values, [0.001, 0.999])
    width = (high - low) / BARS
    if not width > 0 or not math.isfinite(width):
        return np.empty(0)
    power = 10.0 ** math.floor(math.log10(width))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= width)
    step = max(step, 1.0) if whole else step
    return np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step


def _mark(edge: float, column: Column) -> str:
    if column.kind == "date":
        return datetime.fromtimestamp(edge, tz=UTC).strftime("%Y-%m-%d")
    return f"{edge:.10g}"


def _span(first: tuple[str, str, str], last: tuple[str, str, str]) -> str:
    low, (_, high, below) = first[0], last
    if low and high:
        return low if low == high else f"{low} to {high}"
    return f"{low} or more" if low else below if high else "any value"
