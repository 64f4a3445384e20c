"""Are models that learned from synthetic records as good? Train on one side, test on another (Esteban et al. 2017).

The yardstick is the same model trained on as many real records (TRTR). Both are tested on the same holdout patients, so
their difference is a paired comparison.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.estimate import Estimate, difference, folded, linearized
from semblance.core.judge import Wording, measures, patient_rows
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.shared.models import MODELS
from semblance.evaluate.utility.performance import accuracy, score
from semblance.evaluate.utility.task import (
    LEAST,
    PER_CLASS,
    TESTED,
    Learned,
    Lesson,
    NoTask,
    Side,
    Task,
    estimated,
    half,
    labelled,
    learned,
    lesson,
    real,
    rows_of,
    scored,
    size,
    task,
    truth,
)

METRICS = tuple(f"utility.{kind}.{name}" for kind in ("tstr", "gap") for name in MODELS)
REVERSE = tuple(f"utility.trts.{name}" for name in MODELS)
AUGMENTATION = "utility.augmentation"


@measures(*METRICS)
def transfer(evidence: Evidence) -> tuple[Finding, ...]:
    """How well the target is predicted on holdout by models of three families learned from synthetic records.

    - tstr.*: the score of LightGBM, of a random forest, and of logistic regression (ridge for a number) on one-hot,
      standardised features; TRTR is the control, the independent marginals are the floor. Classes: macro average of
      one-versus-rest AUC over classes with at least 10 holdout records; `detail["accuracy"]` has the share of them
      whose class is found, by the models of synthetic and of real records. Numbers: R2.
    - gap.*: TRTR - TSTR, with the interval of the paired difference; the ideal is 0. Control: the same between models
      of two disjoint halves of train.

    Intervals are DeLong's, generalised to the macro average through influence functions and summed by patient; they
    hold for these fitted models, so they do not cover the luck of the fit: the control shows it. Models of synthetic
    and of real records see equally many; the floor's see at most 4,000.
    """
    goal = task(evidence)
    if isinstance(goal, NoTask):
        return _finding.unmeasured(METRICS, status=goal.status, reason=goal.reason)
    sides: list[Side] = ["synthetic", "train", *(["floor"] if evidence.floor is not None else [])]  # type: ignore[list-item]
    lessons = {name: [*(lesson(evidence, name, side) for side in sides), *real(evidence, name)] for name in MODELS}
    learned(evidence, [one for name in MODELS for one in lessons[name]])
    pairs = [_pair(evidence, goal, name, lessons[name]) for name in MODELS]
    return (*(tstr for tstr, _ in pairs), *(gap for _, gap in pairs))


def _pair(evidence: Evidence, goal: Task, name: str, lessons: list[Lesson]) -> tuple[Finding, Finding]:
    """The score of one family and its loss."""
    made, yardstick, *rest = scored(evidence, lessons)
    floor, (first, second) = (rest[0] if len(rest) > 2 else None), rest[-2:]
    detail = {"records": lessons[0].n, "score": goal.score, "target": goal.name}
    tstr = _finding(
        f"utility.tstr.{name}",
        estimate=_bounded(estimated(evidence, made)),
        control=_bounded(estimated(evidence, yardstick)),
        floor=None if floor is None else _bounded(estimated(evidence, floor)),
        better="higher",
        detail={**detail, **_found(evidence, goal, lessons[:2])},
    )
    gap = _finding(
        f"utility.gap.{name}",
        estimate=estimated(evidence, yardstick - made),
        control=estimated(evidence, first - second),
        floor=None if floor is None else estimated(evidence, yardstick - floor),
        detail=detail,
    )
    return tstr, gap


def _found(evidence: Evidence, goal: Task, lessons: list[Lesson]) -> dict[str, Any]:
    """The accuracy of models of synthetic and of real records; nothing for a number."""
    if goal.classes is None:
        return {}
    held = truth(evidence)
    each = [accuracy(held, model.made, goal.classes) for model in learned(evidence, lessons)]
    named = zip(("synthetic", "real"), each, strict=True)
    return {"accuracy": {name: _bounded(estimated(evidence, one)).plain() for name, one in named}}


def _bounded(estimate: Estimate) -> Estimate:
    """No score is above 1."""
    return replace(estimate, high=max(min(estimate.high, 1.0), estimate.value))


@measures(AUGMENTATION)
def augmentation(evidence: Evidence) -> tuple[Finding, ...]:
    """What boosted trees gain on holdout when as many synthetic records join the train records; ideal: 0 or more.

    A paired difference. Control: what real records of other patients add to a first half of train, the most that could
    be hoped for.
    """
    goal = task(evidence)
    if isinstance(goal, NoTask):
        return _finding.unmeasured((AUGMENTATION,), status=goal.status, reason=goal.reason)
    n, m = size(evidence, "boosting"), half(evidence, "boosting")
    more, alone, real_more, real_alone = scored(
        evidence,
        [
            Lesson("boosting", n, ("train", "synthetic")),
            Lesson("boosting", n, ("train",)),
            Lesson("boosting", m, ("train", "second")),
            Lesson("boosting", m, ("train",)),
        ],
    )
    finding = _finding(
        AUGMENTATION,
        estimate=estimated(evidence, more - alone),
        control=estimated(evidence, real_more - real_alone),
        better="higher",
        detail={"records": n, "score": goal.score, "target": goal.name, "alone": alone.value, "together": more.value},
    )
    return (finding,)


@measures(*REVERSE)
def reverse(evidence: Evidence) -> tuple[Finding, ...]:
    """Train on real, test on synthetic (TRTS): how far the score there is from the same model's on holdout; ideal 0.

    `detail["difference"]` has the sign. Below 0: synthetic outcomes do not follow the rule of real ones. Above 0: they
    follow it more plainly than real ones do, or they repeat train records, which the model has seen.
    The two test sets are independent given the model, so the interval adds their variances, each by patient. A class
    that synthetic records lack counts as chance, .5. Control: the model of one half of train, tested on the other half.
    """
    goal = task(evidence)
    if isinstance(goal, NoTask):
        return _finding.unmeasured(REVERSE, status=goal.status, reason=goal.reason)
    lessons = [one for name in MODELS for one in (lesson(evidence, name, "train"), real(evidence, name)[0])]
    learned(evidence, lessons)
    return tuple(_reversed(evidence, goal, name) for name in MODELS)


def _reversed(evidence: Evidence, goal: Task, name: str) -> Finding:
    """The finding of one family."""
    metric = f"utility.trts.{name}"
    made = patient_rows(evidence.synthetic.subjects, TESTED[evidence.tier], rng=stream(evidence.seed, "reverse"))
    fresh = rows_of(evidence, "second", half(evidence, name))
    taught, first = learned(evidence, [lesson(evidence, name, "train"), real(evidence, name)[0]])
    moved = _moved(evidence, goal, taught, "synthetic", made)
    if moved is None:
        reason = f"too few synthetic records with a known target for {PER_CLASS} of a class"
        return _finding(metric, status="insufficient", reason=reason)
    usual = _moved(evidence, goal, first, "second", fresh)
    return _finding(
        metric,
        estimate=folded(moved),
        control=None if usual is None else folded(usual),
        detail={"records": len(made), "score": goal.score, "target": goal.name, "difference": moved.value},
    )


def _moved(evidence: Evidence, goal: Task, model: Learned, side: Side, rows: np.ndarray) -> Estimate | None:
    """The model's score on rows of a side minus its score on holdout, over classes that so many rows should hold."""
    x, known, subjects = labelled(evidence, side, rows)
    held, made, classes = truth(evidence), model.made, goal.classes
    if len(known) < LEAST:
        return None
    moved = model.predict(x)
    if classes is not None:
        kept = np.array([(held == c).mean() * len(known) >= PER_CLASS for c in classes])
        if not kept.any():
            return None
        made, moved, classes = made[:, kept], moved[:, kept], classes[kept]
    there = score(known, moved, classes)
    here = estimated(evidence, score(held, made, classes))
    return difference(linearized(there.value, there.influence, clusters=subjects), here)


