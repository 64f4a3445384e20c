"""Membership by counting: around a training patient there are more synthetic records than the population explains.

Two families of counts, joined by the mean of their ranks (Ward et al. 2025, arXiv 2509.05350, on joining attacks):

- the share of synthetic records among the k nearest of synthetic and reference records together (data plagiarism index,
  Ward et al. 2024, arXiv 2406.13012);
- synthetic less reference records within a radius (Monte Carlo attack, Hilprecht et al. 2019), the radius being the
  median distance to the nearest synthetic record.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import rankdata

from semblance.core.dataset import Evidence
from semblance.core.judge import AttackScores, measures
from semblance.evaluate.attacks.cast import Game, around, play
from semblance.evaluate.attacks.scores import METRICS

CROWDS = (1, 2, 3, 5, 10, 20)  # neighbours


@measures(*METRICS)
def neighbour_ensemble(evidence: Evidence[Any]) -> AttackScores:
    """Mean rank, among all players, of the summed shares over CROWDS and of the count within the radius."""
    return play(evidence, "neighbour_ensemble", _counted)


def _counted(evidence: Evidence[Any], game: Game) -> tuple[np.ndarray, np.ndarray]:
    made, real = (
        np.concatenate([around(evidence, side, points).distance for side in game.players])
        for points in ((game.made,), game.real)
    )
    radius = float(np.median(made[:, 0]))
    within = (made <= radius).sum(axis=1) - (real <= radius).sum(axis=1)
    ranks = rankdata(shares(made, real)) + rankdata(within)
    members = len(around(evidence, game.players[0], (game.made,)).distance)
    return ranks[:members], ranks[members:]


def shares(made: np.ndarray, real: np.ndarray) -> np.ndarray:
    """(n,) mean over CROWDS of the share of `made` (n, k) among the nearest of both; distances, nearest first."""
    order = np.argsort(np.concatenate([real, made], axis=1), axis=1, kind="stable")[:, : max(CROWDS)]
    found = np.cumsum(order >= real.shape[1], axis=1)
    crowds = np.minimum(CROWDS, order.shape[1])
    share: np.ndarray = (found[:, crowds - 1] / crowds).mean(axis=1)
    return share
