"""Whether groups of patients fare alike, and whether the synthetic records make it worse.

A model of the target is learned once from synthetic and once from real records; both decide about the same holdout
patients, and each decides for as many of them as truly have the outcome. So a difference between the two is a paired
comparison, and a model is not fairer because it decides for nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import LEVEL, Estimate, basic, linearized
from semblance.core.judge import Wording, measures, patients
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.fairness.groups import UNGROUPED, Groups, groups, row
from semblance.evaluate.fairness.rates import DRAWS, ENOUGH, Attribute, Resampled, gap
from semblance.evaluate.fidelity.samples import who
from semblance.evaluate.utility.outcome import level
from semblance.evaluate.utility.performance import macro_auc
from semblance.evaluate.utility.task import NoTask, holdout_rows, learned, real, task, truth

Rates = tuple[tuple[np.ndarray, np.ndarray], ...]
"""Of each rate, (n,) what is counted and (n,) among which records."""


@dataclass(frozen=True)
class Decided:
    """What a model decides about the holdout records with a known outcome: `chosen` and the true `outcome` (n,) 0/1."""

    chosen: np.ndarray
    outcome: np.ndarray

    def parity(self) -> Rates:
        """Selection rate (demographic parity)."""
        return ((self.chosen, np.ones(len(self.chosen))),)

    def odds(self) -> Rates:
        """True and false positive rate (equalised odds, Hardt et al. 2016)."""
        return ((self.chosen, self.outcome), (self.chosen, 1 - self.outcome))

    def predictive(self) -> Rates:
        """Precision (predictive parity, Chouldechova 2017)."""
        return ((self.outcome, self.chosen),)


def decide(score: np.ndarray, outcome: np.ndarray) -> Decided:
    """Choose as many records as have the outcome, those with the highest score; ties in the order of the records."""
    chosen = np.zeros(len(score))
    chosen[np.argsort(-score, kind="stable")[: int(outcome.sum())]] = 1
    return Decided(chosen, outcome.astype(float))


MODEL = (
    "fairness.parity",
    "fairness.odds",
    "fairness.predictive",
    "fairness.amplification.model",
    "fairness.subgroup_utility",
)
FEW = f"no attribute has two groups with {ENOUGH} patients of whom the rate can be taken"
OUTCOMES = 30  # holdout patients with the outcome, and without it
FAMILY = "boosting"
SIDES: tuple[Part, ...] = ("synthetic", "holdout", "train")


@dataclass(frozen=True)
class Positive:
    """Who counts as positive: records whose column `position` is `value` (a class), or above that number.

    `column` is where its score stands in the predictions.
    """

    position: int
    value: float
    above: bool
    name: str
    column: int = 0

    def of(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows whose target is known, and 0/1 for each."""
        rows = np.flatnonzero(~np.isnan(x[:, self.position]))
        return rows, self.hit(x[rows, self.position])

    def hit(self, target: np.ndarray) -> np.ndarray:
        """0/1 for each known target."""
        return (target > self.value if self.above else target == self.value).astype(float)


def positives(evidence: Evidence[Any]) -> tuple[Positive, ...] | NoTask:
    """The classes of the target that enough holdout patients have, the rarest first; or why there is none.

    Of two classes only the rarer, since the other is its mirror; of a number, above the median.
    """
    goal = task(evidence)
    if isinstance(goal, NoTask):
        return goal
    known, person = evidence.features("train"), evidence.holdout.subjects[holdout_rows(evidence)]
    if goal.classes is None:
        learned_from = known.x[:, goal.position]
        middle = float(np.median(learned_from[~np.isnan(learned_from)]))
        return (Positive(goal.position, middle, True, f"{goal.name} above its median"),)
    held = truth(evidence)
    having = {float(v): patients(person[held == v]) for v in goal.classes}
    enough = [v for v, count in having.items() if min(count, patients(person[held != v])) >= OUTCOMES]
    if not enough:
        return NoTask("insufficient", f"no outcome that {OUTCOMES} holdout patients have and {OUTCOMES} have not")
    rising = sorted(enough, key=lambda v: having[v])
    classes = list(goal.classes)
    return tuple(
        Positive(goal.position, v, False, f"{goal.name} = {level(known, goal.position, v)}", classes.index(v))
        for v in (rising[:1] if len(classes) <= 2 else rising)
    )


