"""Exact nearest neighbours between parts of the evidence, searched once and shared by all metrics and attacks.

The search is scikit-learn's exhaustive one (blocked matrix products, a heap per query); there is no approximate index
anywhere, since a copy that an index misses would be a patient that nobody protects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from semblance.core.dataset import Evidence, Part

MOST = 20


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
    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points)
    where = search.kneighbors(None if same else queries, return_distance=False)
    distance = np.stack([_distance(queries, points[where[:, i]]) for i in range(k)], axis=1)
    order = np.argsort(distance, axis=1, kind="stable")
    where, distance = np.take_along_axis(where, order, axis=1), np.take_along_axis(distance, order, axis=1)
    return Neighbours(where if rows is None else rows[where], distance)


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    gap = a - b
    distance: np.ndarray = np.sqrt(np.einsum("ij,ij->i", gap, gap, dtype=np.float64))
    return distance
