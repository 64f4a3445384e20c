"""Who plays in a membership game: members, outsiders and a reference, the same for every attack.

Members are train patients, outsiders as many holdout patients, the reference is the other train patients. All three are
drawn alike from one population, so where nothing leaks the score of a member and of an outsider are exchangeable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.judge import AttackScores
from semblance.core.rng import stream
from semblance.evaluate.shared.neighbours import MOST, Neighbours, neighbours

PATIENTS = {"fast": 2_000, "standard": 10_000, "audit": 50_000}
REFERENCE = {"fast": 5_000, "standard": 20_000, "audit": 1_000_000}
LOCAL = 5  # reference records by which a patient counts as near or far

Side = tuple[Part, np.ndarray | None]
"""Records: a part of the evidence and rows of it (None: all)."""


@dataclass(frozen=True)
class Cast:
    """Rows of each side. `member` and `reference` are rows of train, `outsider` of holdout.

    `first` and `second` are halves of the reference: a control lets one of them play the synthetic records.
    """

    member: np.ndarray
    outsider: np.ndarray
    reference: np.ndarray

    @property
    def first(self) -> np.ndarray:
        return self.reference[: len(self.reference) // 2]

    @property
    def second(self) -> np.ndarray:
        return self.reference[len(self.reference) // 2 :]


@dataclass(frozen=True)
class Game:
    """What an attacker holds: records of patients (`players`: members, outsiders), those that a generator made, and
    real ones of other patients (`real`, halves of the reference)."""

    players: tuple[Side, Side]
    made: Side
    real: tuple[Side, ...]


Rule = Callable[[Evidence[Any], Game], tuple[np.ndarray, np.ndarray]]
"""An attack: one score per record of the members and of the outsiders. It treats both alike."""


def cast(evidence: Evidence[Any]) -> Cast:
    """The cast of this evidence: equally many members and outsiders, at most PATIENTS of the tier on each side."""
    return evidence.once("cast", lambda: _cast(evidence, rng=stream(evidence.seed, "cast")))


def _cast(evidence: Evidence[Any], *, rng: np.random.Generator) -> Cast:
    train, holdout = (rng.permutation(np.unique(part.subjects)) for part in (evidence.train, evidence.holdout))
    n = min(len(train) // 2, len(holdout), PATIENTS[evidence.tier])
    member = np.isin(evidence.train.subjects, train[:n])
    rest = rng.permutation(np.flatnonzero(~member))[: REFERENCE[evidence.tier]]
    return Cast(np.flatnonzero(member), np.flatnonzero(np.isin(evidence.holdout.subjects, holdout[:n])), rest)


def play(evidence: Evidence[Any], name: str, rule: Rule) -> AttackScores:
    """The scores of one attack: against the synthetic records, and in the control against a real reference half.

    A patient's score is the largest of its records'. The scores are empty where a side has nobody.
    """
    sides = cast(evidence)
    if not min(len(sides.member), len(sides.outsider), len(sides.first), len(evidence.synthetic)):
        return unplayed(name)
    scored = [by_patient(evidence, rule(evidence, game)) for game in games(evidence)]
    return AttackScores(name, *scored[0], *scored[1], *_far(evidence))


def unplayed(name: str) -> AttackScores:
    """An attack that could not be made: no scores."""
    nobody = np.empty(0)
    return AttackScores(name, nobody, nobody, nobody, nobody)


def games(evidence: Evidence[Any]) -> tuple[Game, Game]:
    """The game itself and its control."""
    sides = cast(evidence)
    players: tuple[Side, Side] = ("train", sides.member), ("holdout", sides.outsider)
    first: Side = ("train", sides.first)
    second: Side = ("train", sides.second)
    return Game(players, ("synthetic", None), (first, second)), Game(players, first, (second,))


def around(evidence: Evidence[Any], queries: Side, points: tuple[Side, ...]) -> Neighbours:
    """The nearest records of several sides of one part together, at most MOST of them."""
    found = [neighbours(evidence, queries, side, k=MOST) for side in points]
    where, distance = (np.concatenate([getattr(f, name) for f in found], axis=1) for name in ("where", "distance"))
    order = np.argsort(distance, axis=1, kind="stable")[:, :MOST]
    return Neighbours(np.take_along_axis(where, order, axis=1), np.take_along_axis(distance, order, axis=1))


def by_patient(evidence: Evidence[Any], scores: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Scores of records as scores of patients, of members and of outsiders."""
    sides = cast(evidence)
    return (
        per_patient(scores[0], evidence.train.subjects[sides.member]),
        per_patient(scores[1], evidence.holdout.subjects[sides.outsider]),
    )


def per_patient(scores: np.ndarray, subjects: np.ndarray) -> np.ndarray:
    """The largest score of each patient, in the order of np.unique(subjects): the same for every attack."""
    names, code = np.unique(subjects, return_inverse=True)
    best = np.full(len(names), -np.inf)
    np.maximum.at(best, code, scores)
    return best


def _far(evidence: Evidence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """How far each patient lies from the reference: the largest mean distance of a record to its LOCAL nearest."""
    game = games(evidence)[0]
    members, outsiders = (around(evidence, side, game.real).distance[:, :LOCAL].mean(axis=1) for side in game.players)
    return by_patient(evidence, (members, outsiders))
