"""Membership by shadow models: do the synthetic records look as if the patient had been in the data, or not?

The likelihood-ratio attack (LiRA; Carlini et al. 2022, arXiv 2112.03570), online: the generator is fitted to many
random halves of a pool, so that every player stands in half of all fits. A statistic of the player against each fit's
synthetic records gives one normal distribution with and one without the player; the score is the log likelihood ratio
of the statistic against the records that were released.

The pool is the train patients and the outsiders, so members and outsiders meet the fits alike, and a shadow learns from
about half as many patients as the generator did. The attack refits the generator, so it is made in the audit tier only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.judge import AttackScores, measures
from semblance.core.modality import load
from semblance.core.rng import stream
from semblance.evaluate.attacks.cast import Game, Side, around, by_patient, cast, games, play, unplayed
from semblance.evaluate.attacks.density import RADII, log_radius
from semblance.evaluate.attacks.scores import METRICS
from semblance.evaluate.shared.neighbours import nearest

SHADOWS = 16  # fits: with few of them the spread is shared by all patients, as Carlini et al. do
SECONDS = 10.0  # of each fit
RECORDS = 20_000  # synthetic records of each fit, and of the released ones that are held against them
LEAST_SPREAD = 1e-3


@dataclass(frozen=True)
class Shadows:
    """`inside` (shadows, players) bool, and `statistic` (shadows, players)."""

    inside: np.ndarray
    statistic: np.ndarray


@measures(*METRICS)
def shadow(evidence: Evidence[Any]) -> AttackScores:
    """The log likelihood ratio of each patient. Empty outside the audit tier, and where no generator is known that
    could learn from the records as judges see them."""
    if evidence.tier != "audit" or evidence.generator is None:
        return unplayed("shadow")
    return play(evidence, "shadow", _ratio)


def _ratio(evidence: Evidence[Any], game: Game) -> tuple[np.ndarray, np.ndarray]:
    """One score per record: that of its patient."""
    shadows = evidence.once("shadows", lambda: _shadows(evidence))
    seen = tuple(-log_radius(_released(evidence, side, game)) for side in game.players)
    members, outsiders = by_patient(evidence, (seen[0], seen[1]))
    score = likelihood_ratio(np.concatenate([members, outsiders]), shadows.inside, shadows.statistic)
    patients = _codes(evidence)
    return score[: len(members)][patients[0]], score[len(members) :][patients[1]]


def _released(evidence: Evidence[Any], side: Side, game: Game) -> np.ndarray:
    part, rows = game.made
    if part != "synthetic" or len(evidence.synthetic) <= RECORDS:
        return around(evidence, side, (game.made,)).distance
    rows = np.sort(stream(evidence.seed, "shadow", "released").permutation(len(evidence.synthetic))[:RECORDS])
    return around(evidence, side, ((part, rows),)).distance


def likelihood_ratio(seen: np.ndarray, inside: np.ndarray, statistic: np.ndarray) -> np.ndarray:
    """(players,) log N(seen; with) - log N(seen; without), from `statistic` and `inside` (shadows, players)."""
    score = np.zeros(len(seen))
    for sign, mask in ((1, inside), (-1, ~inside)):
        count = mask.sum(axis=0)
        centre = (statistic * mask).sum(axis=0) / count
        spread = max(float(np.sqrt((((statistic - centre) * mask) ** 2).sum() / (count - 1).sum())), LEAST_SPREAD)
        score += sign * (-0.5 * ((seen - centre) / spread) ** 2 - np.log(spread))
    return score


def _shadows(evidence: Evidence[Any]) -> Shadows:
    """Fit and sample every shadow, one after the other: a generator uses all cores itself."""
    sides, rng = cast(evidence), stream(evidence.seed, "shadow")
    inside = _balanced(rng, sum(int(codes.max()) + 1 for codes in _codes(evidence)))
    others = np.setdiff1d(np.unique(evidence.train.subjects), evidence.train.subjects[sides.member])
    helping = _balanced(rng, len(others))
    plan, statistic = None, np.empty(inside.shape)
    for i in range(SHADOWS):
        own = stream(evidence.seed, "shadow", i)
        pool = _pool(evidence, inside[i], others[helping[i]])
        if plan is None:
            plan = evidence.generator.plan(pool, rng=own, time_budget=SECONDS)
        model = evidence.generator.fit(pool, rng=own, plan=plan)
        statistic[i] = _statistic(evidence, model.sample(min(len(evidence.synthetic), RECORDS), rng=own))
    return Shadows(inside, statistic)


def _balanced(rng: np.random.Generator, n: int) -> np.ndarray:
    """(SHADOWS, n) bool: everybody is in a random half of the fits."""
    drawn: np.ndarray = rng.random((SHADOWS, n)).argsort(axis=0) < SHADOWS // 2
    return drawn


def _codes(evidence: Evidence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """The patient of each record of the members and of the outsiders, as per_patient orders them."""
    sides = cast(evidence)
    members, outsiders = evidence.train.subjects[sides.member], evidence.holdout.subjects[sides.outsider]
    return np.unique(members, return_inverse=True)[1], np.unique(outsiders, return_inverse=True)[1]


def _pool(evidence: Evidence[Any], inside: np.ndarray, others: np.ndarray) -> Any:
    """The records of the players that are inside and of the other train patients that help."""
    sides, (members, outsiders) = cast(evidence), _codes(evidence)
    count = int(members.max()) + 1
    helping = np.flatnonzero(np.isin(evidence.train.subjects, others))
    train = np.sort(np.concatenate([sides.member[inside[:count][members]], helping]))
    holdout = evidence.holdout.take(sides.outsider[inside[count:][outsiders]])
    # Files that were read apart number their patients alike.
    holdout = replace(holdout, subjects=holdout.subjects + int(evidence.train.subjects.max()) + 1)
    concat = load(f"{evidence.modality.read.partition(':')[0]}:concat")
    return concat([evidence.train.take(train), holdout])


def _statistic(evidence: Evidence[Any], chunks: Iterator[Any]) -> np.ndarray:
    """(players,) how near each patient stands to the records of one shadow."""
    embed = load(evidence.modality.embed)
    made = np.concatenate([embed(chunk, evidence.train) for chunk in chunks])
    players = games(evidence)[0].players
    near = (-log_radius(nearest(evidence.embedding(part)[rows], made, k=max(RADII)).distance) for part, rows in players)
    members, outsiders = by_patient(evidence, (next(near), next(near)))
    return np.concatenate([members, outsiders])
