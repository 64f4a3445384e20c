"""The outcome predicted from what is measured: by models of synthetic and of real stays (Esteban et al. 2017).

Boosted trees on first, last, lowest, highest and mean values and counts of channels, and on the facts of stays but for
those that tell the outcome (the day of death): which alone rank train's stays nearly as the outcome does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from semblance.core.coded import names
from semblance.core.dataset import Part
from semblance.core.estimate import Estimate, folded, jackknife
from semblance.core.judge import Wording, measures, patient_blocks, patient_rows, patients
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.embed import features
from semblance.modalities.vitals.metrics.samples import BLOCKS, LEAST, Measured
from semblance.modalities.vitals.metrics.trees import Scores, learn

TELLS = 0.85
"""A fact whose values alone rank stays by their outcome with such an AUC tells it."""
PER_CLASS = 10
LEARNED_FROM = {"fast": 1_000, "standard": 5_000, "audit": 50_000}
SEEDS = 3
"""Models whose probabilities are averaged: what a single one happens to find counts less."""
TSTR, GAP, TRTS = "utility.vitals_tstr", "utility.vitals_gap", "utility.vitals_trts"


@dataclass(frozen=True)
class Side:
    """Numbers (n, d) of stays, whether each has each of k outcomes (n, k), and their patients."""

    x: np.ndarray
    y: np.ndarray
    who: np.ndarray

    def take(self, rows: np.ndarray) -> Side:
        """Some of the stays."""
        return Side(self.x[rows], self.y[rows], self.who[rows])


@dataclass(frozen=True)
class Task:
    """What is predicted, the outcomes that are told apart, and the facts that are left out for they tell it."""

    target: str
    classes: tuple[Any, ...]
    told: tuple[str, ...]


@measures(TSTR, GAP)
def transfer(evidence: Measured) -> tuple[Finding, ...]:
    """The AUC on holdout of a model of synthetic stays, beside that of one of as many real stays, and their difference.

    - vitals_tstr: train on synthetic, test on real; control: train on real. Outcomes of more than two classes: the mean
      of one-versus-rest.
    - vitals_gap: the real model's AUC minus the synthetic one's; 0 is best, aim below .02. Control: the same between
      models of the two halves of train.

    Each model is the mean of three seeds. Intervals leave out blocks of holdout patients, the models stay as they are.
    """
    task = evidence.once("mortality", lambda: _task(evidence))
    if isinstance(task, Finding):
        return tuple(_finding(metric, status=task.status, reason=task.reason) for metric in (TSTR, GAP))
    held = _side(evidence, "holdout", task)
    models = _models(evidence, task)
    scores = {name: _auc(held, model(held.x), evidence.seed) for name, model in models.items()}
    n = patients(held.who)
    level = {name: _estimate(one, n) for name, one in scores.items()}
    detail = {"target": task.target, "left_out": list(task.told), "stays": _count(evidence, task)}
    tstr = _finding(TSTR, estimate=level["synthetic"], control=level["train"], floor=level.get("floor"),
                    better="higher", detail=detail)  # fmt: skip
    apart = {name: scores["train"] - one for name, one in scores.items()}
    halves = jackknife(*_folded(scores["first"] - scores["second"]), n=n)
    floor = None if "floor" not in apart else jackknife(*_folded(apart["floor"]), n=n)
    gap = _finding(
        GAP, estimate=jackknife(*_folded(apart["synthetic"]), n=n), control=halves, floor=floor, detail=detail
    )
    return tstr, gap


@measures(TRTS)
def reverse(evidence: Measured) -> tuple[Finding, ...]:
    """How far the AUC of a model of real stays on synthetic ones is from that on holdout; 0 is best.

    Below it (see `detail["difference"]`) synthetic outcomes do not follow the rule of real ones, above it they follow
    it more plainly. Control: the model of one half of train on the other half and on holdout.
    """
    task = evidence.once("mortality", lambda: _task(evidence))
    if isinstance(task, Finding):
        return (_finding(TRTS, status=task.status, reason=task.reason),)
    held, made, models = _side(evidence, "holdout", task), _side(evidence, "synthetic", task), _models(evidence, task)
    two = _half(evidence, _side(evidence, "train", task), 1)
    told = [
        (_auc(made, models["train"](made.x), evidence.seed), _auc(held, models["train"](held.x), evidence.seed)),
        (_auc(two, models["first"](two.x), evidence.seed), _auc(held, models["first"](held.x), evidence.seed)),
    ]
    moved = [jackknife(*_folded(a - b), n=patients(held.who)) for a, b in told]
    detail = {"target": task.target, "difference": moved[0].value}
    return (_finding(TRTS, estimate=folded(moved[0]), control=folded(moved[1]), detail=detail),)


def _task(evidence: Measured) -> Task | Finding:
    target = evidence.train.schema.where("target")
    if target is None or target.continuous:
        return _finding(TSTR, status="not_applicable", reason="no outcome of classes was named")
    known = names(evidence.train.frame[target.name])
    real = [evidence.train.frame[target.name].astype(object), evidence.holdout.frame[target.name].astype(object)]
    made = evidence.synthetic.frame[target.name].astype(object)
    classes = tuple(one for one in known if all((part == one).sum() >= PER_CLASS for part in real))
    if len(classes) < 2 or min(patients(evidence.holdout.subjects), int(made.notna().sum())) < LEAST:
        reason = f"fewer than two outcomes with {PER_CLASS} stays, or too few patients"
        return _finding(TSTR, status="insufficient", reason=reason)
    classes = classes[1:] if len(known) == 2 else classes
    return Task(target.name, classes, _telling(evidence.train, target.name, classes))


def _telling(train: Stays, target: str, classes: tuple[Any, ...]) -> tuple[str, ...]:
    """Facts that alone tell the outcome: missing is a value as well."""
    outcome = train.frame[target].astype(object).to_numpy()
    told, x = [], features(train, train)
    for j, column in enumerate(train.schema.learned):
        if column.name == target:
            continue
        values = x.x[:, j]
        for filled in (np.nan_to_num(values, nan=-np.inf), np.nan_to_num(values, nan=np.inf)):
            auc = max(abs(_area(outcome == one, filled) - 0.5) for one in classes) + 0.5
            if auc >= TELLS and column.name not in told:
                told.append(column.name)
    return tuple(told)


def _side(evidence: Measured, part: Part, task: Task) -> Side:
    return evidence.once(("side", part), lambda: _made(evidence, part, task))


def _made(evidence: Measured, part: Part, task: Task) -> Side:
    stays: Stays = getattr(evidence, part)
    outcome = stays.frame[task.target].astype(object)
    stays = stays.take(outcome.notna().to_numpy())
    found = features(stays, evidence.train)
    kept = [j for j, name in enumerate(found.names) if name != task.target and name not in task.told]
    known = stays.frame[task.target].astype(object).to_numpy()
    return Side(found.x[:, kept], np.column_stack([known == one for one in task.classes]), stays.subjects)


def _count(evidence: Measured, task: Task) -> int:
    """How many stays a model learns from: as many on each side."""
    sides = (_side(evidence, part, task) for part in ("synthetic", "train"))
    return min(LEARNED_FROM[evidence.tier], *(len(side.y) for side in sides))


def _models(evidence: Measured, task: Task) -> dict[str, Scores]:
    """Of synthetic and real stays, of the floor, and of the halves of train."""
    return evidence.once("models of mortality", lambda: _learned(evidence, task))


def _learned(evidence: Measured, task: Task) -> dict[str, Scores]:
    train, count = _side(evidence, "train", task), _count(evidence, task)
    parts: list[Part] = ["synthetic", "train", *(("floor",) if evidence.floor is not None else ())]
    lessons: dict[str, Side] = {part: _some(evidence, _side(evidence, part, task), count, part) for part in parts}
    lessons |= {"first": _half(evidence, train, 0), "second": _half(evidence, train, 1)}
    return {name: _mean(side, evidence.seed) for name, side in lessons.items()}


def _some(evidence: Measured, side: Side, count: int, part: str) -> Side:
    return side.take(patient_rows(side.who, count, rng=stream(evidence.seed, "lesson", part)))


def _half(evidence: Measured, side: Side, i: int) -> Side:
    return side.take(patient_blocks(side.who, 2, rng=stream(evidence.seed, "halves")) == i)


def _mean(side: Side, seed: int) -> Scores:
    """(m, k) the mean probability of models of several seeds."""
    made = [[learn(side.x, y, seed=seed + i) for i in range(SEEDS)] for y in side.y.T]
    return lambda test: np.column_stack([np.mean([one(test) for one in models], axis=0) for models in made])


def _auc(side: Side, scores: np.ndarray, seed: int) -> np.ndarray:
    """(1 + blocks,) mean AUC over outcomes: of all, then without each block of patients."""
    who = side.who if patients(side.who) > 1 else np.arange(len(side.who))
    block = patient_blocks(who, BLOCKS, rng=stream(seed, "tested"))
    kept = [np.ones(len(block), dtype=bool), *(block != k for k in range(BLOCKS))]
    return np.array(
        [np.mean([_area(y[rows], s[rows]) for y, s in zip(side.y.T, scores.T, strict=True)]) for rows in kept]
    )


def _area(y: np.ndarray, scores: np.ndarray) -> float:
    """P(score of a case > that of another) + P(tie) / 2; .5 where a side has none."""
    cases = int(y.sum())
    if not 0 < cases < len(y):
        return 0.5
    ranks = rankdata(scores)
    return float((ranks[y].sum() - cases * (cases + 1) / 2) / (cases * (len(y) - cases)))


def _folded(statistic: np.ndarray) -> tuple[float, np.ndarray]:
    return float(statistic[0]), statistic[1:]


def _estimate(statistic: np.ndarray, n: int) -> Estimate:
    return jackknife(*_folded(statistic), n=n, within=(0.0, 1.0))


_finding = Wording(
    {
        TSTR: (
            "Outcome predicted, trees",
            "How well the outcome of real stays is predicted by a model that learned from synthetic ones: 1 is "
            "perfect, guessing is .5.",
        ),
        GAP: (
            "Loss of prediction of the outcome",
            "How much worse the outcome of real stays is predicted by a model that learned from synthetic instead of "
            "real ones: 0 is no loss.",
        ),
        TRTS: (
            "Real rule of the outcome",
            "How differently a model that learned from real stays predicts synthetic and real outcomes: 0 is alike.",
        ),
    }
)
