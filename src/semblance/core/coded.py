"""Columns of a frame as judges want them, coded on a reference: numbers, ranks of categories, and unit distances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from semblance.core.dataset import Features
from semblance.core.rng import stream
from semblance.core.schema import Schema

TOP = 20  # categories of a column that judges tell apart
WIDTH = 128
FAR = 4.0
ROLES = ("target", "time", "event", "treatment", "visit_time")

D = TypeVar("D")
T = TypeVar("T")


def kept(of: Callable[[D], T]) -> Callable[[D], T]:
    """`of`, found once for each data set while that is there: every part is coded on the same reference, and to find a
    basis takes longer than to use it."""
    found: WeakKeyDictionary[D, T] = WeakKeyDictionary()

    @wraps(of)
    def once(data: D) -> T:
        if data not in found:
            found[data] = of(data)
        return found[data]

    return once


def names(column: pd.Series) -> pd.Index:
    """The most frequent categories, the first ones first among equals."""
    count = column.value_counts(sort=False)
    return count[count > 0].sort_values(ascending=False, kind="stable").index[:TOP]


def ranks(column: pd.Series, known: pd.Index) -> np.ndarray:
    """(n,) the rank of each value among those known; one more for other values; NaN for missing."""
    made: np.ndarray = known.get_indexer(pd.Index(column.astype(object))).astype(float)
    made[made < 0] = len(known)
    made[column.isna().to_numpy()] = np.nan
    return made


def number(column: pd.Series) -> np.ndarray:
    """(n,) float64, NaN for what is missing or infinite."""
    values = column.to_numpy(dtype=float)
    return np.where(np.isfinite(values), values, np.nan)


def unit(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """(n,) values in units of the reference's middle 90 %; 0 where missing."""
    known = reference[np.isfinite(reference)]
    low, middle, high = np.quantile(known, [0.05, 0.5, 0.95]) if len(known) else (0.0, 0.0, 0.0)
    scale = next((s for s in (high - low, known.std() if len(known) else 0.0) if s > 0), 1.0)
    made: np.ndarray = np.nan_to_num(np.clip((values - middle) / scale, -FAR, FAR))
    return made


def one_hot(column: pd.Series, reference: pd.Series) -> np.ndarray:
    """(n, names) indicators / sqrt(2): two categories are 1 apart."""
    known = names(reference)
    made: np.ndarray = (ranks(column, known)[:, None] == np.arange(len(known))) / np.sqrt(2)
    return made


def narrow(x: np.ndarray) -> np.ndarray:
    """x, or its projection to WIDTH where that would be wider (Johnson and Lindenstrauss 1984)."""
    if x.shape[1] <= WIDTH:
        return x
    made: np.ndarray = x @ stream(0, "projection", x.shape[1]).standard_normal((x.shape[1], WIDTH), dtype=np.float32)
    return made / np.float32(np.sqrt(WIDTH))


def features(
    schema: Schema, frame: pd.DataFrame, reference: pd.DataFrame, further: np.ndarray, named: Sequence[str]
) -> Features:
    """The learned columns of a frame but for texts, coded on that of a reference, then (n, d) `further` numbers of
    these names.

    Numbers as they are; categories as frequency ranks in the reference, its top 20, then one code for all others.
    Missing is NaN.
    """
    learned = [column for column in schema.learned if column.kind != "text"]
    known = [None if c.continuous else names(reference[c.name]) for c in learned]
    columns = [
        number(frame[c.name]) if top is None else ranks(frame[c.name], top)
        for c, top in zip(learned, known, strict=True)
    ]
    return Features(
        np.column_stack([*columns, further]),
        np.array([*(not c.continuous for c in learned), *[False] * len(named)]),
        (*(c.name for c in learned), *named),
        roles={c.role: j for j, c in enumerate(learned) if c.role in ROLES},
        protected=tuple(j for j, c in enumerate(learned) if c.protected),
        quasi=tuple(j for j, c in enumerate(learned) if c.quasi),
        levels=(*(() if top is None else tuple(map(str, top)) for top in known), *[()] * len(named)),
    )
