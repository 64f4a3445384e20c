"""Sequential trees: each column by a tree on the columns before it, whose leaves hold smoothed shares of codes.

The method of synthpop (Nowok, Raab & Dibben 2016, after Reiter 2005) with one difference: a leaf keeps how common each
code is among its patients, never their records, so no value is taken over from a donor. Best for small tables.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from semblance.core.files import write_json
from semblance.core.model import Card
from semblance.core.rng import root_of
from semblance.modalities.table.data import Table
from semblance.modalities.table.generators.coded import CodedModel, CodedSpec, Fitting, saved
from semblance.modalities.table.generators.leaves import Groups, Smoother, smoothers
from semblance.modalities.table.structure import Structure

CARD = Card(
    name="forest",
    summary="trees one after the other, with smoothed leaves; seconds to fit, best below about 3,000 records",
    paper="Nowok, Raab & Dibben, synthpop: Bespoke Creation of Synthetic Data in R, J. Stat. Softw. 2016; Reiter 2005",
)
TARGETS = 24
"""A tree tells at most so many codes of a category apart; the less common ones count as one."""


@dataclass(frozen=True)
class Forest(CodedSpec):
    """Sequential classification and regression trees."""

    trees: int = 10
    """Trees of each column; every record is drawn from one of them."""
    leaf: int = 20
    """No leaf holds fewer patients, nor fewer than `rare`."""
    smoothing: float = 0.25
    """Records of the whole table's shares that each leaf adds to its own."""
    width: float = 0.01
    """How far a number's counts spread to neighbouring values, as a share of the records."""
    card: ClassVar[Card] = CARD

    def learn_from(self, train: Table, how: Fitting) -> ForestModel:
        """Grow the trees of each column on the columns before it, those that tell most about the others first."""
        coder = self.encoding_of(train, how.encoding)
        codes, places = coder.encode(train), coder.positions
        structure = Structure.of(codes, coder.sizes)
        order = list(structure.order)
        learned, sizes, positions = codes[:, order], coder.sizes[order], [places[j] for j in order]
        smooth = smoothers(learned, sizes, positions, weight=self.smoothing, width=self.width)
        least = _records_of(train.subjects, patients=max(self.rare, self.leaf))
        grower = _Grower(learned, sizes, positions, smooth, least)
        grown = tuple(
            tuple(grower.tree(j, seed=root_of(how.rng) % 2**32) for _ in range(self.trees if j else 1))
            for j in range(len(order))
        )
        return ForestModel(coder, self.to_json(), structure, grown)

    @staticmethod
    def load(folder: Path) -> ForestModel:
        """The inverse of `save`."""
        encoding, options, arrays = saved(folder)
        structure = Structure.from_json(json.loads((folder / "structure.json").read_text()))
        parts: dict[tuple[int, int], dict[str, np.ndarray]] = {}
        for name, values in arrays.items():
            column, tree, part = name.split(".")
            parts.setdefault((int(column), int(tree)), {})[part] = values
        grown = tuple(
            tuple(Tree(**parts[key]) for key in sorted(parts) if key[0] == column)
            for column in range(len(structure.order))
        )
        return ForestModel(encoding, options, structure, grown)


