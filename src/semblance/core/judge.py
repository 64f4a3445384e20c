"""What judges have in common: a metric yields findings, an attack yields scores and nothing more.

A judge says which findings it owes, so that one that crashes is reported under those names and not merely absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import Estimate
from semblance.core.report import Finding, Status, section_of

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class AttackScores:
    """One score per patient: the higher, the more the attack believes that the patient was in the training data.

    `member` (m,) and `outsider` (k,) come from train and holdout patients. `control_member` and `control_outsider` are
    the same attack on real data that cannot know the members. Empty arrays say that there were too few patients, or
    that the attack could not be made. `far_member` and `far_outsider` say how far each patient lies from others.
    """

    name: str
    member: np.ndarray
    outsider: np.ndarray
    control_member: np.ndarray
    control_outsider: np.ndarray
    far_member: np.ndarray = field(default_factory=lambda: np.empty(0))
    far_outsider: np.ndarray = field(default_factory=lambda: np.empty(0))
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Wording:
    """Makes a judge's findings: `texts` holds the title and the meaning of each metric, `better` is theirs all."""

    texts: Mapping[str, tuple[str, str]]
    better: Literal["lower", "higher", "half"] = "lower"

    def __call__(self, metric: str, **fields: Any) -> Finding:
        title, meaning = self.texts[metric]
        return Finding(metric, title, section_of(metric), **{"better": self.better, "meaning": meaning, **fields})

    def unmeasured(self, metrics: Iterable[str], *, status: Status, reason: str) -> tuple[Finding, ...]:
        """One finding for each of the metrics, which says why it has no number."""
        return tuple(self(metric, status=status, reason=reason) for metric in metrics)


def slots(numbers: Mapping[Part, Estimate], *, control: Part = "train") -> dict[str, Estimate | None]:
    """The fields `estimate`, `control` and `floor` of a finding, from the numbers of the parts."""
    return {"estimate": numbers["synthetic"], "control": numbers[control], "floor": numbers.get("floor")}


def to_real(numbers: Mapping[str, Any]) -> dict[str, float]:
    """For the detail of a distance with these fields: its `ratio` to that of real records (1: as near). Nothing where
    these may be at no distance, as the interval of one that is unbiased may say."""
    estimate, control = numbers["estimate"], numbers["control"]
    return {"ratio": estimate.value / control.value} if control is not None and control.low > 0 else {}


Metric = Callable[[Evidence[Any]], tuple[Finding, ...]]
Attack = Callable[[Evidence[Any]], AttackScores]


def measures(*metrics: str) -> Callable[[F], F]:
    """Declare which findings a metric or attack owes."""

    def mark(judge: F) -> F:
        judge.__dict__["measures"] = metrics
        return judge

    return mark


def owed(judge: Callable[..., Any], *, name: str) -> tuple[str, ...]:
    """The findings that `judge` owes; one named after `name` if it declares none."""
    declared: tuple[str, ...] = getattr(judge, "measures", ())
    return declared or (f"validity.{name.rpartition(':')[2]}",)


def patient_rows(subjects: np.ndarray, n: int, *, rng: np.random.Generator) -> np.ndarray:
    """`n` rows (all, if there are fewer), taken patient by patient in random order; only the last may be cut short."""
    if n >= len(subjects):
        return np.arange(len(subjects))
    patient = np.unique(subjects, return_inverse=True)[1]
    place = rng.permutation(patient.max() + 1)[patient]
    return np.sort(np.argsort(place, kind="stable")[:n])


def patient_blocks(subjects: np.ndarray, count: int, *, rng: np.random.Generator) -> np.ndarray:
    """The block (0 .. count - 1) of each record, for a jackknife or folds: patients are dealt evenly, never split."""
    patient = np.unique(subjects, return_inverse=True)[1]
    deal = rng.permutation(patient.max() + 1) % count
    blocks: np.ndarray = deal[patient]
    return blocks


def patients(subjects: np.ndarray) -> int:
    """How many patients stand behind the records."""
    return len(np.unique(subjects))