@dataclass(frozen=True)
class Trial:
    """Everything the model findings are computed from: the same holdout records, decided by three models."""

    attributes: tuple[Attribute, ...]
    resampled: Resampled
    rows: np.ndarray
    outcome: np.ndarray
    scores: dict[str, np.ndarray]
    name: str

    def decided(self, model: str) -> Decided:
        return decide(self.scores[model], self.outcome)

    def gaps(self, rates: Rates) -> np.ndarray:
        """(attributes, 1 + draws) the widest gap over the rates; NaN for an attribute that shows none of them."""
        gaps = [[gap(self.resampled.rate(*rate, one.member)) for rate in rates] for one in self.attributes]
        return np.stack([np.fmax.reduce(each) for each in gaps])

    def groups(self, mine: Rates, real: Rates) -> list[dict[str, Any]]:
        """A row per group: the first rate with its interval, and that of the model of real records."""
        rows = []
        for one in self.attributes:
            made, control = (self.resampled.rate(*rates[0], one.member) for rates in (mine, real))
            rows += [_row(self, one, g, made[:, g], control[0, g]) for g in range(made.shape[1])]
        return sorted((row for row in rows if row), key=lambda row: -abs(row["value"] - row["control"]))


def _row(trial: Trial, one: Attribute, g: int, made: np.ndarray, control: float) -> dict[str, Any]:
    made = made[np.isfinite(made)]
    if len(made) < DRAWS // 2 or not np.isfinite(control):
        return {}
    held = trial.resampled.patient[one.member[:, g] > 0]
    rate = basic(made, n=len(np.unique(held)), within=(0.0, 1.0))
    return row(one.groups.groups[g].name, rate, float(control), patients=rate.n)


@measures(*MODEL)
def decisions(evidence: Evidence[Any]) -> tuple[Finding, ...]:
    """Gaps between groups of what a model of the synthetic records decides about holdout patients.

    - parity, odds, predictive: the widest gap between the groups of any one attribute (or pair of attributes) in
      selection rate, in true or false positive rate, in precision; control: the model of real records. As fairlearn's
      demographic_parity_difference and equalized_odds_difference.
    - amplification.model: by how much the odds gap is wider than with real records, for the attribute where that is
      surest; control: the same for a model of other real records.
    - subgroup_utility: what the prediction loses (AUC) in the group that loses most: the one whose loss has the highest
      lower end, at a level that holds for all groups together.

    The models decide about the rarest class that enough patients have. Intervals: basic bootstrap over patients of
    fixed decisions. Groups of fewer than 30 patients are merged.
    """
    found = groups(evidence)
    if not found:
        return _finding.unmeasured(MODEL, status="not_applicable", reason=UNGROUPED)
    outcomes = positives(evidence)
    if isinstance(outcomes, NoTask):
        return _finding.unmeasured(MODEL, status=outcomes.status, reason=outcomes.reason)
    trial = _trial(evidence, outcomes[0], found)
    return (*_gap_findings(trial), _model_amplification(trial), _subgroup_utility(evidence, trial))


def _trial(evidence: Evidence[Any], outcome: Positive, found: tuple[Groups, ...]) -> Trial:
    first, second = real(evidence, FAMILY)
    lessons = {"synthetic": replace(first, sides=("synthetic",)), "real": first, "again": second}
    rows, held = holdout_rows(evidence), truth(evidence)
    made = dict(zip(lessons, learned(evidence, list(lessons.values())), strict=True))
    scores = {name: one.made[:, outcome.column] for name, one in made.items()}
    hit = outcome.hit(held)
    resampled = Resampled.of(evidence.holdout.subjects[rows], rng=stream(evidence.seed, "fairness", "patients"))
    return Trial(tuple(Attribute.of(one, "holdout", rows) for one in found), resampled, rows, hit, scores, outcome.name)


def _gap_findings(trial: Trial) -> tuple[Finding, ...]:
    made, real = trial.decided("synthetic"), trial.decided("real")
    pairs = {
        "fairness.parity": (made.parity(), real.parity()),
        "fairness.odds": (made.odds(), real.odds()),
        "fairness.predictive": (made.predictive(), real.predictive()),
    }
    return tuple(_gap_finding(trial, metric, *rates) for metric, rates in pairs.items())


