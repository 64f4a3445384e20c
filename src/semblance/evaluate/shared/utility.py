"""Train on synthetic, test on real (TSTR; Esteban, Hyland and Rätsch 2017): are models of synthetic data as good?

The yardstick is the same model trained on the real train part (TRTR). Both are tested on the same holdout patients, so
their difference is a paired comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import Estimate, linearized
from semblance.core.judge import measures, patient_rows, patients
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.shared.models import MODELS, beside

RECORDS = {"fast": 5_000, "standard": 20_000, "audit": 1_000_000}
FLOOR_RECORDS = 4_000  # independent columns teach nothing, however many there are
LEAST = 20  # patients in holdout
PER_CLASS = 10  # holdout records of a class, below which it has no curve
VALUES = 10  # a number with at most this many values is a class
METRICS = ("utility.tstr.boosting", "utility.tstr.linear", "utility.gap.boosting", "utility.gap.linear")


@dataclass(frozen=True)
class Task:
    """What is predicted: column `position`, and the values of its classes (None: a number, judged by R2)."""

    position: int
    classes: np.ndarray | None


@dataclass(frozen=True)
class Score:
    """A score on the holdout and each holdout record's influence on it."""

    value: float
    influence: np.ndarray

    def __sub__(self, other: Score) -> Score:
        return Score(self.value - other.value, self.influence - other.influence)


@measures(*METRICS)
def transfer(evidence: Evidence) -> tuple[Finding, ...]:
    """How well the target is predicted on holdout by two models learned from synthetic records.

    - tstr.boosting, tstr.linear: the score of histogram gradient boosting and of logistic regression (ridge for a
      number) on one-hot, standardised features; TRTR is the control, the independent marginals are the floor.
      Classes: macro average of one-versus-rest AUC over classes with at least 10 holdout records. Numbers: R2.
    - gap.boosting, gap.linear: TRTR - TSTR, with the interval of the paired difference; the ideal is 0.

    Intervals are DeLong's, generalised to the macro average through influence functions and summed by patient; they
    hold for these fitted models, so they do not cover the luck of the fit. Models of synthetic and of
    real records see equally many; the floor's see at most 4,000.
    """
    task = _task(evidence)
    if isinstance(task, tuple):
        return tuple(_finding(m, status=task[0], reason=task[1]) for m in METRICS)
    parts: list[Part] = ["synthetic", "train", *(["floor"] if evidence.floor is not None else [])]  # type: ignore[list-item]
    n = min(len(evidence.train), len(evidence.synthetic), RECORDS[evidence.tier])
    size = {part: min(n, FLOOR_RECORDS) if part == "floor" else n for part in parts}
    fits = {(name, part): _fit(evidence, task, part, name, size[part]) for name in MODELS for part in parts}
    made = dict(zip(fits, beside(list(fits.values())), strict=True))
    scores = {name: {part: made[name, part] for part in parts} for name in MODELS}
    target = evidence.features("train").names[task.position]
    detail = {"records": n, "score": "R2" if task.classes is None else "AUC", "target": target}
    return tuple(make(evidence, name, scores[name], task, detail) for make in (_tstr, _gap) for name in MODELS)


def _task(evidence: Evidence) -> Task | tuple[Any, str]:
    """The task, or the status and the reason why there is none."""
    known, held = evidence.features("train"), evidence.features("holdout")
    if known.target is None:
        return "not_applicable", "no target column was named"
    if len(known.names) < 2:
        return "not_applicable", "there is nothing to predict the target from"
    truth, learned = held.x[:, known.target], known.x[:, known.target]
    labelled = ~np.isnan(truth)
    if patients(evidence.holdout.subjects[labelled]) < LEAST:
        return "insufficient", f"fewer than {LEAST} holdout patients with a known target"
    values = np.unique(learned[~np.isnan(learned)])
    if not known.categorical[known.target] and len(values) > VALUES:
        return Task(known.target, None)
    enough = [v for v in values if PER_CLASS <= (truth == v).sum() <= labelled.sum() - PER_CLASS]
    if not enough:
        return "insufficient", f"no two classes of the target have {PER_CLASS} holdout records"
    return Task(known.target, np.array(enough))


