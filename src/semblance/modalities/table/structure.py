"""What a table's codes say about each other before training: information, and columns that follow from others.

A column that is a function of another (an education's name and its number) need not be learned: it is looked up after
sampling, and the pair can never disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

LOOKED_AT = 20_000
LARGE = 4_000_000
CHANCE = -50.0
"""A dependency counts only where chance would produce it with a log-probability below this."""


@dataclass(frozen=True)
class Structure:
    """`order`: the columns to learn, as sampled. `derived`: (child, parent, the child's code of each parent code)."""

    columns: int
    order: tuple[int, ...]
    derived: tuple[tuple[int, int, tuple[int, ...]], ...]

    @classmethod
    def of(cls, codes: np.ndarray, sizes: np.ndarray, *, first: Sequence[int] = ()) -> Structure:
        """Look at (n, d) codes: constants and functions of others aside, the rest by the information they share.

        Columns `first` are sampled before all others, in their order, and follow from none.
        """
        information, functions = _pairwise(codes[:: max(1, len(codes) // LOOKED_AT)], sizes)
        functions[:, list(first)] = False
        derived = _derived(codes, sizes, functions)
        known = {child for child, _, _ in derived} | {j for j in range(len(sizes)) if sizes[j] < 2}
        rest = [int(j) for j in np.argsort(-information.sum(1), kind="stable") if j not in first]
        order = [j for j in (*first, *rest) if j not in known]
        return cls(len(sizes), tuple(order), derived)

    @property
    def learned(self) -> np.ndarray:
        """The columns to learn, in table order."""
        return np.array(sorted(self.order), dtype=np.int64)

    def complete(self, learned: np.ndarray) -> np.ndarray:
        """(n, columns) codes from the (n, len(learned)) codes of the learned columns."""
        codes = np.zeros((len(learned), self.columns), dtype=np.int64)
        codes[:, self.learned] = learned
        for child, parent, lookup in reversed(self.derived):
            codes[:, child] = np.asarray(lookup, dtype=np.int64)[codes[:, parent]]
        return codes

    @property
    def roots(self) -> dict[int, tuple[int, np.ndarray]]:
        """Of each derived column the learned one that it follows from, and its code for each code of that one."""
        found: dict[int, tuple[int, np.ndarray]] = {}
        for child, parent, lookup in reversed(self.derived):
            root, through = found.get(parent, (parent, None))
            table = np.asarray(lookup, dtype=np.int64)
            found[child] = (root, table if through is None else table[through])
        return found

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"columns": self.columns, "order": self.order, "derived": self.derived}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Structure:
        """The inverse of `to_json`."""
        derived = tuple((child, parent, tuple(lookup)) for child, parent, lookup in data["derived"])
        return cls(data["columns"], tuple(data["order"]), derived)


def _pairwise(codes: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(d, d) mutual information, and (d, d) bool: column i determines column j in these records."""
    d = len(sizes)
    information, functions = np.zeros((d, d)), np.zeros((d, d), dtype=bool)
    for i in range(d):
        for j in range(i):
            if sizes[i] * sizes[j] > LARGE:
                continue  # of columns with so many codes, a table of all pairs says little and costs much
            joint = np.bincount(codes[:, i] * sizes[j] + codes[:, j], minlength=sizes[i] * sizes[j])
            joint = joint.reshape(sizes[i], sizes[j])
            information[i, j] = information[j, i] = mutual_information(joint)
            functions[i, j], functions[j, i] = _one_each(joint), _one_each(joint.T)
    return information, functions


def _one_each(joint: np.ndarray) -> bool:
    return bool(((joint > 0).sum(1) <= 1).all())


def mutual_information(joint: np.ndarray) -> float:
    """Mutual information in nats of a table of counts, with Miller and Madow's correction for its bias."""
    n = int(joint.sum())
    if n == 0:
        return 0.0
    row, column, share = joint.sum(1) / n, joint.sum(0) / n, joint / n
    held = joint > 0
    bias = (int(held.sum()) - int((row > 0).sum()) - int((column > 0).sum()) + 1) / (2 * n)
    i, j = np.nonzero(held)
    return float((share[i, j] * np.log(share[i, j] / (row[i] * column[j]))).sum() - bias)


def _derived(
    codes: np.ndarray, sizes: np.ndarray, functions: np.ndarray
) -> tuple[tuple[int, int, tuple[int, ...]], ...]:
    """Children with the fewest codes first; a column that has become a child is no parent any more."""
    found: dict[int, tuple[int, tuple[int, ...]]] = {}
    for child in map(int, np.argsort(sizes, kind="stable")):
        for parent in map(int, np.argsort(sizes, kind="stable")):
            free = parent != child and parent not in found and sizes[parent] > 1 and sizes[child] > 1
            if free and functions[parent, child]:
                lookup = _lookup(codes[:, parent], codes[:, child], int(sizes[parent]), int(sizes[child]))
                if lookup is not None:
                    found[child] = (parent, lookup)
                    break
    return tuple((child, parent, lookup) for child, (parent, lookup) in found.items())


def _lookup(parent: np.ndarray, child: np.ndarray, parents: int, children: int) -> tuple[int, ...] | None:
    """The child's code of every parent code, if all records agree and chance would not have made them."""
    joint = np.bincount(parent * children + child, minlength=parents * children).reshape(parents, children)
    if not _one_each(joint) or not len(parent):
        return None
    share = joint.sum(0) / len(parent)
    with np.errstate(divide="ignore"):
        chance = np.log((share[None, :] ** joint.sum(1)[:, None]).sum(1).clip(1e-300)).sum()
    return tuple(int(code) for code in joint.argmax(1)) if chance < CHANCE else None
