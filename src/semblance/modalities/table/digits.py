"""Large columns as a few small ones: each code is spelt in digits, the coarse ones first.

A softmax over 100,000 categories becomes two or three small ones, the later given the earlier (hierarchical softmax,
Morin & Bengio 2005). Codes of a classification are spelt by chapter, category and code (ICD), numbers by coarse and
fine bins, and other categories from the frequent to the rare. A small column is its own only digit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from semblance.core.schema import Column
from semblance.modalities.table.codes import Categories, Numbers

FLAT = 128
"""A column of at most so many codes is not spelt."""
ICD9 = (1, 140, 240, 280, 290, 320, 390, 460, 520, 580, 630, 680, 710, 740, 760, 780, 800)
"""Where the chapters of ICD-9-CM begin; V and E codes are chapters of their own."""
_ICD9 = re.compile(r"^(\d{1,3})(?:\.\d+)?$")
_PREFIX = 3
"""Letters and digits that name a category in ICD-10, ATC and ICD-9."""


@dataclass(frozen=True)
class Digits:
    """`paths[j]` (size, depth): the digits of every code of column j. The digits of a column stand side by side."""

    paths: tuple[np.ndarray, ...]
    starts: np.ndarray = field(init=False)
    """(columns + 1,) the first digit column of each column."""

    def __post_init__(self) -> None:
        depths = [path.shape[1] for path in self.paths]
        object.__setattr__(self, "starts", np.concatenate([[0], np.cumsum(depths)]).astype(np.int64))

    @classmethod
    def of(
        cls, columns: Sequence[Categories | Numbers], fields: Sequence[Column], shares: Sequence[np.ndarray]
    ) -> Digits:
        """How each column's codes are spelt; `shares` tell which are frequent."""
        return cls(tuple(map(_spelling, columns, fields, shares)))

    @property
    def sizes(self) -> np.ndarray:
        """(digit columns,) number of values of each."""
        return np.array([size for path in self.paths for size in path.max(0) + 1], dtype=np.int64)

    def of_column(self, j: int) -> range:
        """The digit columns of column j."""
        return range(int(self.starts[j]), int(self.starts[j + 1]))

    @property
    def parents(self) -> dict[int, tuple[int, ...]]:
        """Of each later digit the earlier ones of its column."""
        return {
            c: tuple(part[:i]) for part in map(self.of_column, range(len(self.paths))) for i, c in enumerate(part) if i
        }

    def spell(self, codes: np.ndarray) -> np.ndarray:
        """(n, digit columns) from (n, columns) codes; a code of -1 has digits of -1."""
        parts = [np.where(codes[:, [j]] < 0, -1, path[codes[:, j]]) for j, path in enumerate(self.paths)]
        return np.concatenate([*parts, np.zeros((len(codes), 0), dtype=np.int64)], axis=1)

    def read(self, digits: np.ndarray) -> np.ndarray:
        """The inverse of `spell`. Digits that spell no code are read as one that agrees the longest from the left."""
        codes = np.empty((len(digits), len(self.paths)), dtype=np.int64)
        for j, path in enumerate(self.paths):
            weights = _weights(path)
            keys = path @ weights
            order = np.argsort(keys, kind="stable")
            wanted = digits[:, list(self.of_column(j))] @ weights
            codes[:, j] = order[_agreeing(keys[order], wanted, weights)]
        return codes

    def positions(self, places: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Per digit column where each value stands from 0 to 1, from the places of the codes; NaN without an order."""
        found: list[np.ndarray] = []
        for path, place in zip(self.paths, places, strict=True):
            if path.shape[1] == 1:
                found.append(place)
                continue
            ordered = not np.isnan(place).all()
            for size in path.max(0) + 1:
                found.append(np.linspace(0, 1, size) if ordered else np.full(size, np.nan))
        return found

    def to_json(self) -> list[Any]:
        """As plain JSON; a column that is its own digit is only its size."""
        return [len(path) if path.shape[1] == 1 else path.tolist() for path in self.paths]

    @classmethod
    def from_json(cls, data: Sequence[Any]) -> Digits:
        """The inverse of `to_json`."""
        return cls(tuple(_flat(e) if isinstance(e, int) else np.array(e, dtype=np.int64) for e in data))


def _flat(size: int) -> np.ndarray:
    return np.arange(size, dtype=np.int64)[:, None]


def _weights(path: np.ndarray) -> np.ndarray:
    """What each digit counts in the number that spells a code, the first the most."""
    sizes = path.max(0) + 1
    return np.concatenate([np.cumprod(sizes[::-1])[::-1][1:], [1]]).astype(np.int64)


def _agreeing(keys: np.ndarray, wanted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(n,) places in sorted `keys`: of the wanted ones, or of the neighbour whose first digits agree the longest."""
    above = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    below = np.maximum(above - 1, 0)
    common = [(keys[place][:, None] // weights == wanted[:, None] // weights).sum(1) for place in (above, below)]
    return np.where((keys[above] != wanted) & (common[1] > common[0]), below, above)


def _spelling(codes: Categories | Numbers, column: Column, share: np.ndarray) -> np.ndarray:
    if codes.size <= FLAT:
        return _flat(codes.size)
    if isinstance(codes, Numbers):
        return _even(np.argsort(np.nan_to_num(codes.middles, nan=-np.inf), kind="stable"))
    if column.kind == "code":
        return _classified(codes.tokens, share)
    return _even(np.argsort(-share, kind="stable"))


def _even(order: np.ndarray) -> np.ndarray:
    """Codes in this order, cut into groups of equal size, and again where a group is still large."""
    size = len(order)
    depth = 2
    while math.ceil(size ** (1 / depth)) > FLAT:
        depth += 1
    base = math.ceil(size ** (1 / depth))
    path = np.empty((size, depth), dtype=np.int64)
    path[order] = np.arange(size)[:, None] // base ** np.arange(depth - 1, -1, -1) % base
    return path


def _classified(tokens: Sequence[str | None], share: np.ndarray) -> np.ndarray:
    """Chapter, category and code, each numbered from the most frequent."""
    chapters = [chapter(token) for token in tokens]
    categories = [(c, None if token is None else token[:_PREFIX]) for c, token in zip(chapters, tokens, strict=True)]
    first = _numbered(chapters, [()] * len(tokens), share)
    second = _numbered(categories, chapters, share)
    third = _numbered(list(range(len(tokens))), categories, share)
    return np.column_stack([first, second, third])


def _numbered(names: Sequence[Any], within: Sequence[Any], share: np.ndarray) -> np.ndarray:
    """(n,) the number of each name among those of its group, the most frequent first."""
    total: dict[Any, float] = {}
    for name, weight in zip(names, share, strict=True):
        total[name] = total.get(name, 0.0) + float(weight)
    groups: dict[Any, list[Any]] = {}
    for name, group in dict(zip(names, within, strict=True)).items():
        groups.setdefault(group, []).append(name)
    number: Mapping[Any, int] = {
        name: i for members in groups.values() for i, name in enumerate(sorted(members, key=lambda m: -total[m]))
    }
    return np.array([number[name] for name in names], dtype=np.int64)


def chapter(code: str | None) -> str:
    """The chapter of an ICD-9-CM code by its number, of any other code by its first letter.

    >>> chapter("250.83"), chapter("V45"), chapter("I50.1"), chapter(None)
    ('240', 'V', 'I', '')
    """
    numeric = _ICD9.match(code) if code is not None else None
    if numeric is None:
        return "" if code is None else code[:1].upper()
    begun = [start for start in ICD9 if start <= int(numeric[1])]
    return str(begun[-1]) if begun else "0"
