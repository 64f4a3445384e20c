"""What is predicted, which records teach it, and the models that learned it: fitted once, for utility and fairness.

Models of synthetic and of real records see equally many, and all are tested on the same holdout patients. The control
of a comparison is the same comparison between two disjoint halves of the train patients: `train` and `second`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import Estimate, linearized
from semblance.core.judge import patient_rows, patients
from semblance.core.rng import stream
from semblance.evaluate.shared.models import Predict, beside, learn
from semblance.evaluate.utility.performance import Score, score

Side = Part | Literal["second"]

RECORDS = {"fast": 3_000, "standard": 10_000, "audit": 1_000_000}  # that a model learns from
HEAVY = 50_000  # the most that a forest or a linear model learns from: their memory grows with it
FLOOR_RECORDS = {"fast": 1_000, "standard": 4_000, "audit": 4_000}  # independent columns teach nothing anyway
TESTED = {"fast": 3_000, "standard": 20_000, "audit": 1_000_000}  # holdout records
LEAST = 20  # patients in holdout, records in the other parts
PER_CLASS = 10  # holdout records of a class, below which it has no curve
VALUES = 10  # a number with at most this many values is a class
CLASSES = 10  # the most frequent are told apart, the others are one


@dataclass(frozen=True)
class Task:
    """What is predicted: column `position` called `name`, and the values of its classes (None: a number)."""

    position: int
    name: str
    classes: np.ndarray | None

    @property
    def score(self) -> str:
        """How predictions are scored."""
        return "R2" if self.classes is None else "AUC"


@dataclass(frozen=True)
class NoTask:
    """Why an analysis cannot be made, and the status that its findings get."""

    status: Literal["not_applicable", "insufficient"]
    reason: str


@dataclass(frozen=True)
class Lesson:
    """What one model learns: its family, and the sides from each of which it sees `n` records."""

    model: str
    n: int
    sides: tuple[Side, ...]


@dataclass(frozen=True)
class Learned:
    """A fitted model as a function, and what it predicts for `holdout_rows`: (n, classes), or (n, 1) of a number."""

    predict: Predict
    made: np.ndarray


def task(evidence: Evidence[Any]) -> Task | NoTask:
    """The task, or the reason why there is none."""
    found: Task | NoTask = evidence.once("task", lambda: _task(evidence))
    return found


def _task(evidence: Evidence[Any]) -> Task | NoTask:
    known = evidence.features("train")
    if known.target is None:
        return NoTask("not_applicable", "no target column was named")
    if len(known.names) < 2:
        return NoTask("not_applicable", "there is nothing to predict the target from")
    rows = holdout_rows(evidence)
    if patients(evidence.holdout.subjects[rows]) < LEAST:
        return NoTask("insufficient", f"fewer than {LEAST} holdout patients with a known target")
    if min(len(evidence.train), len(evidence.synthetic)) < LEAST:
        return NoTask("insufficient", f"fewer than {LEAST} records to learn from")
    name, learned = known.names[known.target], known.x[:, known.target]
    values, counts = np.unique(learned[~np.isnan(learned)], return_counts=True)
    if not known.categorical[known.target] and len(values) > VALUES:
        return Task(known.target, name, None)
    held = evidence.features("holdout").x[rows, known.target]
    frequent = np.sort(values[np.argsort(-counts, kind="stable")[:CLASSES]])
    enough = [v for v in frequent if PER_CLASS <= (held == v).sum() <= len(held) - PER_CLASS]
    if not enough:
        return NoTask("insufficient", f"no two classes of the target have {PER_CLASS} holdout records")
    return Task(known.target, name, np.array(enough))


def holdout_rows(evidence: Evidence[Any]) -> np.ndarray:
    """Rows of holdout on which all models are tested: those with a known target, at most TESTED of the tier."""
    rows: np.ndarray = evidence.once("holdout rows", lambda: _holdout_rows(evidence))
    return rows


def _holdout_rows(evidence: Evidence[Any]) -> np.ndarray:
    held = evidence.features("holdout")
    rows = np.flatnonzero(~np.isnan(held.x[:, held.target]))
    rng = stream(evidence.seed, "tested")
    return rows[patient_rows(evidence.holdout.subjects[rows], TESTED[evidence.tier], rng=rng)]


def size(evidence: Evidence[Any], model: str) -> int:
    """How many records a model of the family sees."""
    most = RECORDS[evidence.tier] if model == "boosting" else min(RECORDS[evidence.tier], HEAVY)
    return min(len(evidence.train), len(evidence.synthetic), most)


def half(evidence: Evidence[Any], model: str) -> int:
    """How many records each of two disjoint halves of train can give: as many as `size`, where train is large."""
    return min(size(evidence, model), len(evidence.train) // 2)


def lesson(evidence: Evidence[Any], model: str, side: Side) -> Lesson:
    """The lesson of a model from one side, at the size that all comparisons use."""
    n = half(evidence, model) if side == "second" else size(evidence, model)
    return Lesson(model, min(n, FLOOR_RECORDS[evidence.tier]) if side == "floor" else n, (side,))


def real(evidence: Evidence[Any], model: str) -> tuple[Lesson, Lesson]:
    """The lessons from two disjoint samples of train, equally large: what controls compare."""
    n = half(evidence, model)
    return Lesson(model, n, ("train",)), Lesson(model, n, ("second",))


def predictions(evidence: Evidence[Any], model: str, side: Side) -> tuple[np.ndarray, np.ndarray]:
    """Rows of holdout, and what the model learned from `side` predicts for them, out of sample.

    (n, classes) probabilities in the order of the task's classes, without those of classes too rare to be told apart;
    (n, 1) predictions of a number. Fitted at most once. Only where `task` finds a Task.
    """
    _goal(evidence)
    return holdout_rows(evidence), learned(evidence, [lesson(evidence, model, side)])[0].made


def learned(evidence: Evidence[Any], lessons: Sequence[Lesson]) -> list[Learned]:
    """The models of the lessons, those that are not yet fitted beside each other."""
    held: dict[Lesson, Learned] = evidence.once("learned", dict)
    new = [one for one in dict.fromkeys(lessons) if one not in held]
    # The longest first, so that no thread ends with one of them alone.
    new.sort(key=lambda one: -one.n * len(one.sides) * (1 if one.model == "linear" else 2))
    held.update(zip(new, beside([_fit(evidence, one) for one in new]), strict=True))
    return [held[one] for one in lessons]


def _fit(evidence: Evidence[Any], one: Lesson) -> Callable[[], Learned]:
    """A call that learns one lesson and predicts the holdout rows. Its records are copied only while it runs."""
    goal, known = _goal(evidence), evidence.features("train")
    rows = {side: rows_of(evidence, side, one.n) for side in one.sides}
    for side in ("holdout", *one.sides):  # made here, since threads must not fill what they share
        evidence.features(_part(side))
    tests, categorical = holdout_rows(evidence), np.delete(known.categorical, goal.position)
    seed = int(stream(evidence.seed, "lesson", one.model, one.n, *one.sides).integers(2**31))

    def fit() -> Learned:
        taught = [labelled(evidence, side, rows[side]) for side in one.sides]
        x, y = (np.concatenate([part[i] for part in taught]) for i in (0, 1))
        predict = learn(one.model, x, y, categorical, goal.classes, seed=seed)
        return Learned(predict, predict(labelled(evidence, "holdout", tests)[0]))

    return fit


def _goal(evidence: Evidence[Any]) -> Task:
    found = task(evidence)
    if isinstance(found, NoTask):
        raise ValueError(f"nothing to predict: {found.reason}")
    return found


def rows_of(evidence: Evidence[Any], side: Side, n: int) -> np.ndarray:
    """`n` rows of a side, whole patients in one random order; `second` leaves out the patients of train's first n."""
    rows: np.ndarray = evidence.once(("taught", side, n), lambda: _rows_of(evidence, side, n))
    return rows


