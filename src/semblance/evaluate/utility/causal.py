"""Is the effect of a treatment the same? Average treatment effects by augmented inverse-propensity weighting (AIPW)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.special import expit

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import Estimate, difference, folded, linearized
from semblance.core.judge import measures, patient_blocks
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.shared.models import beside
from semblance.evaluate.utility.inference import chosen
from semblance.evaluate.utility.outcome import Outcome, outcome
from semblance.evaluate.utility.records import Records, records
from semblance.evaluate.utility.regression import linear, logistic
from semblance.evaluate.utility.task import NoTask
from semblance.evaluate.utility.terms import Term, design

METRIC = "utility.causal"
RECORDS = {"fast": 5_000, "standard": 20_000, "audit": 200_000}
FOLDS = 5
TERMS = 10  # that explain the outcome, and as many that explain the treatment
LEAST = 30  # patients in an arm of a part
OVERLAP = 0.02  # propensities are kept this far from 0 and 1


@dataclass(frozen=True)
class Trial:
    """Who is treated, what comes of it, and the terms by which the arms may differ beforehand."""

    treated: Outcome
    outcome: Outcome
    terms: tuple[Term, ...]

    def known(self, source: Records) -> Records:
        """Records whose arm and outcome are known."""
        return source.take(~np.isnan(self.treated.of(source.x)) & ~np.isnan(self.outcome.of(source.x)))

    def smaller(self, source: Records) -> int:
        """Patients of the smaller arm."""
        arm = self.treated.of(source.x)
        return min(source.take(arm == side).patients for side in (0, 1))


@measures(METRIC)
def causal(evidence: Evidence[Any]) -> tuple[Finding, ...]:
    """Distance between the average treatment effect in synthetic records and in train.

    The treatment is a declared column of two arms; of more, the most frequent stands against the rest. The effect is a
    risk difference for a target of two classes (of more, all but the most frequent), and in train's standard
    deviations for a number. AIPW (Robins, Rotnitzky and Zhao 1994), cross-fitted over five folds of patients
    (Chernozhukov et al. 2018), with logistic propensities and a regression of the outcome in each arm, on at most 20
    terms of train. All other columns count as known before treatment: what is measured after it ought to be dropped.

    Intervals come from the influence functions, by patient, of samples taken as independent. Control: train against
    holdout.
    """
    trial = _trial(evidence)
    if isinstance(trial, NoTask):
        return (_finding(status=trial.status, reason=trial.reason),)
    parts: tuple[Part, ...] = ("train", "synthetic", "holdout", *(("floor",) if evidence.floor is not None else ()))
    sources = {part: _limited(evidence, trial, part) for part in parts}
    short = [part for part in parts if part != "floor" and trial.smaller(sources[part]) < LEAST]
    if short:
        return (_finding(status="insufficient", reason=f"fewer than {LEAST} patients in an arm of {short[0]}"),)
    sources = {part: source for part, source in sources.items() if trial.smaller(source) >= LEAST}
    fits = beside([partial(effect, trial, source, seed=evidence.seed) for source in sources.values()])
    effects = dict(zip(sources, fits, strict=True))
    real = effects["train"]
    detail = {
        "treated": trial.treated.name,
        "outcome": trial.outcome.name,
        "scale": "risk difference" if trial.outcome.two else "standard deviations",
        "effects": {part: [round(v, 4) for v in (e.value, e.low, e.high)] for part, e in effects.items()},
    }
    return (
        _finding(
            estimate=folded(difference(effects["synthetic"], real)),
            control=folded(difference(effects["holdout"], real)),
            floor=folded(difference(effects["floor"], real)) if "floor" in effects else None,
            detail=detail,
        ),
    )


def effect(trial: Trial, source: Records, *, seed: int) -> Estimate:
    """The average treatment effect in one data set."""
    x = design(trial.terms, source.x)
    arm, y = trial.treated.of(source.x), trial.outcome.of(source.x)
    fold = patient_blocks(source.patient, FOLDS, rng=stream(seed, "causal", "folds"))
    score = aipw(x, arm, y, fold, two=trial.outcome.two)
    return linearized(float(score.mean()), score - score.mean(), clusters=source.patient)


def aipw(x: np.ndarray, arm: np.ndarray, y: np.ndarray, fold: np.ndarray, *, two: bool) -> np.ndarray:
    """(n,) scores whose mean is the effect of `arm` (n,) in {0, 1} on y (n,): each from models of the other folds."""
    score = np.empty(len(y))
    for k in np.unique(fold):
        out, learn = fold == k, fold != k
        chance = np.clip(_predict(x[learn], arm[learn], x[out], two=True), OVERLAP, 1 - OVERLAP)
        sides = [learn & (arm == side) for side in (0, 1)]
        none, treated = (_predict(x[side], y[side], x[out], two=two) for side in sides)
        gain = arm[out] * (y[out] - treated) / chance - (1 - arm[out]) * (y[out] - none) / (1 - chance)
        score[out] = treated - none + gain
    return score


def _predict(x: np.ndarray, y: np.ndarray, test: np.ndarray, *, two: bool) -> np.ndarray:
    """What a regression of y on x says of `test`, within the range of y."""
    if not len(y) or np.ptp(y) == 0:
        return np.full(len(test), y[0] if len(y) else 0.0)
    beta = (logistic if two else linear)(x, y).beta
    eta = beta[0] + test @ beta[1:]
    made: np.ndarray = expit(eta) if two else np.clip(eta, y.min(), y.max())
    return made


def _trial(evidence: Evidence[Any]) -> Trial | NoTask:
    """The trial, or the status and the reason why there is none."""
    known = evidence.features("train")
    position = known.roles.get("treatment")
    if position is None or known.target is None:
        return NoTask("not_applicable", "no column was declared as treatment, or none as target")
    treated, after = outcome(known, position, arms=True), outcome(known, known.target)
    if treated is None:
        return NoTask("not_applicable", "the treatment has one value in train, or is a number of many values")
    if after is None:
        return NoTask("insufficient", "the target has one value in train")
    source = _limited(evidence, Trial(treated, after, ()), "train")
    if not len(source):
        return NoTask("insufficient", "no record of train has a known treatment and target")
    without = [position, known.target]
    terms: dict[Term, None] = {}
    for about in (after.of(source.x), treated.of(source.x)):
        terms |= dict.fromkeys(chosen(known, source, about, without=without, most=TERMS))
    return Trial(treated, after, tuple(terms))


def _limited(evidence: Evidence[Any], trial: Trial, part: Part) -> Records:
    rng = stream(evidence.seed, "causal", part)
    return trial.known(records(evidence, part)).part(RECORDS[evidence.tier], rng=rng)


def _finding(**fields: Any) -> Finding:
    meaning = (
        "How much the effect of the treatment differs between synthetic and real records: 0 not at all; in units of "
        "risk, or in standard deviations of a numeric outcome."
    )
    return Finding(METRIC, "Effect of treatment", "utility", meaning=meaning, **fields)
