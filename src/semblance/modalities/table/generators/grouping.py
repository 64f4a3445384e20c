"""Which codes of a column count as one: what is rare beside the noise is put together before pairs are counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def frequent(shares: np.ndarray, *, most: int, least: float) -> np.ndarray:
    """The frequent codes alone, all others together."""
    order = np.argsort(-shares, kind="stable")[: most - 1]
    kept = order[shares[order] >= least]
    group = np.full(len(shares), len(kept))
    group[kept] = np.arange(len(kept))
    return group


def classes(shares: np.ndarray, *, most: int, least: float) -> np.ndarray:
    """The same, but what is left over goes with the rarest class where it is too rare to be one."""
    group = frequent(shares, most=most, least=least)
    last = int(group.max())
    return np.minimum(group, last - 1) if last and shares[group == last].sum() < least else group


def neighbours(shares: np.ndarray, *, most: int, least: float) -> np.ndarray:
    """Cells in order, put together to at most `most` groups that hold about as much, and `least` at least.

    A cell that holds more than its part stands alone, so that a spike leaves the groups to the rest.
    """
    alone = np.zeros(len(shares), dtype=bool)
    while True:
        left = max(most - int(alone.sum()), 1)
        each = max(float(shares[~alone].sum()) / left, least)
        more = ~alone & (shares >= each)
        if left == 1 or not more.any():
            break
        alone[np.flatnonzero(more)[: left - 1]] = True
    group, at, held = np.zeros(len(shares), dtype=np.int64), 0, 0.0
    for cell, share in enumerate(shares):
        if cell and (alone[cell] or alone[cell - 1] or (held > 0 and held + share / 2 > each)):
            at, held = at + 1, 0.0
        group[cell] = at
        held += share
    return group


def cells(
    shares: np.ndarray, *, most: int, least: float, rare: float | None = None, cuts: Sequence[int] = ()
) -> np.ndarray:
    """Of a number: its cells in their order, after the missing value, which stands apart where it is not `rare`.

    A group is split at each of `cuts`, the codes of cells, where both of its parts hold `least`: beyond `most`.
    """
    group = split(neighbours(shares[1:], most=most, least=least), shares[1:], [cut - 1 for cut in cuts], least=least)
    missing = int(group.max()) + 1 if shares[0] > (least if rare is None else rare) else 0
    return np.concatenate([[missing], group]).astype(np.int64)


def split(group: np.ndarray, shares: np.ndarray, cuts: Sequence[int], *, least: float) -> np.ndarray:
    """Groups of cells in their order, split before each of the cells `cuts` where both parts hold `least`."""
    for cut in cuts:
        inside = group == group[cut]
        before = inside & (np.arange(len(group)) < cut)
        if before.any() and min(shares[before].sum(), shares[inside & ~before].sum()) >= least:
            group = group + (np.arange(len(group)) >= cut)
    return group


def sizes(groups: Sequence[np.ndarray]) -> np.ndarray:
    """(columns,) how many groups each column has."""
    return np.array([int(group.max()) + 1 for group in groups], dtype=np.int64)


def summed(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """(..., groups) sums of (..., codes) values."""
    found: np.ndarray = values @ np.eye(int(group.max()) + 1)[group]
    return found
