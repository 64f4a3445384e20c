"""Membership by classification: a patient that a classifier takes for synthetic was probably learned by heart.

The classifier attack of LOGAN (Hayes et al. 2019) and Houssiau et al. 2022 (TAPAS), without access to the generator: a
model learns to tell synthetic records from the reference, and a patient's score is its probability of "synthetic".
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.judge import AttackScores, measures, patient_rows
from semblance.core.rng import stream
from semblance.evaluate.attacks.cast import Game, Side, games, play
from semblance.evaluate.attacks.scores import METRICS
from semblance.evaluate.shared.models import beside, boosting

RECORDS = {"fast": 3_000, "standard": 10_000, "audit": 100_000}  # on a side


@measures(*METRICS)
def classifier(evidence: Evidence[Any]) -> AttackScores:
    """The probability that boosted trees, told synthetic from reference records, give a patient of being synthetic."""
    return play(evidence, "classifier", _told)


def _told(evidence: Evidence[Any], game: Game) -> tuple[np.ndarray, np.ndarray]:
    both = evidence.once("classifier", lambda: beside([partial(_fit, evidence, one) for one in games(evidence)]))
    return both[0] if game.made[0] == "synthetic" else both[1]


def _fit(evidence: Evidence[Any], game: Game) -> tuple[np.ndarray, np.ndarray]:
    rng = stream(evidence.seed, "classifier", game.made[0])
    made = _sample(evidence, game.made, rng=rng)
    real = np.concatenate([_sample(evidence, side, rng=rng) for side in game.real])
    label = np.arange(len(made) + len(real)) < len(made)
    players = [_x(evidence, side) for side in game.players]
    known = evidence.features("train").categorical
    learned, seed = np.concatenate([made, real]), int(rng.integers(2**31))
    score = boosting(learned, label.astype(int), np.concatenate(players), known, np.array([1]), seed=seed)[:, 0]
    return score[: len(players[0])], score[len(players[0]) :]


def _sample(evidence: Evidence[Any], side: Side, *, rng: np.random.Generator) -> np.ndarray:
    part, rows = side
    subjects = getattr(evidence, part).subjects
    chosen = patient_rows(subjects if rows is None else subjects[rows], RECORDS[evidence.tier], rng=rng)
    return _x(evidence, side)[chosen]


def _x(evidence: Evidence[Any], side: Side) -> np.ndarray:
    x = evidence.features(side[0]).x
    return x if side[1] is None else x[side[1]]
