"""What an attack gains: success on train patients beyond success on strangers, over one secret or over many.

The worst of many secrets is chosen on one half of the patients and scored on the other, both ways round, so that the
largest of many chance results is never reported as a leak (nor hides one).
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
from scipy.stats import hypergeom, norm

from semblance.core.estimate import LEVEL, Estimate, average, difference, mean, wilson

FAMILY = 1 - LEVEL  # chance that any secret at all is said to leak where none does


Scores = tuple[np.ndarray, np.ndarray]
"""Scores (n, s) of train patients and (m, s) of strangers, 0 to 1, one column per secret, rows in random order."""


class Compare(Protocol):
    """What train patients' scores (n,) are above those of strangers (m,), with an interval at `level`."""

    def __call__(self, train: np.ndarray, stranger: np.ndarray, *, level: float = ...) -> Estimate: ...


def residual(train: Estimate, stranger: Estimate) -> Estimate:
    """(a - c) / (1 - c): the share of what strangers keep that train patients lose (Giomi et al. 2023, eq. 5).

    Each share's interval is carried through and the two are joined by square-and-add (Newcombe 2011). Below 0 the
    attack does worse on train patients. Where every stranger falls as well, one who stands is assumed.
    """

    def risk(a: float, c: float) -> float:
        return (a - c) / max(1 - c, 1 / stranger.n)

    value = risk(train.value, stranger.value)
    low = math.hypot(value - risk(train.low, stranger.value), value - risk(train.value, stranger.high))
    high = math.hypot(risk(train.high, stranger.value) - value, risk(train.value, stranger.low) - value)
    return Estimate(value, value - low, min(max(1.0, value), value + high), train.level, min(train.n, stranger.n))


def residual_risk(train: np.ndarray, stranger: np.ndarray, *, level: float = LEVEL) -> Estimate:
    """`residual` of successes (0 or 1), with Wilson's intervals."""
    return residual(share(train, level=level), share(stranger, level=level))


def excess(train: np.ndarray, stranger: np.ndarray, *, level: float = LEVEL) -> Estimate:
    """The difference of mean scores; shares by Newcombe's method, other scores by their normal intervals."""
    if _shares(train, stranger):
        return difference(share(train, level=level), share(stranger, level=level))
    return difference(mean(train, level=level), mean(stranger, level=level))


def share(hits: np.ndarray, *, level: float = LEVEL) -> Estimate:
    """The share of successes, with Wilson's interval."""
    return wilson(int(hits.sum()), len(hits), level=level)


def _shares(*scores: np.ndarray) -> bool:
    return all(((one == 0) | (one == 1)).all() for one in scores)


def worst(scores: Scores, compare: Compare) -> Estimate:
    """The worst secret, cross-fitted over halves of the patients.

    On one half the column with the highest simultaneous (Bonferroni) lower bound is chosen: the largest value alone
    would always be that of the rarest secret, where one lucky guess weighs most.
    """
    train, stranger = scores
    secrets = range(train.shape[1])
    halves = [[(train[k::2, j], stranger[k::2, j]) for j in secrets] for k in (0, 1)]
    level = 1 - FAMILY / len(secrets)
    chosen = [int(np.argmax([compare(*pair, level=level).low for pair in half])) for half in halves]
    return average([compare(*halves[0][chosen[1]]), compare(*halves[1][chosen[0]])])


def table(names: list[str], scores: Scores, control: Scores, compare: Compare) -> list[dict[str, Any]]:
    """One row per secret, worst first: value, interval, control, one-sided p and whether it leaks by Holm's rule."""
    pairs, real = (list(zip(*(side.T for side in pair), strict=True)) for pair in (scores, control))
    p = [greater(*pair) for pair in pairs]
    leaks = holm(np.array(p)) <= FAMILY
    rows = []
    for j, name in enumerate(names):
        made, usual = compare(*pairs[j]), compare(*real[j])
        numbers = {**made.plain(), "control": usual.value}
        rows.append({"name": name, **numbers, "p": p[j], "leaks": bool(leaks[j])})
    return sorted(rows, key=lambda row: (-row["low"], row["name"]))


def greater(train: np.ndarray, stranger: np.ndarray) -> float:
    """One-sided p that train patients fare no worse than strangers: Fisher's exact test for successes, else z."""
    if _shares(train, stranger):
        n, m, hits = len(train), len(stranger), int(train.sum())
        return float(hypergeom.sf(hits - 1, n + m, hits + int(stranger.sum()), n))
    gap = float(train.mean() - stranger.mean())
    error = math.sqrt(train.var() / len(train) + stranger.var() / len(stranger))
    return float(norm.sf(gap / error)) if error > 0 else float(gap <= 0)


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's (1979) step-down adjusted p-values: those up to alpha are rejected with family-wise error alpha.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(raised, 1.0)
    return adjusted