def _gap_finding(trial: Trial, metric: str, mine: Rates, real: Rates) -> Finding:
    """The widest gap over the attributes that show one with both models."""
    gaps = [trial.gaps(rates) for rates in (mine, real)]
    shown = np.isfinite(gaps[0][:, 0] + gaps[1][:, 0])
    if not shown.any():
        return _finding(metric, status="insufficient", reason=FEW)
    n = trial.resampled.weights.shape[1]
    made, control = (basic(one[shown].max(axis=0), n=n, within=(0.0, 1.0)) for one in gaps)
    return _finding(metric, estimate=made, control=control, detail=_detail(trial, mine, real))


def _detail(trial: Trial, mine: Rates, real: Rates) -> dict[str, Any]:
    merged = [name for one in trial.attributes for name in one.groups.merged]
    return {"outcome": trial.name, "groups": trial.groups(mine, real), "merged": merged}


def _model_amplification(trial: Trial) -> Finding:
    gaps = {model: trial.gaps(trial.decided(model).odds()) for model in trial.scores}
    names = [one.groups.attribute for one in trial.attributes]
    n = trial.resampled.weights.shape[1]
    return _amplification("fairness.amplification.model", names, gaps, others="again", n=n, outcome=trial.name)


def _amplification(
    metric: str, names: Sequence[str], gaps: dict[str, np.ndarray], *, others: str, n: int, **detail: Any
) -> Finding:
    """The attribute whose gap surely widened most: synthetic beyond real; control: `others` beyond real."""
    shown = np.isfinite(np.sum([gap[:, 0] for gap in gaps.values()], axis=0))
    if not shown.any():
        return _finding(metric, status="insufficient", reason=FEW)
    names, gaps = [name for name, one in zip(names, shown, strict=True) if one], {k: g[shown] for k, g in gaps.items()}
    made, control = (_widened(names, gaps[part] - gaps["real"], n=n) for part in ("synthetic", others))
    rows = [{"attribute": name, **e.plain()} for name, e in made]
    return _finding(metric, estimate=made[0][1], control=control[0][1], detail={**detail, "attributes": rows})


def _widened(names: Sequence[str], wider: np.ndarray, *, n: int) -> list[tuple[str, Estimate]]:
    """Each attribute with its widening, (attributes, 1 + draws), at a level that holds for all; the surest first.

    The plain maximum would be that of the noisiest attribute, and would hide a sure one behind it.
    """
    sure = 1 - (1 - LEVEL) / len(names)
    each = [basic(row, n=n, within=(-1.0, 1.0), level=sure) for row in wider]
    return sorted(zip(names, each, strict=True), key=lambda one: -one[1].low)


def _subgroup_utility(evidence: Evidence[Any], trial: Trial) -> Finding:
    """AUC lost in the group that surely loses most."""
    everyone = [(one, g) for one in trial.attributes for g in range(one.member.shape[1])]
    sure, one_class = 1 - (1 - LEVEL) / len(everyone), np.array([1.0])
    rows = []
    for one, g in everyone:
        at = one.member[:, g] > 0
        truth, person = trial.outcome[at], evidence.holdout.subjects[trial.rows[at]]
        if min(patients(person[truth == 0]), patients(person[truth == 1])) < OUTCOMES:
            continue
        score = {m: macro_auc(truth, s[at][:, None], one_class) for m, s in trial.scores.items()}
        lost, null = score["real"] - score["synthetic"], score["real"] - score["again"]
        made, control = (linearized(x.value, x.influence, clusters=person, level=sure) for x in (lost, null))
        rows.append((one.groups.groups[g].name, made, control))
    if not rows:
        reason = f"no group with {OUTCOMES} holdout patients who have the outcome and {OUTCOMES} who have not"
        return _finding("fairness.subgroup_utility", status="insufficient", reason=reason)
    rows.sort(key=lambda each: -each[1].low)
    control = max((each[2] for each in rows), key=lambda e: e.low)
    detail = {
        "outcome": trial.name,
        "groups": [row(name, lost, null.value, patients=lost.n) for name, lost, null in rows],
    }
    return _finding("fairness.subgroup_utility", estimate=rows[0][1], control=control, detail=detail)


