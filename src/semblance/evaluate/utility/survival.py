"""Time to an event: do survival curves, models of survival and published hazard ratios hold in synthetic records?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import Estimate, jackknife, linearized
from semblance.core.judge import Wording, measures, patient_blocks
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.shared.models import beside
from semblance.evaluate.utility.agreement import coefficients, overlap, told
from semblance.evaluate.utility.censored import brier, concordance, kaplan_meier, martingale, uncensored
from semblance.evaluate.utility.cox import Cox, cox
from semblance.evaluate.utility.inference import chosen, compared
from semblance.evaluate.utility.outcome import Outcome, outcome
from semblance.evaluate.utility.performance import Score
from semblance.evaluate.utility.records import Records, records
from semblance.evaluate.utility.task import NoTask
from semblance.evaluate.utility.terms import EVENTS, Term, design

METRICS = (
    "utility.survival.concordance",
    "utility.survival.brier",
    "utility.survival.curve",
    "utility.survival.hazards",
)
TESTED = {"fast": 3_000, "standard": 8_000, "audit": 40_000}  # holdout patients: every pair of them is compared
BLOCKS = 20
AT_RISK = 11  # patients of train and of holdout, up to where curves are followed
GRID = 50  # times of a Brier score and of a drawn curve
LEAST = 30  # patients of a part


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


@measures(*METRICS)
def survival(evidence: Evidence[Any]) -> tuple[Finding, ...]:
    """Follow-up with a declared time, and a declared event or a target of two values.

    - concordance: Harrell's C (1982) on holdout of a Cox model learned on train, less that of one learned on as many
      synthetic records; the interval is paired, since both are tested on the same patients. Ideal 0.
    - brier: integrated Brier score (Graf et al. 1999, weighted for censoring as in train) of the second, less that of
      the first. Ideal 0.
    - curve: largest distance between the Kaplan-Meier curves of equally many synthetic and holdout records, up to the
      last time at which 11 patients of train and of holdout are still followed.
    - hazards: mean overlap (Karr et al. 2006) of the confidence intervals of the Cox model's coefficients.

    Terms are chosen as in `inference`, by correlation with the martingale residuals of the model without any. One
    record per patient, the first, is read. The intervals of the two losses hold for these fitted models: how far luck
    of the fit goes is shown by their controls. The controls of the two losses are between halves of train, tested on
    holdout; the others are train in the place of the synthetic set, at the size of holdout.
    """
    study = _study(evidence)
    if isinstance(study, NoTask):
        return _finding.unmeasured(METRICS, status=study.status, reason=study.reason)
    return (*_losses(evidence, study), _curve(evidence, study), _hazards(evidence, study))


def _study(evidence: Evidence[Any]) -> Study | NoTask:
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


def _losses(evidence: Evidence[Any], study: Study) -> tuple[Finding, Finding]:
    """What a Cox model loses in concordance and in Brier score."""
    train, made = (study.known(records(evidence, part)) for part in ("train", "synthetic"))
    n = min(len(train), len(made))
    rng = stream(evidence.seed, "survival")
    sources = {"train": train.part(n, rng=rng), "synthetic": made.part(n, rng=rng)}
    if evidence.floor is not None:
        sources["floor"] = study.known(records(evidence, "floor")).part(n, rng=rng)
    sources["first"], sources["second"] = train.halves(rng=rng)
    held = study.known(records(evidence, "holdout")).part(TESTED[evidence.tier], rng=rng)
    models = beside([partial(_learn, study, source) for source in sources.values()])
    tested = beside([partial(_tested, study, model, held, train) for model in models])
    scores = dict(zip(sources, tested, strict=True))
    pairs = {"estimate": ("train", "synthetic"), "control": ("first", "second"), "floor": ("train", "floor")}
    pairs = {name: pair for name, pair in pairs.items() if pair[1] in scores}
    ranks = {name: _lost(scores[a][0] - scores[b][0]) for name, (a, b) in pairs.items()}
    losses = {name: _lost(scores[b][1] - scores[a][1]) for name, (a, b) in pairs.items()}
    reached = {"real": round(scores["train"][0].value, 4), "synthetic": round(scores["synthetic"][0].value, 4)}
    errors = {"real": round(scores["train"][1].value, 4), "synthetic": round(scores["synthetic"][1].value, 4)}
    about = {"model": "Cox", "records": n, "tested": len(held), "event": study.event.name}
    return (
        _finding(METRICS[0], **ranks, detail={**about, "concordance": reached}),
        _finding(METRICS[1], **losses, detail={**about, "brier": errors, "until": _short(study.until)}),
    )


def _learn(study: Study, source: Records) -> Cox | None:
    """The model of one data set; None where nobody has the event."""
    time, event = study.followed(source)
    return cox(design(study.terms, source.x), time, event) if event.any() else None


def _tested(study: Study, model: Cox | None, held: Records, train: Records) -> tuple[Score, Score]:
    """Concordance and integrated Brier score on holdout; of no model: chance, and that nobody has the event."""
    time, event = study.followed(held)
    x = design(study.terms, held.x)
    times = np.linspace(0, study.until, GRID + 1)[1:]
    risk = np.zeros(len(held)) if model is None else model.risk(x)
    alive = np.ones((len(held), GRID)) if model is None else model.survival(x, times)
    error = brier(time, event, alive, times, uncensored(*study.followed(train)))
    return concordance(time, event, risk), Score(float(error.mean()), error - error.mean())


def _lost(score: Score) -> Estimate:
    return linearized(score.value, score.influence)


def _curve(evidence: Evidence[Any], study: Study) -> Finding:
    """How far the survival curves are apart."""
    held = study.known(records(evidence, "holdout"))
    others: dict[str, Part] = {"estimate": "synthetic", "control": "train"}
    if evidence.floor is not None:
        others["floor"] = "floor"
    sources = {name: study.known(records(evidence, part)) for name, part in others.items()}
    n = min(len(held), *(len(source) for source in sources.values() if len(source) >= LEAST))
    rng = stream(evidence.seed, "survival", "curve")
    held = held.part(n, rng=rng)
    made = {name: source.part(n, rng=rng) for name, source in sources.items() if len(source)}
    apart = {name: _apart(study, source, held, rng=rng) for name, source in made.items()}
    name = evidence.features("train").names[study.time]
    detail = {"curves": _drawn(study, held, made["estimate"]), "unit": name, "records": n}
    return _finding(METRICS[2], **apart, detail=detail)


def _drawn(study: Study, held: Records, made: Records) -> dict[str, list[float]]:
    """Both curves on a grid of times while AT_RISK of holdout are followed, in steps of as many patients: a finer curve
    would show when single patients died."""
    times = np.linspace(0, study.until, GRID + 1)
    times = times[[int((study.followed(held)[0] >= time).sum()) >= AT_RISK for time in times]]
    step = AT_RISK / len(held)
    real, synthetic = (
        (1 - np.floor((1 - kaplan_meier(*study.followed(source)).at(times)) / step + 1e-9) * step).round(4).tolist()
        for source in (held, made)
    )
    return {"times": [_short(t) for t in times], "real": real, "synthetic": synthetic}


def _apart(study: Study, source: Records, held: Records, *, rng: np.random.Generator) -> Estimate:
    """The largest distance of two curves, with a jackknife over blocks of both sides' patients."""
    sides = [(*study.followed(side), patient_blocks(side.patient, BLOCKS, rng=rng)) for side in (source, held)]
    times = np.unique(np.concatenate([side[0] for side in sides]))
    times = times[times <= study.until]
    curves = [_curves(*side, times) for side in sides]
    distance = np.abs(curves[0] - curves[1]).max(axis=1)
    n = min(len(source), len(held))
    return jackknife(float(distance[0]), distance[1:], n=n, within=(0.0, 1.0))


