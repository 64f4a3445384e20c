"""Scores of predictions, each with every record's influence on it: what intervals and paired comparisons need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FAR = 10.0  # ranges of the truth beyond which a prediction counts as no worse


@dataclass(frozen=True)
class Score:
    """A score and each tested record's influence on it (Hampel 1974)."""

    value: float
    influence: np.ndarray

    def __sub__(self, other: Score) -> Score:
        return Score(self.value - other.value, self.influence - other.influence)


def score(truth: np.ndarray, made: np.ndarray, classes: np.ndarray | None) -> Score:
    """Macro AUC over `classes`, or R2 where there are none."""
    return r_squared(truth, made[:, 0]) if classes is None else macro_auc(truth, made, classes)


def macro_auc(truth: np.ndarray, probability: np.ndarray, classes: np.ndarray) -> Score:
    """Mean one-versus-rest AUC over `classes`; `probability` (n, classes)."""
    parts = [_auc(truth == value, probability[:, k]) for k, value in enumerate(classes)]
    return Score(float(np.mean([p.value for p in parts])), np.mean([p.influence for p in parts], axis=0))


def accuracy(truth: np.ndarray, probability: np.ndarray, classes: np.ndarray) -> Score:
    """Share of the records of `classes` whose own class is the likeliest; `probability` (n, classes)."""
    among, right = np.isin(truth, classes), classes[probability.argmax(axis=1)] == truth
    value = float(right[among].mean())
    return Score(value, np.where(among, right - value, 0.0) / among.mean())


def _auc(positive: np.ndarray, scores: np.ndarray) -> Score:
    """AUC and its influence: a record's placement among the other class, over the share of its own (DeLong 1988).

    Where all records are of one class nothing can be ranked: chance.
    """
    if positive.all() or not positive.any():
        return Score(0.5, np.zeros(len(positive)))
    placement = np.where(positive, _below(scores, scores[~positive]), 1 - _below(scores, scores[positive]))
    value = float(placement[positive].mean())
    share = np.where(positive, positive.mean(), 1 - positive.mean())
    return Score(value, (placement - value) / share)


def _below(scores: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Share of `others` below each score, ties half."""
    ordered = np.sort(others)
    left, right = (np.searchsorted(ordered, scores, side=side) for side in ("left", "right"))
    return (left + right) / (2 * len(ordered))


def r_squared(truth: np.ndarray, made: np.ndarray) -> Score:
    """1 - MSE / variance, and its influence. A truth without variance has no R2: 0."""
    unit = float(np.abs(truth).max(initial=0.0))
    if not np.ptp(truth / unit if unit > 0 else truth) > 0:
        return Score(0.0, np.zeros(len(truth)))
    with np.errstate(over="ignore"):
        truth, made = truth / unit, made / unit
    reach = FAR * np.ptp(truth)
    error = (truth - np.clip(made, truth.min() - reach, truth.max() + reach)) ** 2
    spread = (truth - truth.mean()) ** 2
    ratio = error.mean() / spread.mean()
    return Score(float(1 - ratio), (ratio * spread - error) / spread.mean())


def squared_error(truth: np.ndarray, made: np.ndarray, classes: np.ndarray | None) -> np.ndarray:
    """(n,) losses: Brier's score (1950), halved so that two classes give (p - y)^2, or the squared error of a number.

    All classes that nobody asked for count as one more.
    """
    if classes is None:
        return (truth - made[:, 0]) ** 2
    gap = made - (truth[:, None] == classes)
    loss: np.ndarray = ((gap**2).sum(axis=1) + gap.sum(axis=1) ** 2) / 2
    return loss
