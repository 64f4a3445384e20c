"""Patients as a source of what each of them has, and how a training over them is planned and paid for: under
differential privacy, whose unit is the patient."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from semblance.core.large import taken
from semblance.core.model import Plan
from semblance.core.promise import Ledger, Steps
from semblance.learn.drawn import Fitting
from semblance.learn.pace import PROBE_STEPS, steps_within
from semblance.learn.paid import EPOCHS, LOTS, Counting, Paid, once, refuse_none
from semblance.learn.rules import Private
from semblance.learn.trainer import Objective, TrainPlan, train_to_end
from semblance.privacy.noise import system

P = TypeVar("P", bound=Paid)
SECONDS = 60.0
"""How long a training takes where nobody says."""


class Patients:
    """Rows of records as a source of patients: each gives so many of its records as are `shown`, by chance, those of
    rare classes (n,) oftener than they come.

    What a patient gives follows from its own records and from the operating system's randomness.
    """

    def __init__(self, rows: np.ndarray, labels: np.ndarray, whose: np.ndarray, *, shown: int) -> None:
        self.shown = shown
        order = np.argsort(whose, kind="stable")
        self.rows = torch.from_numpy(np.ascontiguousarray(taken(rows, order)))
        self.subjects, self.first, self.count = np.unique(whose[order], return_index=True, return_counts=True)
        place, labels = np.repeat(np.arange(len(self.subjects)), self.count), labels[order].astype(np.int64)
        kinds = int(labels.max(initial=0)) + 1
        often = np.bincount(place * kinds + labels, minlength=len(self.subjects) * kinds)
        weight = 1 / np.sqrt(often[place * kinds + labels])
        self.weight = weight / np.bincount(place, weights=weight, minlength=len(self.subjects))[place]
        self.ends = np.cumsum(self.weight)

    def batch(self, index: np.ndarray) -> torch.Tensor:
        """(patients, shown, width)."""
        begins = np.concatenate([[0.0], self.ends])[self.first[index]]
        found = np.searchsorted(self.ends, begins[:, None] + system().random((len(index), self.shown)), side="right")
        # Rounding must not give a patient another one's record.
        last = self.first[index] + self.count[index] - 1
        own = np.clip(found, self.first[index][:, None], last[:, None])
        return self.rows[torch.from_numpy(own)]


def planned(
    begin: Callable[[], tuple[Objective, np.ndarray]],
    base: TrainPlan,
    *,
    lot: int,
    public: int,
    shown: int,
    rng: np.random.Generator,
    time_budget: float | None,
) -> Plan:
    """A plan for so many `public` patients, `lot` of whom are expected in a step, at most: steps that end `time_budget`
    seconds (SECONDS, where none is given) from now, found by training what `begin` gives, a network at its start and
    (n, width) rows that stand in for real ones."""
    begun = time.monotonic()
    objective, stand_in = begin()
    batch = max(1, min(lot, public // LOTS))
    plan = replace(base, batch=batch)
    source = Patients(stand_in, stand_in[:, -1], np.arange(len(stand_in)) % (4 * batch), shown=shown)
    rule = Private(Steps(1.0, 0.25, PROBE_STEPS), float(batch), times=shown)
    budget = SECONDS if time_budget is None else time_budget
    found = steps_within(objective, source, plan, rng=rng, begun=begun, budget=budget, rule=rule)
    return replace(plan, steps=min(found, max(1, EPOCHS * public // batch))).to_json()


@dataclass(frozen=True)
class Showing:
    """A training that looks at a share of so many `public` patients in each step."""

    plan: TrainPlan
    public: int

    @property
    def rate(self) -> float:
        """The share."""
        return min(self.plan.batch / self.public, 1.0)

    def pay(self, kind: type[P], counting: Counting, ledger: Ledger, *, resume: Path | None) -> P:
        """Count, and pay for the steps of the plan. Raises UsageError for a plan that learns nothing, PrivacyError
        where nothing is left."""
        refuse_none(self.plan)
        steps = self.plan.steps
        return kind.settled(
            counting,
            ledger,
            lambda: ledger.affordable_steps(rate=self.rate, count=steps),
            like=Steps(1.0, self.rate, steps),
            resume=resume,
        )

    def train(
        self,
        objective: Objective,
        source: Patients,
        paid: Paid,
        ledger: Ledger,
        how: Fitting,
        *,
        heard: Callable[[Private], Private] = lambda rule: rule,
    ) -> None:
        """What was paid for: all steps of the plan; `heard` is what an attack makes of the rule. Raises PrivacyError
        where a copy of it ended before."""
        assert isinstance(paid.training, Steps)
        rule = heard(Private(paid.training, self.rate * self.public, times=source.shown))
        checkpoint = None if how.resume is None else how.resume / "training.safetensors"
        with once(paid, ledger, checkpoint):
            train_to_end(objective, source, self.plan, rng=how.rng, watch=how.watch, resume=checkpoint, rule=rule)