def _fit(evidence: Evidence, task: Task, part: Part, name: str, n: int) -> Callable[[], Score]:
    """A call that learns one model from `n` records of a part and scores it on holdout."""
    rng = stream(evidence.seed, "transfer", name, part)
    known, held = evidence.features(part), evidence.features("holdout")
    rows = patient_rows(getattr(evidence, part).subjects, n, rng=rng)
    x, y = _labelled(known.x[rows], task.position)
    test, truth = _labelled(held.x, task.position)
    categorical = np.delete(known.categorical, task.position)
    seed = int(rng.integers(2**31))

    def score() -> Score:
        made = MODELS[name](x, y, test, categorical, task.classes, seed=seed)
        return r_squared(truth, made[:, 0]) if task.classes is None else macro_auc(truth, made, task.classes)

    return score


def _labelled(x: np.ndarray, position: int) -> tuple[np.ndarray, np.ndarray]:
    """Predictors and target of the records whose target is known."""
    known = x[~np.isnan(x[:, position])]
    return np.delete(known, position, axis=1), known[:, position]


def macro_auc(truth: np.ndarray, probability: np.ndarray, classes: np.ndarray) -> Score:
    """Mean one-versus-rest AUC over `classes`; `probability` (n, classes)."""
    parts = [_auc(truth == value, probability[:, k]) for k, value in enumerate(classes)]
    return Score(float(np.mean([p.value for p in parts])), np.mean([p.influence for p in parts], axis=0))


def _auc(positive: np.ndarray, score: np.ndarray) -> Score:
    """AUC and its influence: a record's placement among the other class, over the share of its own (DeLong 1988)."""
    placement = np.where(positive, _below(score, score[~positive]), 1 - _below(score, score[positive]))
    value = float(placement[positive].mean())
    share = np.where(positive, positive.mean(), 1 - positive.mean())
    return Score(value, (placement - value) / share)


def _below(score: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Share of `others` below each score, ties half."""
    ordered = np.sort(others)
    left, right = (np.searchsorted(ordered, score, side=side) for side in ("left", "right"))
    return (left + right) / (2 * len(ordered))


def r_squared(truth: np.ndarray, made: np.ndarray) -> Score:
    """1 - MSE / variance, and its influence."""
    error, spread = (truth - made) ** 2, (truth - truth.mean()) ** 2
    if not spread.mean() > 0:
        return Score(0.0, np.zeros(len(truth)))
    ratio = error.mean() / spread.mean()
    return Score(float(1 - ratio), (ratio * spread - error) / spread.mean())


def _tstr(evidence: Evidence, name: str, scores: dict[Part, Score], task: Task, detail: dict[str, Any]) -> Finding:
    estimates = {part: _estimate(evidence, score, task) for part, score in scores.items()}
    return _finding(
        f"utility.tstr.{name}",
        estimate=estimates["synthetic"],
        control=estimates["train"],
        floor=estimates.get("floor"),
        better="higher",
        detail=detail,
    )


def _gap(evidence: Evidence, name: str, scores: dict[Part, Score], task: Task, detail: dict[str, Any]) -> Finding:
    lost = {part: _estimate(evidence, scores["train"] - score, task) for part, score in scores.items()}
    return _finding(f"utility.gap.{name}", estimate=lost["synthetic"], floor=lost.get("floor"), detail=detail)


def _estimate(evidence: Evidence, score: Score, task: Task) -> Estimate:
    labelled = ~np.isnan(evidence.features("holdout").x[:, task.position])
    return linearized(score.value, score.influence, clusters=evidence.holdout.subjects[labelled])


_TEXT = {
    "utility.tstr.boosting": (
        "Prediction, boosted trees",
        "Score on real holdout of trees learned from synthetic records.",
    ),
    "utility.tstr.linear": (
        "Prediction, linear model",
        "Score on real holdout of a linear model learned from synthetic records.",
    ),
    "utility.gap.boosting": (
        "Loss of prediction, boosted trees",
        "What trees lose by learning from synthetic records.",
    ),
    "utility.gap.linear": (
        "Loss of prediction, linear model",
        "What a linear model loses by learning from synthetic records.",
    ),
}


def _finding(metric: str, **fields: Any) -> Finding:
    title, meaning = _TEXT[metric]
    return Finding(metric, title, "utility", meaning=meaning, **fields)
