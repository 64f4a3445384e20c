"""Does a model that learned from synthetic records look at the same columns as one that learned from real ones?"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from scipy.stats import rankdata

from semblance.core.dataset import Evidence
from semblance.core.estimate import Estimate, jackknife
from semblance.core.judge import Wording, measures, patient_blocks, patient_rows, patients
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.shared.models import Predict, beside
from semblance.evaluate.utility.performance import squared_error
from semblance.evaluate.utility.task import (
    Lesson,
    NoTask,
    Task,
    holdout_rows,
    labelled,
    learned,
    real,
    task,
)

METRIC = "utility.importance"
RECORDS = {"fast": 500, "standard": 4_000, "audit": 20_000}  # holdout records that are permuted
BLOCKS = 20
COLUMNS = 3  # of which there must be a ranking
TOP = 10
ROOM = 200_000  # permuted records that are predicted at once


@measures(METRIC)
def importance(evidence: Evidence) -> tuple[Finding, ...]:
    """Spearman's correlation of the permutation importances of two models of boosted trees, of synthetic and of real.

    A column's importance is how much the squared error of the predicted probabilities (or number) on holdout grows when
    the column is permuted (Breiman 2001; Fisher, Rudin and Dominici 2019); both models meet the same permutations. The
    columns among the ten most important of either model are ranked. The interval is the grouped jackknife's over blocks
    of holdout patients; it does not cover the luck of the fits, which the control shows: the models of two disjoint
    halves of train, which see as many records.
    """
    goal = task(evidence)
    if not isinstance(goal, NoTask) and len(evidence.features("train").names) <= COLUMNS:
        goal = NoTask("not_applicable", f"a ranking needs at least {COLUMNS} columns beside the target")
    if isinstance(goal, NoTask):
        return _finding.unmeasured((METRIC,), status=goal.status, reason=goal.reason)
    first, second = real(evidence, "boosting")
    lessons = [Lesson("boosting", first.n, ("synthetic",)), first, second]
    increase, block = _increases(evidence, goal, lessons)
    made, truth, other = (importances(one, block) for one in increase)
    if not truth[0].any():
        reason = "a model of real records uses no column"
        return _finding.unmeasured((METRIC,), status="insufficient", reason=reason)
    n = _patients(evidence)
    finding = _finding(
        METRIC,
        estimate=_agreement(made, truth, n=n),
        control=_agreement(other, truth, n=n),
        better="higher",
        detail={"records": first.n, "target": goal.name, **_detail(evidence, goal, made[0], truth[0])},
    )
    return (finding,)


def _rows(evidence: Evidence) -> np.ndarray:
    """Rows of holdout that are permuted."""
    rows = holdout_rows(evidence)
    rng = stream(evidence.seed, "importance", "rows")
    return rows[patient_rows(evidence.holdout.subjects[rows], RECORDS[evidence.tier], rng=rng)]


def _patients(evidence: Evidence) -> int:
    return patients(evidence.holdout.subjects[_rows(evidence)])


def _increases(evidence: Evidence, goal: Task, lessons: list[Lesson]) -> tuple[list[np.ndarray], np.ndarray]:
    """Per model (n, d) the growth of each record's loss with each column permuted, and the records' blocks."""
    x, truth, subjects = labelled(evidence, "holdout", _rows(evidence))
    rng = stream(evidence.seed, "importance")
    block = patient_blocks(subjects, min(BLOCKS, patients(subjects)), rng=rng)
    moved = x[np.argsort(rng.random(x.shape), axis=0), np.arange(x.shape[1])]
    models = learned(evidence, lessons)
    return beside([partial(growth, model.predict, x, moved, truth, goal.classes) for model in models]), block


def growth(
    predict: Predict, x: np.ndarray, moved: np.ndarray, truth: np.ndarray, classes: np.ndarray | None
) -> np.ndarray:
    """(n, d) growth of each record's loss where column j is taken from `moved` (n, d) instead of `x` (n, d).

    Only cells that differ are predicted: many clinical columns hold one value nearly everywhere.
    """
    before = squared_error(truth, predict(x), classes)
    grown = np.zeros(x.shape)
    rows, columns = np.nonzero(~((x == moved) | (np.isnan(x) & np.isnan(moved))))
    for start in range(0, len(rows), ROOM):
        i, j = rows[start : start + ROOM], columns[start : start + ROOM]
        asked = x[i]
        asked[np.arange(len(i)), j] = moved[i, j]
        grown[i, j] = squared_error(truth[i], predict(asked), classes) - before[i]
    return grown


def importances(increase: np.ndarray, block: np.ndarray) -> np.ndarray:
    """(1 + blocks, d) mean growths: of all records, then without each block of patients."""
    hot = block[:, None] == np.arange(block.max() + 1)
    sums, counts = hot.T.astype(float) @ increase, hot.sum(axis=0)
    whole = increase.sum(axis=0)
    rest: np.ndarray = (whole - sums) / (len(block) - counts)[:, None]
    return np.concatenate([whole[None] / len(block), rest])


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation (1904); 0 where a side ranks nothing."""
    x, y = (rankdata(side) - (len(side) + 1) / 2 for side in (a, b))
    size = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / size) if size > 0 else 0.0


def _agreement(a: np.ndarray, b: np.ndarray, *, n: int) -> Estimate:
    """Of (1 + blocks, d) importances: over the columns among the TOP of either; the order of the others is noise."""
    matter = np.union1d(_best(a[0]), _best(b[0]))
    every = np.array([spearman(x[matter], y[matter]) for x, y in zip(a, b, strict=True)])
    return jackknife(float(every[0]), every[1:], n=n, within=(-1.0, 1.0))


def _best(values: np.ndarray) -> np.ndarray:
    return np.argsort(-values, kind="stable")[:TOP]


def _detail(evidence: Evidence, goal: Task, made: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    names = np.delete(np.array(evidence.features("train").names, dtype=object), goal.position)
    best, best_made = _best(truth), _best(made)
    matter = np.union1d(best, best_made)
    shown = matter[np.argsort(-truth[matter], kind="stable")].tolist()
    return {
        "top": len(best),
        "overlap": len(np.intersect1d(best, best_made)) / len(best),
        "features": [{"name": names[j], "real": _round(truth[j]), "synthetic": _round(made[j])} for j in shown],
    }


def _round(value: float) -> float:
    return float(f"{value:.3g}")


_TEXT = {
    METRIC: (
        "Same columns matter",
        "Whether a model of synthetic records and one of real records rank the columns alike by how much they rely on "
        "them: 1 is the same ranking, 0 is unrelated, -1 is reversed.",
    )
}
_finding = Wording(_TEXT)
