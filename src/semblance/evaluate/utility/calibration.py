"""Do the probabilities of a model that learned from synthetic records mean what they say, for real patients?"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit, logit

from semblance.core.dataset import Evidence
from semblance.core.estimate import Estimate, mean
from semblance.core.judge import Wording, measures, patients
from semblance.core.report import Finding
from semblance.evaluate.utility.performance import squared_error
from semblance.evaluate.utility.task import NoTask, holdout_rows, learned, lesson, real, task, truth

METRIC = "utility.calibration"
BINS = 10
LEAST = 11  # patients of a bin that is shown
EDGE = 1e-6  # how near to 0 and 1 a probability may be before its logit


@measures(METRIC)
def calibration(evidence: Evidence) -> tuple[Finding, ...]:
    """How much Brier's score (1950) on holdout grows when boosted trees learn from synthetic instead of real records.

    All classes count, halved so that two of them give (p - y)^2; a paired difference by patient. Control: the same
    between models of two disjoint halves of train. Floor: independent marginals. `detail` holds, for the models of
    synthetic and of real records: Brier's score, the class-wise expected calibration error in bins of equally many
    records (Kull et al. 2019), the slope of the logistic recalibration averaged over classes (Cox 1958; 1 is ideal,
    below 1 too extreme) and the reliability curve of the rarest class.
    """
    goal = task(evidence)
    if not isinstance(goal, NoTask) and goal.classes is None:
        goal = NoTask("not_applicable", "the target is a number, and its predictions are no probabilities")
    if isinstance(goal, NoTask):
        return _finding.unmeasured((METRIC,), status=goal.status, reason=goal.reason)
    classes, held = goal.classes, truth(evidence)
    lessons = [lesson(evidence, "boosting", "synthetic"), lesson(evidence, "boosting", "train")]
    if evidence.floor is not None:
        lessons.append(lesson(evidence, "boosting", "floor"))
    made = [one.made for one in learned(evidence, [*lessons, *real(evidence, "boosting")])]
    losses = [squared_error(held, one, classes) for one in made]
    finding = _finding(
        METRIC,
        estimate=_growth(evidence, losses[0], losses[1]),
        control=_growth(evidence, losses[-1], losses[-2]),
        floor=None if evidence.floor is None else _growth(evidence, losses[2], losses[1]),
        detail=_detail(evidence, made[:2], losses[:2], held, np.asarray(classes)),
    )
    return (finding,)


def _growth(evidence: Evidence, loss: np.ndarray, yardstick: np.ndarray) -> Estimate:
    return mean(loss - yardstick, clusters=evidence.holdout.subjects[holdout_rows(evidence)])


def _detail(
    evidence: Evidence, made: list[np.ndarray], losses: list[np.ndarray], held: np.ndarray, classes: np.ndarray
) -> dict[str, Any]:
    one = held[:, None] == classes
    rare = int(one.sum(axis=0).argmin())
    subjects = evidence.holdout.subjects[holdout_rows(evidence)]
    detail: dict[str, Any] = {}
    for side, probability, loss in zip(("synthetic", "real"), made, losses, strict=True):
        detail[side] = {
            "brier": float(loss.mean()),
            "ece": float(np.mean([expected_error(one[:, k], probability[:, k]) for k in range(len(classes))])),
            "slope": float(np.mean([slope(one[:, k], probability[:, k]) for k in range(len(classes))])),
            "curve": _curve(one[:, rare], probability[:, rare], subjects),
        }
    return {**detail, "class": _name(evidence, float(classes[rare]))}


def _name(evidence: Evidence, value: float) -> str:
    """The class whose curve is shown."""
    known = evidence.features("train")
    levels = known.levels[known.target] if known.target is not None and known.levels else ()
    return levels[int(value)] if 0 <= value < len(levels) else f"{value:g}"


def bins(probability: np.ndarray) -> np.ndarray:
    """(n,) the bin of each record: BINS of equally many; equal probabilities stay together."""
    edges = np.unique(np.quantile(probability, np.arange(1, BINS) / BINS))
    return np.searchsorted(edges, probability, side="right")


def expected_error(outcome: np.ndarray, probability: np.ndarray) -> float:
    """Mean over records of their bin's distance between predicted and observed share (Naeini et al. 2015)."""
    gap = np.bincount(bins(probability), weights=probability - outcome)
    return float(np.abs(gap).sum() / len(outcome))


def slope(outcome: np.ndarray, probability: np.ndarray, *, steps: int = 25) -> float:
    """The slope of a logistic regression of the outcome on the logit of its probability, by Newton's method.

    0 where all probabilities are equal: they tell nothing.
    """
    at = logit(np.clip(probability, EDGE, 1 - EDGE))
    if not np.ptp(at) > 0:
        return 0.0
    x = np.stack([np.ones(len(at)), (at - at.mean()) / at.std()], axis=1)
    weight = np.zeros(2)
    for _ in range(steps):
        fitted = expit(x @ weight)
        hessian = (x * (fitted * (1 - fitted))[:, None]).T @ x + 1e-6 * np.eye(2)
        step = np.linalg.solve(hessian, x.T @ (outcome - fitted))
        weight += np.clip(step, -2, 2)  # separable data have no end
        if np.abs(step).max() < 1e-9:
            break
    return float(weight[1] / at.std())


def _curve(outcome: np.ndarray, probability: np.ndarray, subjects: np.ndarray) -> list[list[float]]:
    """Predicted and observed share of each bin, rising; bins of fewer than LEAST patients are left out."""
    bin_of = bins(probability)
    return [
        [round(float(probability[own].mean()), 4), round(float(outcome[own].mean()), 4)]
        for own in (bin_of == k for k in np.unique(bin_of))
        if patients(subjects[own]) >= LEAST
    ]


_TEXT = {
    METRIC: (
        "Calibration of probabilities",
        "How much further predicted probabilities are from what happened to real patients when a model learned from "
        "synthetic instead of real records: 0 is no further.",
    )
}
_finding = Wording(_TEXT)
