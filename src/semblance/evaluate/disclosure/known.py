"""What an outsider may know of a patient (the quasi-identifiers), and what then remains to be kept secret.

Nobody has to choose columns by hand: what the schema file declares comes first, then demographic and administrative
names, then the columns that tell patients apart best.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.judge import patient_rows
from semblance.core.names import words
from semblance.core.rng import stream

MOST = 6
LEAST = 3
RECORDS = 5_000  # train records on which columns are compared
VALUES = 100  # a number with more values than this is known in bands only
BANDS = 20

_WORDS = frozenset(
    [
        "age",
        "sex",
        "gender",
        "race",
        "ethnic",
        "ethnicity",
        "ethnie",
        "zip",
        "zipcode",
        "postcode",
        "postal",
        "plz",
        "county",
        "state",
        "city",
        "region",
        "district",
        "marital",
        "relationship",
        "education",
        "school",
        "occupation",
        "job",
        "profession",
        "workclass",
        "employer",
        "employment",
        "income",
        "country",
        "nationality",
        "native",
        "citizen",
        "language",
        "religion",
        "birth",
        "born",
        "birthdate",
        "birthday",
        "dob",
        "yob",
        "insurance",
        "insurer",
        "payer",
        "payor",
        "hospital",
        "ward",
        "site",
        "center",
        "centre",
        "clinic",
        "weight",
        "height",
        "bmi",
        "alter",
        "geschlecht",
        "gewicht",
        "beruf",
    ]
)
_EVENTS = frozenset(
    ["admission", "admitted", "admit", "discharge", "discharged", "visit", "sample", "enrolment", "enrollment"]
)
_WHEN = frozenset(["date", "dt", "day", "month", "year", "yr", "time", "at", "on"])


def known(evidence: Evidence[Any]) -> tuple[int, ...]:
    """Positions of the quasi-identifiers, ascending; at least one column is left to be a secret, the target always.

    Declared ones are taken as they are. Otherwise up to MOST columns with telling names, then others until there are
    LEAST; each time the column that adds most distinct combinations among train records (Sweeney's uniqueness).
    """
    made: tuple[int, ...] = evidence.once("known", lambda: _known(evidence))
    return made


def secrets(evidence: Evidence[Any]) -> tuple[int, ...]:
    """Positions of all other columns with more than one value in train: each is a secret."""
    train, told = evidence.features("train"), set(known(evidence))
    made: tuple[int, ...] = evidence.once(
        "secrets", lambda: tuple(j for j, column in enumerate(train.x.T) if j not in told and _varies(column))
    )
    return made


def telling(name: str) -> bool:
    """Whether a column's name is demographic or administrative.

    >>> telling("native-country"), telling("patientAge"), telling("admission_date"), telling("stage"), telling("dosage")
    (True, True, True, False, False)
    """
    said = set(words(name))
    return bool(said & _WORDS or (said & _EVENTS and (said & _WHEN or len(said) == 1)))


def _known(evidence: Evidence[Any]) -> tuple[int, ...]:
    train = evidence.features("train")
    free = [j for j in range(len(train.names)) if j != train.target]
    if declared := [j for j in train.quasi if j != train.target]:
        return tuple(sorted(declared))
    if len(train.names) < 2:
        return ()
    rows = patient_rows(evidence.train.subjects, RECORDS, rng=stream(evidence.seed, "known"))
    codes = coded(evidence, "train")[rows]
    named = [j for j in free if telling(train.names[j])]
    room = len(train.names) - 1
    chosen = _greedy(codes, named, (), min(MOST, room))
    return tuple(sorted(_greedy(codes, free, chosen, min(LEAST, room))))


def _greedy(codes: np.ndarray, among: list[int], chosen: tuple[int, ...], most: int) -> tuple[int, ...]:
    """`chosen` and further columns up to `most`, each the one with which most combinations are distinct."""
    group = keys(codes, chosen)
    while len(chosen) < most and (left := [j for j in among if j not in chosen]):
        made = {j: _crossed(group, codes[:, j]) for j in left}
        best = max(left, key=lambda j: (made[j].max(initial=-1), -j))
        chosen, group = (*chosen, best), made[best]
    return chosen


def coded(evidence: Evidence[Any], part: Part) -> np.ndarray:
    """(n, d) int64 codes, as an outsider knows values: categories and numbers of few values as they are, other numbers
    in BANDS quantile bands of train; missing is 0. A value that train lacks has a code that train lacks.
    """
    train = evidence.features("train").x
    grids: list[Grid] = evidence.once("attack grids", lambda: [_grid(column) for column in train.T])
    made: np.ndarray = evidence.once(("attack codes", part), lambda: coarse(evidence.features(part).x, grids))
    return made


@dataclass(frozen=True)
class Grid:
    """How a column is known: the values that train holds, or (`bands`) the edges between bands of them."""

    points: np.ndarray
    bands: bool


def _grid(column: np.ndarray) -> Grid:
    present = column[~np.isnan(column)]
    values = np.unique(present)
    if len(values) <= VALUES:
        return Grid(values, bands=False)
    return Grid(np.unique(np.quantile(present, np.arange(1, BANDS) / BANDS)), bands=True)


def coarse(x: np.ndarray, grids: list[Grid]) -> np.ndarray:
    """(n, d) the codes of a table (n, d)."""
    made = np.zeros(x.shape, dtype=np.int64)
    for j, grid in enumerate(grids):
        at = np.searchsorted(grid.points, x[:, j], side="right" if grid.bands else "left")
        if not grid.bands:
            held = np.append(grid.points, np.nan)[at] == x[:, j]
            at = np.where(held, at, len(grid.points))
        made[:, j] = np.where(np.isnan(x[:, j]), 0, 1 + at)
    return made


def keys(codes: np.ndarray, columns: tuple[int, ...]) -> np.ndarray:
    """(n,) one number per distinct combination of the columns' codes, counted from 0."""
    group = np.zeros(len(codes), dtype=np.int64)
    for j in columns:
        group = _crossed(group, codes[:, j])
    return group


def drawn(mine: np.ndarray, made: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """(n,) for each combination of `mine` one record of `made` (m,) that has it, at random; -1 where none has."""
    order, size = np.argsort(made, kind="stable"), np.bincount(made, minlength=mine.max(initial=0) + 1)
    start = np.cumsum(size) - size
    at = start[mine] + (rng.random(len(mine)) * size[mine]).astype(np.int64)
    return np.where(size[mine] > 0, order[np.minimum(at, len(order) - 1)], -1)


def _crossed(group: np.ndarray, codes: np.ndarray) -> np.ndarray:
    crossed: np.ndarray = np.unique(group * (codes.max(initial=0) + 1) + codes, return_inverse=True)[1]
    return crossed


def _varies(column: np.ndarray) -> bool:
    missing = np.isnan(column)
    present = column[~missing]
    return len(present) > 0 and (bool(missing.any()) or present.min() < present.max())