def _curves(time: np.ndarray, event: np.ndarray, block: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(1 + BLOCKS, len(times)): the product-limit curve of all and without each block, flat after the last record."""
    place, t = np.searchsorted(times, time, side="left"), len(times) + 1
    died, left = (
        np.bincount(block * t + place, weights=w, minlength=BLOCKS * t).reshape(BLOCKS, t)
        for w in (event, np.ones(len(time)))
    )
    died, left = (np.concatenate([a.sum(axis=0)[None], a.sum(axis=0) - a]) for a in (died, left))
    at_risk = left[:, ::-1].cumsum(axis=1)[:, ::-1]
    lost = np.divide(died, at_risk, out=np.zeros_like(died), where=at_risk > 0)
    made: np.ndarray = np.cumprod(1 - lost, axis=1)[:, : len(times)]
    return made


def _hazards(evidence: Evidence[Any], study: Study) -> Finding:
    """Do both sides publish the same hazard ratios?"""

    def fitted(source: Records) -> Any:
        time, event = study.followed(source)
        x = design(study.terms, source.x)
        return coefficients(lambda terms: cox(terms, time, event).fit, x if event.any() else x * 0, source.patient)

    pairs, rule = compared(evidence, fitted, study.known)
    found = {name: overlap(*pair, rng=stream(evidence.seed, "hazards", name)) for name, pair in pairs.items()}
    terms = told([term.name for term in study.terms], *pairs["estimate"])
    detail = {"model": "Cox", "records": pairs["estimate"][0].records, "rule": rule, "terms": terms}
    return _finding(METRICS[3], better="higher", **found, detail=detail)


def _short(value: float) -> float:
    return float(f"{value:.4g}")


_TEXT = {
    METRICS[0]: (
        "Loss of survival ranking",
        "What a survival model loses in telling who has the event first by learning from synthetic records: 0 nothing, "
        ".5 all.",
    ),
    METRICS[1]: (
        "Loss of survival prediction",
        "How much larger the error of predicted survival gets by learning from synthetic records: 0 not at all.",
    ),
    METRICS[2]: (
        "Survival curves apart",
        "Largest gap between the survival curves of synthetic and of unseen real patients: 0 the same, 1 opposite.",
    ),
    METRICS[3]: (
        "Overlap of hazard ratios",
        "How far the confidence intervals of hazard ratios overlap between synthetic and real records: 1 fully, 0 not; "
        "two real samples share about .7.",
    ),
}

_finding = Wording(_TEXT)