_FAMILY = {"boosting": "boosted trees", "forest": "a random forest", "linear": "a linear model"}
_TITLE = {name: family.removeprefix("a ") for name, family in _FAMILY.items()}
_TEXT = {
    **{
        f"utility.tstr.{name}": (
            f"Prediction, {_TITLE[name]}",
            f"How well real patients are predicted by {family} that learned from synthetic records: 1 is perfect, "
            "guessing is .5 for an outcome and 0 for a number.",
        )
        for name, family in _FAMILY.items()
    },
    **{
        f"utility.gap.{name}": (
            f"Loss of prediction, {_TITLE[name]}",
            f"How much worse real patients are predicted by {family} that learned from synthetic instead of real "
            "records: 0 is no loss.",
        )
        for name, family in _FAMILY.items()
    },
    **{
        f"utility.trts.{name}": (
            f"Real rule, {_TITLE[name]}",
            f"How differently synthetic records and real patients are predicted by {family} that learned from real "
            "records: 0 is alike; more means that synthetic outcomes do not follow the real rule, or follow it too "
            "plainly.",
        )
        for name, family in _FAMILY.items()
    },
    AUGMENTATION: (
        "Gain by adding synthetic records",
        "How much better a model predicts real patients when synthetic records are added to the real ones: 0 is no "
        "gain, below 0 they do harm.",
    ),
}

_finding = Wording(_TEXT)