@dataclass(frozen=True)
class Tree:
    """Node i asks whether `scores` of the code of column `column[i]` is at most `threshold[i]`, then goes `left[i]` or
    `right[i]`; a leaf has no children (-1) and is row `leaf[i]` of `shares` (leaves, size). `scores` are those of all
    columns before, one after the other from `offsets`."""

    column: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    leaf: np.ndarray
    scores: np.ndarray
    offsets: np.ndarray
    shares: np.ndarray

    def draw(self, before: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """(n,) codes given (n, columns before) codes."""
        return self._groups.draw(self.leaf[self.reached(before)], uniform)

    def reached(self, before: np.ndarray) -> np.ndarray:
        """(n,) the leaf's node of each record."""
        node = np.zeros(len(before), dtype=np.int64)
        inner = np.flatnonzero(self.left[node] >= 0)
        while len(inner):
            at = node[inner]
            code = before[inner, self.column[at]] + self.offsets[self.column[at]]
            node[inner] = np.where(self.scores[code] <= self.threshold[at], self.left[at], self.right[at])
            inner = inner[self.left[node[inner]] >= 0]
        return node

    @cached_property
    def _groups(self) -> Groups:
        return Groups(self.shares)


@dataclass(frozen=True)
class ForestModel(CodedModel):
    """The trees of each column, in the order in which columns are drawn."""

    structure: Structure
    grown: tuple[tuple[Tree, ...], ...]
    card: ClassVar[Card] = CARD

    def draw(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes, column after column."""
        drawn = np.zeros((n, len(self.grown)), dtype=np.int64)
        for j, trees in enumerate(self.grown):
            chosen, uniform = rng.integers(len(trees), size=n), rng.random(n)
            for k, tree in enumerate(trees):
                rows = np.flatnonzero(chosen == k)
                drawn[rows, j] = tree.draw(drawn[rows, :j], uniform[rows])
        return self.structure.complete(drawn[:, np.argsort(self.structure.order)])

    def arrays(self) -> dict[str, np.ndarray]:
        """The parts of each tree, by the number of its column, its own number, and the part's name."""
        return {
            f"{column}.{number}.{part}": values
            for column, trees in enumerate(self.grown)
            for number, tree in enumerate(trees)
            for part, values in ((part.name, getattr(tree, part.name)) for part in fields(tree))
        }

    def save(self, folder: Path) -> None:
        """Write structure.json beside what every model writes."""
        super().save(folder)
        write_json(folder / "structure.json", self.structure.to_json())


@dataclass(frozen=True)
class _Grower:
    """(n, d) `codes` in the order of drawing, and what trees need to know of each column."""

    codes: np.ndarray
    sizes: np.ndarray
    positions: Sequence[np.ndarray]
    smooth: Sequence[Smoother]
    least: int

    def tree(self, j: int, *, seed: int) -> Tree:
        """The tree of column j on the columns before it; a single leaf where there is nothing to split."""
        offsets = np.concatenate([[0], np.cumsum(self.sizes[:j])]).astype(np.int64)
        target = _target(self.codes[:, j], self.positions[j])
        scores = [_scores(self.codes[:, i], int(self.sizes[i]), self.positions[i], target) for i in range(j)]
        flat = np.concatenate([*scores, np.zeros(0)]).astype(np.float32)
        divisible = j > 0 and len(self.codes) >= 2 * self.least
        parts = self._split(flat[self.codes[:, :j] + offsets[:-1]], target, seed) if divisible else self._whole()
        column, threshold, left, right, node = parts
        ends = np.flatnonzero(left < 0)
        leaf = np.zeros(len(left), dtype=np.int64)
        leaf[ends] = np.arange(len(ends))
        counts = np.zeros((int(self.sizes[j]), len(ends)), dtype=np.float32)
        np.add.at(counts, (self.codes[:, j], leaf[node]), 1)
        shares = np.ascontiguousarray(self.smooth[j].shares(counts, counts.sum(0)).T)
        return Tree(column, threshold, left, right, leaf, flat, offsets, shares)

    def _split(self, features: np.ndarray, target: np.ndarray, seed: int) -> tuple[np.ndarray, ...]:
        from sklearn.tree import DecisionTreeRegressor

        tried = max(1, round(features.shape[1] * 2 / 3))
        grown = DecisionTreeRegressor(min_samples_leaf=self.least, max_features=tried, random_state=seed)
        tree = grown.fit(features, target).tree_
        node = tree.apply(features)
        parts = (tree.feature, tree.threshold, tree.children_left, tree.children_right, node)
        return tuple(np.ascontiguousarray(part) for part in parts)

    def _whole(self) -> tuple[np.ndarray, ...]:
        none = np.array([-1], dtype=np.int64)
        return none, np.zeros(1), none, none, np.zeros(len(self.codes), dtype=np.int64)


def _target(codes: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """(n, outputs) what a tree is to tell apart: a number's rank, and codes as indicators (squared error is then Gini
    impurity)."""
    held = np.isnan(positions[codes])
    ranks = np.where(held, 0.5, np.nan_to_num(positions[codes]))
    found, count = np.unique(codes[held], return_counts=True)
    named = found[np.argsort(-count, kind="stable")][:TARGETS]
    return np.column_stack([ranks * 2, codes[:, None] == named]).astype(float)


def _scores(codes: np.ndarray, size: int, positions: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(size,) where a column's codes stand for splits: numbers by value, the missing one first, categories by what they
    say of the target (Fisher 1958): the direction in which their means of it differ most."""
    if not np.isnan(positions).all():
        return np.nan_to_num(positions, nan=-1.0)
    count = np.bincount(codes, minlength=size).astype(float)
    means = np.column_stack([np.bincount(codes, weights=t, minlength=size) for t in (target - target.mean(0)).T])
    root = np.sqrt(np.maximum(count, 1))[:, None]
    direction = np.linalg.svd(means / root, full_matrices=False)[2][0] if means.size else np.zeros(0)
    found: np.ndarray = (means / root**2) @ direction
    return found


def _records_of(subjects: np.ndarray, *, patients: int) -> int:
    """So many records hold at least so many patients, whoever they are."""
    most = np.sort(np.unique(subjects, return_counts=True)[1])[::-1]
    return int(most[: patients - 1].sum()) + 1
