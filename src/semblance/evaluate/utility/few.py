"""Do synthetic records help those who have few real ones? A linear model learns from a share of the train patients:
alone, beside synthetic records, and beside the same real ones changed as is usual (classical augmentation).

Which patients a share holds is luck, so each share is drawn several times. Shares of one draw lie within each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.estimate import Estimate, linearized, over_draws
from semblance.core.judge import Wording, measures, patients
from semblance.core.modality import load
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.fairness.groups import groups, row
from semblance.evaluate.shared.models import beside, learn
from semblance.evaluate.utility.performance import Score, score
from semblance.evaluate.utility.task import NoTask, Task, holdout_rows, labelled, rows_of, task, truth

METRIC = "utility.augmentation_few"
SHARES, FEW = (0.05, 0.1, 0.25, 0.5, 1.0), 0.1
"""Of the train patients; and the share that the finding is about."""
DRAWS, RECORDS = {"fast": 3, "standard": 5, "audit": 10}, {"fast": 300, "standard": 1_000, "audit": 5_000}
"""Of each tier: how often a share is drawn, and the train and the synthetic records that there are at most."""
FEWEST = 10
"""Patients of the smallest share that is learned from."""
WAYS = ("real", "classical", "synthetic")

Lesson = tuple[np.ndarray, np.ndarray]
"""(n, d) predictors and (n,) targets."""


@measures(METRIC)
def few(evidence: Evidence[Any]) -> tuple[Finding, ...]:
    """By how much the score of a linear model on holdout rises when synthetic records are added to a tenth of the train
    patients. Control: by how much it rises when as many changed copies of the same real ones are added instead.

    The score is that of `utility.tstr.linear`. `detail["shares"]` has each of five shares of the patients by each way,
    and the gain of every draw; `detail["groups"]` the gain in each protected group. The interval is that of patients
    of the holdout, widened by the spread over draws (Student's t): it covers the luck of who is few. Where a tenth are
    too few patients, the smallest share of FEWEST stands in, as `detail["share"]` says.
    """
    goal = task(evidence)
    if isinstance(goal, NoTask):
        return _finding.unmeasured((METRIC,), status=goal.status, reason=goal.reason)
    if evidence.modality.augmented is None:
        reason = "nothing is known of how such records are changed where there are few"
        return _finding.unmeasured((METRIC,), status="not_applicable", reason=reason)
    known = _Known.of(evidence, goal)
    shares = [share for share in SHARES if known.count(share) >= FEWEST]
    if not shares:
        reason = f"fewer than {FEWEST} patients to learn from"
        return _finding.unmeasured((METRIC,), status="insufficient", reason=reason)
    made = _scores(evidence, goal, known, shares)
    at = FEW if FEW in shares else shares[0]
    rows = [{"share": share, "patients": known.count(share), **_row(evidence, made[share])} for share in shares]
    detail = {"share": at, "score": goal.score, "target": goal.name, "shares": rows}
    detail["groups"] = list(_groups(evidence, goal, made[at]))
    told = [_gain(evidence, made[at], way) for way in ("synthetic", "classical")]
    named = {"control_is": "classical augmentation", "better": "higher"}
    return (_finding(METRIC, estimate=told[0], control=told[1], detail=detail, **named),)


@dataclass(frozen=True, eq=False)
class _Known:
    """Real records and their patients, one changed copy of each, and synthetic ones."""

    real: Lesson
    subjects: np.ndarray
    changed: Lesson
    made: Lesson

    @classmethod
    def of(cls, evidence: Evidence[Any], goal: Task) -> _Known:
        most = RECORDS[evidence.tier]
        rows = rows_of(evidence, "train", min(most, len(evidence.train)))
        x, y, subjects = labelled(evidence, "train", rows)
        assert evidence.modality.augmented is not None
        rng = stream(evidence.seed, "augmented")
        copies = load(evidence.modality.augmented)(evidence.train.take(rows), rng=rng)
        told, position = load(evidence.modality.features)(copies, evidence.train).x, goal.position
        kept = ~np.isnan(evidence.features("train").x[rows, position])
        changed = np.delete(told, position, axis=1)[kept]
        made = labelled(evidence, "synthetic", rows_of(evidence, "synthetic", min(most, len(evidence.synthetic))))
        return cls((x, y), subjects, (changed, y), (made[0], made[1]))

    def count(self, share: float) -> int:
        """How many patients a share has."""
        return round(share * patients(self.subjects))

    def lessons(self, share: float, *, rng: np.random.Generator) -> dict[str, Lesson]:
        """What is learned by each way from a share of the patients."""
        order = np.unique(self.subjects)[rng.permutation(patients(self.subjects))]
        mine = np.flatnonzero(np.isin(self.subjects, order[: self.count(share)]))
        again = rng.choice(mine, len(self.made[1]))
        added = {"classical": tuple(one[again] for one in self.changed), "synthetic": self.made}
        alone = tuple(one[mine] for one in self.real)
        joined = {
            way: tuple(np.concatenate([one, other]) for one, other in zip(alone, more, strict=True))
            for way, more in added.items()
        }
        return {"real": alone, **joined}  # type: ignore[dict-item]


Made = Mapping[str, Sequence[np.ndarray]]
"""By each way what every draw predicts for the tested records."""


def _scores(evidence: Evidence[Any], goal: Task, known: _Known, shares: Sequence[float]) -> dict[float, Made]:
    """What is predicted from each share."""
    categorical = np.delete(evidence.features("train").categorical, goal.position)
    tests = labelled(evidence, "holdout", holdout_rows(evidence))[0]
    fits, keys = list[Callable[[], np.ndarray]](), list[tuple[float, str]]()
    for share in shares:
        for draw in range(DRAWS[evidence.tier]):
            for way, lesson in known.lessons(share, rng=stream(evidence.seed, "few", draw)).items():
                fits.append(_fit(lesson, categorical, goal, tests))
                keys.append((share, way))
    made: dict[float, dict[str, list[np.ndarray]]] = {share: {way: [] for way in WAYS} for share in shares}
    for (share, way), one in zip(keys, beside(fits), strict=True):
        made[share][way].append(one)
    return dict(made)


def _fit(lesson: Lesson, categorical: np.ndarray, goal: Task, tests: np.ndarray) -> Callable[[], np.ndarray]:
    x, y = lesson
    return lambda: learn("linear", x, y, categorical, goal.classes, seed=0)(tests)


def _row(evidence: Evidence[Any], made: Made) -> dict[str, Any]:
    """The score by each way, and the gains of all draws."""
    goal, held = task(evidence), truth(evidence)
    assert isinstance(goal, Task)
    each = {way: [score(held, one, goal.classes) for one in made[way]] for way in WAYS}
    told: dict[str, Any] = {way: _over(evidence, scores, slice(None)).plain() for way, scores in each.items()}
    told["draws"] = [a.value - b.value for a, b in zip(each["synthetic"], each["real"], strict=True)]
    return told


def _gain(evidence: Evidence[Any], made: Made, way: str, members: np.ndarray | None = None) -> Estimate:
    """By how much the score is higher than alone, on some of the tested records."""
    goal, held = task(evidence), truth(evidence)
    assert isinstance(goal, Task)
    some = np.ones(len(held), dtype=bool) if members is None else members
    each = [
        score(held[some], a[some], goal.classes) - score(held[some], b[some], goal.classes)
        for a, b in zip(made[way], made["real"], strict=True)
    ]
    return _over(evidence, each, some)


def _over(evidence: Evidence[Any], each: Sequence[Score], some: np.ndarray | slice) -> Estimate:
    """The mean of the scores of all draws."""
    whose = evidence.holdout.subjects[holdout_rows(evidence)][some]
    values = np.array([one.value for one in each])
    influence = np.mean([one.influence for one in each], axis=0)
    return over_draws(linearized(float(values.mean()), influence, clusters=whose), values)


def _groups(evidence: Evidence[Any], goal: Task, made: Made) -> Any:
    """The gain in each protected group of which enough records have each class."""
    tests, held = holdout_rows(evidence), truth(evidence)
    for attribute in groups(evidence):
        for group in attribute.groups:
            some = group.members["holdout"][tests]
            if goal.classes is not None and len(np.unique(held[some])) < 2:
                continue
            found, control = (_gain(evidence, made, way, some) for way in ("synthetic", "classical"))
            yield row(group.name, found, control.value, patients=found.n)


_finding = Wording(
    {
        METRIC: (
            "Prediction from few patients",
            "By how much better real patients are predicted when synthetic records are added to a tenth of the real "
            "ones (0: not; below 0 they do harm).",
        )
    }
)
