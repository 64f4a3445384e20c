"""Membership by likelihood: would the synthetic records near a patient be likelier, had the patient been in the data?

Gen-LRA (Ward, Wang and Cheng 2025, arXiv 2508.21146) adds the patient x to a reference R of n records and scores

    sum over the k nearest synthetic records s of   log p(s | R and x) - log p(s | R).

With a Gaussian kernel K this is sum log(1 + K(s, x) / sum_R K(s, r)) + k log(n / (n + 1)), and the last term is the
same for everybody. Only the reference records nearest to x enter the inner sum: with a narrow kernel the others weigh
nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.judge import AttackScores, measures
from semblance.evaluate.attacks.cast import LOCAL, Game, Side, around, play
from semblance.evaluate.attacks.scores import METRICS

NEAREST = 2  # synthetic records
WIDTH = 0.2  # of the kernel, as a share of the usual distance between neighbours; .1 to 1 were measured
BLOCK = 1024


@measures(*METRICS)
def likelihood_ratio(evidence: Evidence[Any]) -> AttackScores:
    """How much a patient's record would raise the likelihood of the NEAREST synthetic records."""
    return play(evidence, "likelihood_ratio", _raised)


def _raised(evidence: Evidence[Any], game: Game) -> tuple[np.ndarray, np.ndarray]:
    width = WIDTH * _usual(evidence, game)
    members, outsiders = (_side(evidence, side, game, width=width) for side in game.players)
    return members, outsiders


def _usual(evidence: Evidence[Any], game: Game) -> float:
    """The usual distance of a player to reference records: the median, or the mean where most records repeat."""
    gaps = np.concatenate([around(evidence, side, game.real).distance[:, :LOCAL].mean(axis=1) for side in game.players])
    return next((float(gap) for gap in (np.median(gaps), gaps.mean()) if gap > 0), 1.0)


def _side(evidence: Evidence[Any], side: Side, game: Game, *, width: float) -> np.ndarray:
    part, rows = side
    x = evidence.embedding(part)[rows]
    made, real = (around(evidence, side, points).where for points in ((game.made,), game.real))
    synthetic, reference = (evidence.embedding(points[0]) for points in (game.made, game.real[0]))
    scores = np.empty(len(x))
    for start in range(0, len(x), BLOCK):
        at, own = slice(start, start + BLOCK), x[start : start + BLOCK, None]
        scores[at] = raised(synthetic[made[at, :NEAREST]] - own, reference[real[at]] - own, width=width)
    return scores


def raised(made: np.ndarray, real: np.ndarray, *, width: float) -> np.ndarray:
    """(n,) sum over s of log(1 + K(s, 0) / sum over r of K(s, r)).

    `made` (n, k, d) and `real` (n, m, d) are synthetic and reference records as seen from the patient.
    """
    near, far = (np.einsum("nkd,nkd->nk", seen, seen, dtype=np.float64) for seen in (made, real))
    gap = near[:, :, None] + far[:, None, :] - 2 * np.matmul(made, real.transpose(0, 2, 1))
    exponent = -np.maximum(gap, 0) / (2 * width**2)
    top = exponent.max(axis=2)
    reference = top + np.log(np.exp(exponent - top[:, :, None]).sum(axis=2))
    score: np.ndarray = np.logaddexp(0, -near / (2 * width**2) - reference).sum(axis=1)
    return score
