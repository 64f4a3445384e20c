"""Time to an event: do survival curves, models of survival and published hazard ratios hold in synthetic records?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import Estimate, linearized
from semblance.core.judge import Wording, measures
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.shared.models import beside
from semblance.evaluate.utility.agreement import coefficients, overlap, told
from semblance.evaluate.utility.censored import brier, concordance, kaplan_meier, uncensored
from semblance.evaluate.utility.cox import Cox, cox, explained
from semblance.evaluate.utility.curves import Followed, area, gap
from semblance.evaluate.utility.effects import bias, inflation
from semblance.evaluate.utility.inference import compared
from semblance.evaluate.utility.performance import Score
from semblance.evaluate.utility.records import Records, records
from semblance.evaluate.utility.study import AT_RISK, LEAST, Study, dealt, study_of
from semblance.evaluate.utility.task import NoTask
from semblance.evaluate.utility.terms import design

METRICS = (
    "utility.survival.concordance",
    "utility.survival.brier",
    "utility.survival.curve",
    "utility.survival.hazards",
    "utility.survival.area",
    "utility.survival.strata",
    "utility.survival.mean",
    "utility.survival.censoring",
    "utility.survival.bias",
    "utility.survival.explained",
)
TESTED = {"fast": 3_000, "standard": 8_000, "audit": 40_000}  # holdout patients: every pair of them is compared
GRID = 50  # times of a Brier score and of a drawn curve


@measures(*METRICS)
def survival(evidence: Evidence[Any]) -> tuple[Finding, ...]:
    """Follow-up with a declared time, and a declared event or a target of two values.

    - concordance: Harrell's C (1982) on holdout of a Cox model learned on train, less that of one learned on as many
      synthetic records; the interval is paired, since both are tested on the same patients. Ideal 0.
    - brier: integrated Brier score (Graf et al. 1999, weighted for censoring as in train) of the second, less that of
      the first. Ideal 0.
    - curve: largest distance between the Kaplan-Meier curves of equally many synthetic and holdout records, up to the
      last time at which 11 patients of train and of holdout are still followed.
    - area: the area between these curves over that time, so their mean distance. Curves that cross do not cancel.
    - strata: the mean of the areas within the arms of a declared treatment, or else within thirds of the risk that a
      Cox model of train predicts: whether curves hold given covariates.
    - mean: difference of the restricted mean survival times as a share of that time, either way.
    - censoring: the area between the curves of being still followed (reverse Kaplan-Meier).
    - hazards: mean overlap (Karr et al. 2006) of the confidence intervals of the Cox model's coefficients.
    - bias: mean distance of these coefficients, log hazard ratios per standard deviation of a term.
    - explained: how far the likelihood-ratio statistic of the Cox model is from that of holdout at the same size, as
      the distance of logarithms: times of life that are predicted and not drawn make it several times as large.

    Terms are chosen as in `inference`, by correlation with the martingale residuals of the model without any. One
    record per patient, the first, is read. The intervals of the two losses hold for these fitted models: how far luck
    of the fit goes is shown by their controls. The controls of the two losses are between halves of train, tested on
    holdout; the others are train in the place of the synthetic set, at the size of holdout.
    """
    study = study_of(evidence)
    if isinstance(study, NoTask):
        return _finding.unmeasured(METRICS, status=study.status, reason=study.reason)
    held, made = _equally_many(evidence, study)
    return (
        *_losses(evidence, study),
        *_curves(evidence, study, held, made),
        _strata(evidence, study, held, made),
        *_hazards(evidence, study),
        _explained(study, held, made),
    )


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


def _equally_many(evidence: Evidence[Any], study: Study) -> tuple[Records, dict[str, Records]]:
    """Equally many patients of holdout, and of what is compared with them."""
    held = study.known(records(evidence, "holdout"))
    others: dict[str, Part] = {"estimate": "synthetic", "control": "train"}
    if evidence.floor is not None:
        others["floor"] = "floor"
    sources = {name: study.known(records(evidence, part)) for name, part in others.items()}
    n = min(len(held), *(len(source) for source in sources.values() if len(source) >= LEAST))
    rng = stream(evidence.seed, "survival", "curve")
    held = held.part(n, rng=rng)
    return held, {name: source.part(n, rng=rng) for name, source in sources.items() if len(source)}


def _curves(evidence: Evidence[Any], study: Study, held: Records, made: dict[str, Records]) -> Iterator[Finding]:
    """How far the survival curves, their means, and the curves of follow-up are apart."""
    sides = _sides(evidence, study, held, made)
    apart = {name: gap(side, sides["held"], until=study.until) for name, side in sides.items() if name != "held"}
    name = evidence.features("train").names[study.time]
    detail = {"curves": _drawn(study, held, made["estimate"]), "unit": name, "records": len(held)}
    yield _finding(METRICS[2], **{k: g.largest for k, g in apart.items()}, detail=detail)
    about = {"until": _short(study.until), "unit": name, "records": len(held)}
    yield _finding(METRICS[4], **{k: g.area for k, g in apart.items()}, detail=about)
    yield _finding(METRICS[6], **{k: g.mean for k, g in apart.items()}, detail=about)
    lost = {
        k: gap(side, sides["held"], until=study.until, reverse=True).area for k, side in sides.items() if k != "held"
    }
    yield _finding(METRICS[7], **lost, detail=about)


def _sides(evidence: Evidence[Any], study: Study, held: Records, made: dict[str, Records]) -> dict[str, Followed]:
    rng = stream(evidence.seed, "survival", "blocks")
    return {k: Followed.of(*study.followed(s), s.patient, rng=rng) for k, s in ({"held": held} | made).items()}


def _strata(evidence: Evidence[Any], study: Study, held: Records, made: dict[str, Records]) -> Finding:
    """How far the survival curves of like patients are apart."""
    train = study.known(records(evidence, "train"))
    names, deal = dealt(evidence, study, train)
    sides, places = _sides(evidence, study, held, made), {k: deal(s.x) for k, s in ({"held": held} | made).items()}
    real = np.bincount(places["held"], minlength=len(names))
    counted = [k for k in range(len(names)) if real[k] >= LEAST]
    if not counted:
        reason = f"no stratum has {LEAST} patients of holdout"
        return _finding(METRICS[5], status="insufficient", reason=reason)
    gaps = {
        name: [
            gap(side.take(places[name] == k), sides["held"].take(places["held"] == k), until=study.until)
            for k in counted
        ]
        for name, side in sides.items()
        if name != "held"
    }
    told = [
        {"name": names[k], "area": round(float(g.areas[0]), 4), "patients": int(real[k])}
        for k, g in zip(counted, gaps["estimate"], strict=True)
    ]
    return _finding(METRICS[5], **{name: area(parts) for name, parts in gaps.items()}, detail={"strata": told})


def _explained(study: Study, held: Records, made: dict[str, Records]) -> Finding:
    """How much the terms explain."""
    sources = {"held": held} | made
    calls = [partial(_statistic, study, source) for source in sources.values()]
    scores = dict(zip(sources, beside(calls), strict=True))
    found = {name: inflation(scores["held"], score) for name, score in scores.items() if name != "held"}
    detail = {
        "ratio": {name: ratio.plain() for name, (ratio, _) in found.items()},
        "statistic": {
            k: _short(scores[part].value * len(held)) for k, part in (("real", "held"), ("synthetic", "estimate"))
        },
        "records": len(held),
    }
    return _finding(METRICS[9], **{name: distance for name, (_, distance) in found.items()}, detail=detail)


def _statistic(study: Study, source: Records) -> Score:
    return explained(design(study.terms, source.x), *study.followed(source))


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


def _hazards(evidence: Evidence[Any], study: Study) -> tuple[Finding, Finding]:
    """Do both sides publish the same hazard ratios?"""

    def fitted(source: Records) -> Any:
        time, event = study.followed(source)
        x = design(study.terms, source.x)
        return coefficients(lambda terms: cox(terms, time, event).fit, x if event.any() else x * 0, source.patient)

    pairs, rule = compared(evidence, fitted, study.known)
    found = {name: overlap(*pair, rng=stream(evidence.seed, "hazards", name)) for name, pair in pairs.items()}
    terms = told([term.name for term in study.terms], *pairs["estimate"])
    detail = {"model": "Cox", "records": pairs["estimate"][0].records, "rule": rule, "terms": terms}
    far = {name: bias(*pair, rng=stream(evidence.seed, "bias", name)) for name, pair in pairs.items()}
    return (
        _finding(METRICS[3], better="higher", **found, detail=detail),
        _finding(METRICS[8], **far, detail={"model": "Cox", "records": detail["records"]}),
    )


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
    METRICS[4]: (
        "Area between survival curves",
        "Mean gap over time between the survival curves of synthetic and of unseen real patients: 0 the same.",
    ),
    METRICS[5]: (
        "Area between survival curves of like patients",
        "How far survival curves lie apart within arms of a treatment, or among patients of alike risk: 0 the same.",
    ),
    METRICS[6]: (
        "Difference of mean survival",
        "How much longer or shorter synthetic patients are free of the event, as a share of the time looked at: 0 not.",
    ),
    METRICS[7]: (
        "Area between follow-up curves",
        "Mean gap over time between the shares of synthetic and of real patients who are still followed: 0 the same.",
    ),
    METRICS[8]: (
        "Bias of log hazard ratios",
        "Mean distance of log hazard ratios (per standard deviation of a term) between synthetic and real records: 0 "
        "the same.",
    ),
    METRICS[9]: (
        "Inflation of what explains survival",
        "How many times as much (as a natural logarithm, either way) covariates explain survival in synthetic records: "
        "0 as much as in real ones, .69 twice or half.",
    ),
}

_finding = Wording(_TEXT)
