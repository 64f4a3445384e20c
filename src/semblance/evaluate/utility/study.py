"""The follow-up that a data set holds: the time, the event, the terms that explain it, and its strata."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence
from semblance.evaluate.utility.censored import martingale
from semblance.evaluate.utility.cox import cox
from semblance.evaluate.utility.inference import chosen
from semblance.evaluate.utility.outcome import ARMS, Outcome, level, outcome
from semblance.evaluate.utility.records import Records, records
from semblance.evaluate.utility.task import NoTask
from semblance.evaluate.utility.terms import EVENTS, Term, design

AT_RISK = 11  # patients of train and of holdout, up to where curves are followed
LEAST = 30  # patients of a part
RISKS = ("low risk", "middle risk", "high risk")
Deal = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Study:
    """Where a follow-up stands: the time's position, and how the event is read. `until` ends curves and scores."""

    time: int
    event: Outcome
    terms: tuple[Term, ...]
    until: float

    def known(self, source: Records) -> Records:
        """The first record of each patient whose follow-up and event are known."""
        told = source.take(~np.isnan(source.x[:, self.time]) & ~np.isnan(self.event.of(source.x)))
        return told.take(np.unique(told.patient, return_index=True)[1])

    def followed(self, source: Records) -> tuple[np.ndarray, np.ndarray]:
        """Times (n,), none below 0, and events (n,) in {0, 1}."""
        return np.maximum(source.x[:, self.time], 0.0), self.event.of(source.x)


def study_of(evidence: Evidence[Any]) -> Study | NoTask:
    """The follow-up, or the status and the reason why there is none."""
    known = evidence.features("train")
    time, event = known.roles.get("time"), known.roles.get("event", known.target)
    if time is None or event is None or time == event:
        return NoTask("not_applicable", "no column was declared as time, or none as event or target")
    if known.categorical[time]:
        return NoTask("not_applicable", "the time of follow-up is no number")
    happened = outcome(known, event)
    if happened is None:
        return NoTask("insufficient", "the event has one value in train")
    if not happened.two or happened.rest:
        return NoTask("not_applicable", "the event has more than two values")
    study = Study(time, happened, (), 0.0)
    parts = {part: study.known(records(evidence, part)) for part in ("train", "holdout", "synthetic")}
    if min(map(len, parts.values())) < LEAST:
        return NoTask("insufficient", f"fewer than {LEAST} patients of a part have a known follow-up and event")
    sides = [study.followed(parts[part]) for part in ("train", "holdout")]
    least = min(float(event.sum()) for _, event in sides)
    until = min(float(np.sort(time)[-AT_RISK]) for time, _ in sides)
    if least < EVENTS or not until > 0:
        return NoTask("insufficient", f"fewer than {EVENTS} events in train or in holdout")
    without = [event, *([known.target] if known.target is not None else [])]
    about = martingale(*sides[0])
    terms = chosen(known, parts["train"], about, without=without, most=int(least) // EVENTS)
    if not terms:
        return NoTask("insufficient", "no column of train varies enough to explain survival")
    return Study(time, happened, terms, _below(until))


def _below(value: float) -> float:
    """Two leading digits, rounded down: no patient's own time."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.floor(value / unit) * unit


def dealt(evidence: Evidence[Any], study: Study, train: Records) -> tuple[tuple[str, ...], Deal]:
    """The strata's names, and how features (n, d) are dealt among them.

    They are the arms of a declared treatment, or else thirds of the risk that a Cox model of train predicts.
    """
    known = evidence.features("train")
    arms = known.roles.get("treatment")
    if arms is not None:
        values = np.unique(train.x[~np.isnan(train.x[:, arms]), arms])
        if 2 <= len(values) <= ARMS:
            names = tuple(f"{known.names[arms]} = {level(known, arms, value)}" for value in values)
            return names, lambda x: np.searchsorted(values, np.nan_to_num(x[:, arms])).clip(max=len(values) - 1)
    model = cox(design(study.terms, train.x), *study.followed(train))
    cuts = np.quantile(model.risk(design(study.terms, train.x)), [1 / 3, 2 / 3])
    return RISKS, lambda x: np.searchsorted(cuts, model.risk(design(study.terms, x)))