@measures("fairness.amplification.data")
def labels(evidence: Evidence[Any]) -> tuple[Finding, ...]:
    """By how much the records widen the gap of the outcome between groups, for the attribute where that is surest.

    Every class of the target counts as an outcome. Value: synthetic against train; control: holdout against train.
    Bootstrap over patients of each side, at a level that holds for all attributes and classes together.
    """
    metric = "fairness.amplification.data"
    found, outcomes = groups(evidence), positives(evidence)
    if not found:
        return _finding.unmeasured((metric,), status="not_applicable", reason=UNGROUPED)
    if isinstance(outcomes, NoTask):
        return _finding.unmeasured((metric,), status=outcomes.status, reason=outcomes.reason)
    rates = {part: _rates(evidence, part, found, outcomes) for part in SIDES}
    if not all(rates.values()):
        return _finding.unmeasured(
            (metric,), status="insufficient", reason="fewer than two records with a known outcome on a side"
        )
    # Of groups that all sides show: where a group is gone, the gap to it has not closed.
    pairs = [(one, outcome) for outcome in outcomes for one in found]
    shown = [np.all([np.isfinite(rates[part][i][0]) for part in SIDES], axis=0) for i in range(len(pairs))]
    gaps = {
        "real" if part == "train" else str(part): np.stack(
            [gap(rate[:, known]) for rate, known in zip(rates[part], shown, strict=True)]
        )
        for part in SIDES
    }
    hidden = zip(pairs, shown, strict=True)
    gone = [g.name for (one, _), known in hidden for g, k in zip(one.groups, known, strict=True) if not k]
    n = min(patients(evidence.train.subjects), patients(evidence.holdout.subjects))
    names = [one.attribute if len(outcomes) == 1 else f"{one.attribute}: {outcome.name}" for one, outcome in pairs]
    told = {"outcome": ", ".join(outcome.name for outcome in outcomes), "absent": list(dict.fromkeys(gone))}
    return (_amplification(metric, names, gaps, others="holdout", n=n, **told),)


def _rates(
    evidence: Evidence[Any], part: Part, found: tuple[Groups, ...], outcomes: tuple[Positive, ...]
) -> list[np.ndarray]:
    """Per outcome and attribute, (1 + draws, groups) how often the records of a part have the outcome."""
    x = evidence.features(part).x
    rows = outcomes[0].of(x)[0]
    if len(rows) < 2:
        return []
    drawn = Resampled.of(who(evidence, part, rows), rng=stream(evidence.seed, "labels", part))
    members, every = [Attribute.of(one, part, rows).member for one in found], np.ones(len(rows))
    return [drawn.rate(outcome.of(x)[1], every, member) for outcome in outcomes for member in members]


_TEXT = {
    "fairness.parity": (
        "Selection between groups",
        "Widest gap between groups of patients in how often a model that learned from synthetic records selects them "
        "(0: no gap, 1: one group always, another never).",
    ),
    "fairness.odds": (
        "Errors between groups",
        "Widest gap between groups of patients in how often a model that learned from synthetic records finds the "
        "outcome where it is, or where it is not (0: no gap, 1: one group always, another never).",
    ),
    "fairness.predictive": (
        "Precision between groups",
        "Widest gap between groups in how often a patient truly has the outcome whom a model that learned from "
        "synthetic records selects (0: no gap, 1: one group always, another never).",
    ),
    "fairness.amplification.model": (
        "Wider gaps in models",
        "How much wider the gap in errors between groups gets when a model learns from synthetic instead of real "
        "records (0 or less: no wider, 1: from no gap to the widest).",
    ),
    "fairness.amplification.data": (
        "Wider gaps in records",
        "How much wider the gap in the outcome between groups is in synthetic than in real records (0 or less: no "
        "wider, 1: from no gap to the widest).",
    ),
    "fairness.subgroup_utility": (
        "Largest loss in a group",
        "How much worse patients of the group that loses most are predicted by a model that learned from synthetic "
        "instead of real records (0: no worse, .5: what was known is lost).",
    ),
}

_finding = Wording(_TEXT)
