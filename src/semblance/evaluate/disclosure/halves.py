"""The columns in two halves, and for each victim the synthetic records that are nearest under each half alone.

Linkability asks whether both halves lead to the same record; attribute disclosure takes the records that the half
without the secret leads to. One search serves both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.evaluate.disclosure.known import known
from semblance.evaluate.disclosure.space import gaps, spread, vectors
from semblance.evaluate.disclosure.victims import against
from semblance.evaluate.shared.models import beside
from semblance.evaluate.shared.neighbours import nearest

PATIENTS = {"fast": 300, "standard": 1_500, "audit": 10_000}
NEAREST = 20  # records that the search under a half hands on
COLUMNS = 2_000  # columns of a wide table that are compared
STRIP = 1 << 22  # values compared at once

Half = tuple[int, ...]


@dataclass(frozen=True)
class Search:
    """Who is searched for, `rows` of `part`, and where: the records `among` of `held`."""

    part: Part
    rows: np.ndarray
    held: Part
    among: np.ndarray


@dataclass(frozen=True)
class Traces:
    """The records of `held` that a search leads to under the first and the second half, (n, k) each, nearest first."""

    search: Search
    first: np.ndarray
    second: np.ndarray


Sides = tuple[Traces, Traces]
"""Those of train patients and those of strangers."""


def split(evidence: Evidence[Any]) -> tuple[Half, Half]:
    """Two disjoint halves of the columns, each with half of what is known and half of the rest; at most COLUMNS.

    Columns are dealt in turn, those of most values in train first, so that both halves tell patients apart.
    """
    made: tuple[Half, Half] = evidence.once("attack halves", lambda: _split(evidence))
    return made


def _split(evidence: Evidence[Any]) -> tuple[Half, Half]:
    values = [len(np.unique(column)) for column in evidence.features("train").x.T]
    told = set(known(evidence))
    order = sorted(range(len(values)), key=lambda j: (j not in told, -values[j], j))[:COLUMNS]
    return tuple(j for i, j in enumerate(order) if i % 4 in (0, 3)), tuple(
        j for i, j in enumerate(order) if i % 4 in (1, 2)
    )


def spreads(evidence: Evidence[Any]) -> np.ndarray:
    """(d,) the `spread` of each column of train."""
    made: np.ndarray = evidence.once("attack spreads", lambda: spread(evidence.features("train")))
    return made


def traces(evidence: Evidence[Any]) -> tuple[Sides, Sides]:
    """Where members and outsiders lead to among the synthetic records, and in the control among the decoys."""
    made: tuple[Sides, Sides] = evidence.once("attack traces", lambda: _traces(evidence))
    return made


def _traces(evidence: Evidence[Any]) -> tuple[Sides, Sides]:
    spreads(evidence)  # and the features with it, before the threads start
    played = against(evidence, PATIENTS[evidence.tier], Search)
    fits = [partial(_find, evidence, pair, half) for pair in played for half in split(evidence)]
    first, second, control_first, control_second = beside(fits)
    return _paired(played[0], first, second), _paired(played[1], control_first, control_second)


def _paired(pair: tuple[Search, Search], first: list[np.ndarray], second: list[np.ndarray]) -> Sides:
    train, stranger = (Traces(*one) for one in zip(pair, first, second, strict=True))
    return train, stranger


def _find(evidence: Evidence[Any], pair: tuple[Search, Search], half: Half) -> list[np.ndarray]:
    """For both searches, which look among the same records, the NEAREST under a half."""
    train, scale, held, among = evidence.features("train"), spreads(evidence), pair[0].held, pair[0].among
    asked = np.concatenate([evidence.features(one.part).x[one.rows] for one in pair])
    queries, points = (vectors(x, train, half, scale) for x in (asked, evidence.features(held).x[among]))
    where = nearest(queries, points, k=NEAREST, rows=among).where
    return [
        _ordered(evidence, one, near, half)
        for one, near in zip(pair, np.split(where, [len(pair[0].rows)]), strict=True)
    ]


def _ordered(evidence: Evidence[Any], search: Search, where: np.ndarray, half: Half) -> np.ndarray:
    far = np.concatenate([gap.sum(axis=2) for gap in strips(evidence, search, where, half)])
    return np.take_along_axis(where, np.argsort(far, axis=1, kind="stable"), axis=1)


def strips(evidence: Evidence[Any], search: Search, where: np.ndarray, columns: Half) -> Iterator[np.ndarray]:
    """Gower distances (strip, k, columns) of the victims to the records `where` (n, k), some victims at a time."""
    asked, held, train = (evidence.features(part) for part in (search.part, search.held, "train"))
    chosen = np.array(columns)
    step = max(STRIP // max(where.shape[1] * len(chosen), 1), 1)
    for start in range(0, len(where), step):
        rows, near = search.rows[start : start + step], where[start : start + step]
        a, b = asked.x[rows][:, chosen], held.x[near[:, :, None], chosen]
        yield gaps(a[:, None], b, train.categorical[chosen], spreads(evidence)[chosen])
