"""Does an analyst publish the same coefficients? One regression of the target, on real and on synthetic records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Features
from semblance.core.judge import Wording, measures
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.shared.models import beside
from semblance.evaluate.utility.agreement import (
    Coefficients,
    coefficients,
    combined,
    decisions,
    overlap,
    signs,
    told,
)
from semblance.evaluate.utility.outcome import Outcome, outcome
from semblance.evaluate.utility.records import Records, copies, records
from semblance.evaluate.utility.regression import linear, logistic
from semblance.evaluate.utility.task import NoTask
from semblance.evaluate.utility.terms import EVENTS, MOST, Term, choose, design

METRICS = ("utility.inference.overlap", "utility.inference.sign", "utility.inference.significance")
LATER = ("time", "event", "visit_time")  # no predictors: they are known only with the outcome, or say when
NONE = "no coefficient is significant in the real records"

Pairs = dict[str, tuple[Coefficients, Coefficients]]


@dataclass(frozen=True)
class Analysis:
    """The analyst's model: an outcome and the terms that explain it, both read on train."""

    outcome: Outcome
    terms: tuple[Term, ...]

    @property
    def kind(self) -> str:
        """What regression it is."""
        return "logistic" if self.outcome.two else "linear"


@measures(*METRICS)
def inference(evidence: Evidence[Any]) -> tuple[Finding, ...]:
    """How well the coefficients of one regression agree between synthetic records and train.

    The model: logistic regression of a target of two classes (of more, the most frequent against the rest), least
    squares for a number; at most 15 main effects, chosen on train by correlation with the outcome, 10 patients of the
    rarer class for each. Errors are classical, or by patient where patients repeat.

    - overlap: mean overlap of the 95% intervals (Karr et al. 2006); disjoint intervals count 0. The intervals of a
      larger or smaller synthetic set are made as long as those of as many records as train has.
    - sign: share of equal signs among the coefficients that are significant in train.
    - significance: share of coefficients with the same decision at 5%.

    The control fits train and holdout at the same size. Two independent samples of one population overlap by .71 in
    the mean, whatever their size; a synthetic set that follows its own training records closely goes beyond it.
    `copies` of the evidence are combined with the synthetic set (see `combining`).
    """
    analysis = _analysis(evidence)
    if isinstance(analysis, NoTask):
        return _finding.unmeasured(METRICS, status=analysis.status, reason=analysis.reason)
    pairs, rule = compared(evidence, partial(_fitted, analysis), partial(_labelled, target=analysis.outcome))
    real, synthetic = pairs["estimate"]
    detail = {
        "model": analysis.kind,
        "outcome": analysis.outcome.name,
        "records": real.records,
        "copies": 1 + len(evidence.copies),
        "rule": rule,
        "terms": told([term.name for term in analysis.terms], real, synthetic),
    }
    return _findings(evidence, pairs, detail)


def compared(
    evidence: Evidence[Any], fit: Callable[[Records], Coefficients], known: Callable[[Records], Records]
) -> tuple[Pairs, str]:
    """What is compared for the estimate, the control and the floor, and the rule that combined the copies.

    `known` leaves the records that `fit` can use. Train and holdout are cut to one size for the control.
    """
    train, holdout = known(records(evidence, "train")), known(records(evidence, "holdout"))
    n = min(len(train), len(holdout))
    real_sides = [train, *(s.part(n, rng=stream(evidence.seed, "inference", "cut")) for s in (train, holdout))]
    floor = [] if evidence.floor is None else [known(records(evidence, "floor"))]
    made = [known(source) for source in (records(evidence, "synthetic"), *copies(evidence))]
    fits = beside([partial(fit, source) for source in (*real_sides, *floor, *made)])
    real, half, held = fits[:3]
    synthetic, rule = combined(fits[3 + len(floor) :], real.records)
    pairs = {"estimate": (real, synthetic), "control": (half, held.as_many(half.records))}
    return pairs | ({"floor": (real, fits[3].as_many(real.records))} if floor else {}), rule


def _findings(evidence: Evidence[Any], pairs: Pairs, detail: dict[str, Any]) -> tuple[Finding, ...]:
    def each(measure: Callable[..., Any]) -> dict[str, Any]:
        return {
            name: measure(*pair, rng=stream(evidence.seed, "inference", measure.__name__, name))
            for name, pair in pairs.items()
        }

    shared = each(signs)
    none = shared["estimate"] is None
    return (
        _finding(METRICS[0], **each(overlap), detail=detail),
        _finding(METRICS[1], **({"status": "insufficient", "reason": NONE} if none else {**shared, "detail": detail})),
        _finding(METRICS[2], **each(decisions), detail=detail),
    )


def _fitted(analysis: Analysis, source: Records) -> Coefficients:
    """The coefficients of one data set, without the intercept."""
    x, y = design(analysis.terms, source.x), analysis.outcome.of(source.x)
    if not len(y) or np.ptp(y) == 0:
        x = np.zeros_like(x)  # an outcome that never varies tells nothing of any term
    model = logistic if analysis.outcome.two else linear
    return coefficients(lambda terms: model(terms, y), x, source.patient)


def _labelled(source: Records, target: Outcome) -> Records:
    return source.take(~np.isnan(target.of(source.x)))


def _analysis(evidence: Evidence[Any]) -> Analysis | NoTask:
    """The model, or the status and the reason why there is none."""
    known = evidence.features("train")
    if known.target is None:
        return NoTask("not_applicable", "no target column was named")
    if len(known.names) < 2:
        return NoTask("not_applicable", "there is nothing to explain the target with")
    target = outcome(known, known.target)
    if target is None:
        return NoTask("insufficient", "the target has one value in train")
    train, holdout = (_labelled(records(evidence, part), target) for part in ("train", "holdout"))
    most = min(_room(part, target) for part in (train, holdout))
    if most < 1:
        return NoTask("insufficient", f"fewer than {EVENTS} patients of a class of the target in train or in holdout")
    terms = chosen(known, train, target.of(train.x), without=[known.target], most=most)
    if not terms:
        return NoTask("insufficient", "no column of train varies enough to explain it")
    return Analysis(target, terms)


def chosen(
    known: Features, train: Records, about: np.ndarray, *, without: Sequence[int], most: int
) -> tuple[Term, ...]:
    """The terms that explain `about` best, a declared treatment first, at most `most` or 15; nothing from later."""
    roles = known.roles
    return choose(
        replace(known, x=train.x),
        about,
        train.patient,
        without=[*without, *(roles[role] for role in LATER if role in roles)],
        first=[roles["treatment"]] if "treatment" in roles else [],
        most=min(most, MOST),
    )


def _room(source: Records, target: Outcome) -> int:
    """How many terms the patients can carry."""
    if not target.two:
        return source.patients // EVENTS
    y = target.of(source.x)
    return min(source.take(y == k).patients for k in (0, 1)) // EVENTS


_TEXT = {
    METRICS[0]: (
        "Overlap of coefficients",
        "How far the confidence intervals of a regression overlap between synthetic and real records: 1 fully, 0 not; "
        "two real samples share about .7.",
    ),
    METRICS[1]: (
        "Same direction of effects",
        "Share of the real records' significant effects that point the same way in synthetic records: 1 all, 0 none.",
    ),
    METRICS[2]: (
        "Same significance of effects",
        "Share of effects that are called significant, or not, alike in synthetic and in real records: 1 all, 0 none.",
    ),
}

_finding = Wording(_TEXT, better="higher")
