"""Membership by distance: a training patient lies nearer to the synthetic records than fresh real records would.

The distance to the nearest synthetic record is compared with the distance to the nearest of a real reference set, which
takes out that some patients live in crowded places (the difference attack of Synth-MIA; calibration as Watson et al.
2022, arXiv 2111.08440). The reference is train patients other than the members, so members and outsiders meet it alike
and the score is exactly exchangeable wherever nothing leaks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.judge import AttackScores, measures
from semblance.evaluate.attacks.cast import Game, Side, around, play
from semblance.evaluate.attacks.scores import METRICS


@measures(*METRICS)
def nearest_difference(evidence: Evidence[Any]) -> AttackScores:
    """Distance to the nearest reference record less that to the nearest synthetic one. Every record is searched."""
    return play(evidence, "nearest_difference", closer)


def closer(evidence: Evidence[Any], game: Game) -> tuple[np.ndarray, np.ndarray]:
    """One score per record of the members and of the outsiders."""

    def score(side: Side) -> np.ndarray:
        made, real = (around(evidence, side, points).distance[:, 0] for points in ((game.made,), game.real))
        return real - made

    return score(game.players[0]), score(game.players[1])
