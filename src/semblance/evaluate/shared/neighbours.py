"""Exact nearest neighbours between parts of the evidence, searched once and shared by all metrics and attacks.

The search is exhaustive: blocked matrix products, of which only what beats a query's k-th best so far is looked at
again (less than half the time of scikit-learn's, which keeps a heap). There is no approximate index anywhere, since a
copy that an index misses would be a patient that nobody protects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.evaluate.shared.models import beside

MOST = 20
QUERIES, POINTS = 512, 4096  # of one product: it stays in the cache
FIRST = 128  # points of the first product


@dataclass(frozen=True)
class Neighbours:
    """For each query, its k nearest points, nearest first: `where` (n, k) rows of the part, `distance` (n, k)."""

    where: np.ndarray
    distance: np.ndarray


def neighbours(
    evidence: Evidence[Any], queries: tuple[Part, np.ndarray | None], points: tuple[Part, np.ndarray | None], *, k: int
) -> Neighbours:
    """The k nearest of `points` to each of `queries`, in the embedding; each is a part and rows of it (None: all).

    A record never counts as its own neighbour where both are the same rows of one part. Searched once per pair of
    sides, for MOST neighbours or as many as there are; `where` holds rows of the whole part.
    """
    (asked, rows), (held, among) = queries, points
    key = ("neighbours", asked, _mark(rows), held, _mark(among))
    found = evidence.once(key, lambda: _search(evidence, queries, points))
    return Neighbours(found.where[:, :k], found.distance[:, :k])


def _mark(rows: np.ndarray | None) -> Any:
    return None if rows is None else (len(rows), hash(rows.tobytes()))


def _search(
    evidence: Evidence[Any], queries: tuple[Part, np.ndarray | None], points: tuple[Part, np.ndarray | None]
) -> Neighbours:
    x, y = (_of(evidence, part, rows) for part, rows in (queries, points))
    same = queries[0] == points[0] and _mark(queries[1]) == _mark(points[1])
    return nearest(x, y, k=MOST, same=same, rows=points[1])


def _of(evidence: Evidence[Any], part: Part, rows: np.ndarray | None) -> np.ndarray:
    whole = evidence.embedding(part)
    return whole if rows is None else whole[rows]


def nearest(
    queries: np.ndarray, points: np.ndarray, *, k: int, same: bool = False, rows: np.ndarray | None = None
) -> Neighbours:
    """The k nearest `points` (m, d) of each of `queries` (n, d), by Euclidean distance; fewer where there are fewer.

    `same` says that both are one set, so that each leaves itself out. `rows` renames the points. The distance is taken
    again from the difference itself, so that an exact copy has distance 0 and not the rounding of a square root.
    """
    k = min(k, len(points) - same)
    if k < 1 or not len(queries):
        return Neighbours(np.empty((len(queries), 0), dtype=np.int64), np.empty((len(queries), 0)))
    where = _exhaustive(queries, points, k=k, same=same)
    distance = np.stack([_distance(queries, points[where[:, i]]) for i in range(k)], axis=1)
    order = np.argsort(distance, axis=1, kind="stable")
    where, distance = np.take_along_axis(where, order, axis=1), np.take_along_axis(distance, order, axis=1)
    return Neighbours(where if rows is None else rows[where], distance)


def _exhaustive(queries: np.ndarray, points: np.ndarray, *, k: int, same: bool) -> np.ndarray:
    """(n, k) rows of the nearest points, in no order.

    A point is the nearer, the larger q.p - |p|^2 / 2; both are centred, since single precision forgets the small
    differences of large numbers.
    """
    centre = points.mean(axis=0, dtype=np.float64).astype(np.float32)
    q, p = queries - centre, points - centre
    held = np.concatenate([p, -np.einsum("ij,ij->i", p, p)[:, None] / 2], axis=1).T
    asked = np.concatenate([q, np.ones((len(q), 1), dtype=np.float32)], axis=1)
    blocks = [partial(_block, asked, held, start, k=k, same=same) for start in range(0, len(q), QUERIES)]
    return np.concatenate(beside(blocks))


def _block(asked: np.ndarray, held: np.ndarray, start: int, *, k: int, same: bool) -> np.ndarray:
    block = asked[start : start + QUERIES]
    rows = np.arange(len(block))
    best, where = np.full((len(block), k), -np.inf, dtype=np.float32), np.zeros((len(block), k), dtype=np.int64)
    for first, last in _spans(held.shape[1]):
        near = block @ held[:, first:last]
        if same:
            own = start + rows - first
            inside = (own >= 0) & (own < near.shape[1])
            near[rows[inside], own[inside]] = -np.inf
        best, where = _merged(best, where, near, first)
    return where


def _spans(n: int) -> Iterator[tuple[int, int]]:
    """Small spans of points first, so that few pass once the large ones come; each doubles what was seen, to POINTS."""
    first = 0
    while first < n:
        last = first + min(max(first, FIRST), POINTS)
        yield first, last
        first = last


def _merged(best: np.ndarray, where: np.ndarray, near: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray]:
    """The k best of those so far, (n, k), and of the columns of `near` (n, m), which are points `first` and on."""
    n, k = best.shape
    row, column = np.divmod(np.flatnonzero(near > best.min(axis=1)[:, None]), near.shape[1])
    if not len(row):
        return best, where
    count = np.bincount(row, minlength=n)
    place = k + np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    values = np.full((n, k + count.max()), -np.inf, dtype=np.float32)
    points = np.zeros(values.shape, dtype=np.int64)
    values[:, :k], points[:, :k] = best, where
    values[row, place], points[row, place] = near[row, column], first + column
    top = np.argpartition(values, values.shape[1] - k, axis=1)[:, -k:]
    return np.take_along_axis(values, top, axis=1), np.take_along_axis(points, top, axis=1)


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    gap = a - b
    distance: np.ndarray = np.sqrt(np.einsum("ij,ij->i", gap, gap, dtype=np.float64))
    return distance