def _rows_of(evidence: Evidence[Any], side: Side, n: int) -> np.ndarray:
    subjects = getattr(evidence, _part(side)).subjects
    rng = stream(evidence.seed, "lesson", side)
    if side != "second":
        return patient_rows(subjects, n, rng=rng)
    rest = np.flatnonzero(~np.isin(subjects, subjects[rows_of(evidence, "train", n)]))
    return rest[patient_rows(subjects[rest], n, rng=rng)]


def _part(side: Side) -> Part:
    return "train" if side == "second" else side


def labelled(evidence: Evidence[Any], side: Side, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictors, target and patient of those of the rows whose target is known."""
    position, part = _goal(evidence).position, _part(side)
    x = evidence.features(part).x[rows]
    known = ~np.isnan(x[:, position])
    return np.delete(x[known], position, axis=1), x[known, position], getattr(evidence, part).subjects[rows][known]


def scored(evidence: Evidence[Any], lessons: Iterable[Lesson]) -> list[Score]:
    """How well the models of the lessons predict holdout."""
    held = truth(evidence)
    return [score(held, model.made, _goal(evidence).classes) for model in learned(evidence, list(lessons))]


def truth(evidence: Evidence[Any]) -> np.ndarray:
    """The target of the tested records."""
    values: np.ndarray = evidence.features("holdout").x[holdout_rows(evidence), _goal(evidence).position]
    return values


def estimated(evidence: Evidence[Any], one: Score) -> Estimate:
    """A score on holdout, or a paired difference of scores, with its interval by patient."""
    return linearized(one.value, one.influence, clusters=evidence.holdout.subjects[holdout_rows(evidence)])
