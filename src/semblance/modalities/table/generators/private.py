"""How networks learn a table under differential privacy.

Columns are counted with noise, for a small share of the budget. Records drawn from these counts, every column apart,
stand in for the real ones wherever a generator looks at records: for how values become numbers, for first weights, for
what is raked at the end. Only the loss sees real records, one of each patient, and what it makes of them is what DP-SGD
pays for (see `learn.rules.Private`). So nothing that was not paid for is in what is kept.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from semblance.core.errors import UsageError
from semblance.core.files import write_bytes
from semblance.core.model import Plan, Wanted
from semblance.core.promise import MEASURED, Ledger, Spent, Steps, spent_from
from semblance.core.rng import root_of, stream
from semblance.core.schema import Schema
from semblance.learn.pace import PROBE_STEPS, steps_within
from semblance.learn.rules import Private
from semblance.learn.trainer import Objective, Source, TrainPlan, train_to_end
from semblance.modalities.table.data import Table
from semblance.modalities.table.domain import public_encoding
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.coded import CodedModel, CodedSpec, Fitting, refuse_unable
from semblance.modalities.table.generators.marginals import pick, simplex
from semblance.modalities.table.wanted.asked import Asked
from semblance.privacy.noise import chosen

COUNTED = 0.1
"""Share of the budget for columns alone."""
STAND_IN = 20_000
"""Records that stand in for the real ones."""
LOTS = 20
"""A batch is expected to have at most this part of the patients."""
EPOCHS = 30
"""Passes over the data: beyond, noise grows faster than what is learned."""


@dataclass(frozen=True)
class Paid:
    """What a ledger has paid for: the noisy count of every code of each column, and then the training."""

    counts: tuple[np.ndarray, ...]
    spent: tuple[Spent, ...]

    @classmethod
    def of(
        cls, coder: Encoding, train: Table, ledger: Ledger, training: Callable[[], Spent], *, resume: Path | None
    ) -> Paid:
        """Count the columns of `train`, and reserve what `training` says can be had of the rest; what is found in
        `resume` is not paid for again. Raises PrivacyError where nothing is left."""
        told = None if resume is None else cls.load(resume)
        if told is not None:
            return told
        columns = [(j,) for j in range(len(coder.columns))]
        noise, _ = ledger.affordable([(COUNTED, max(len(columns), 1)), (1 - COUNTED, 1)])
        codes, whose = coder.encode(train), train.subjects
        counts = ledger.noisy_counts(codes, coder.sizes, columns, whose, sigma=noise.sigma, note="columns")
        rest = training()
        ledger.reserve(rest, note="training")
        told = cls(tuple(counts), (noise, rest))
        if resume is not None:
            told.save(resume)
        return told

    @property
    def training(self) -> Spent:
        """What was paid for the training."""
        return self.spent[-1]

    @property
    def records(self) -> float:
        """The noisy number of records, at least one."""
        return max(float(np.mean([counts.sum() for counts in self.counts])), 1.0)

    @property
    def findings(self) -> dict[str, Any]:
        """What may be told."""
        return {"records": round(self.records), "noise": [part.to_json() for part in self.spent]}

    def stand_in(self, coder: Encoding, *, rng: np.random.Generator) -> Table:
        """Records whose columns are those that were counted, each apart from the others."""
        return independent(coder, tuple(simplex(counts / self.records) for counts in self.counts), rng=rng, n=STAND_IN)

    def save(self, folder: Path) -> None:
        """Write measured.safetensors in one step."""
        arrays = {f"column {j}": counts for j, counts in enumerate(self.counts)}
        told = json.dumps([part.to_json() for part in self.spent])
        write_bytes(folder / MEASURED, save(arrays, metadata={"spent": told}))

    @classmethod
    def load(cls, folder: Path) -> Paid | None:
        """What `save` wrote; None where nothing was measured yet."""
        if not (folder / MEASURED).exists():
            return None
        with safe_open(folder / MEASURED, framework="np") as file:
            names, told = list(file.keys()), file.metadata()
            counts = tuple(file.get_tensor(f"column {j}") for j in range(len(names)))
        return cls(counts, tuple(spent_from(part) for part in json.loads(told["spent"])))


def independent(coder: Encoding, shares: tuple[np.ndarray, ...], *, rng: np.random.Generator, n: int) -> Table:
    """`n` records of independent columns, in which each code has its share."""
    codes = pick(shares, rng.random((n, len(shares))))
    return coder.decode(codes, first_subject=0, rng=rng)


@dataclass(frozen=True)
class Training:
    """A network that has seen no real record, how records are shown to it, and what it becomes.

    `model` takes what may be told of the measurements.
    """

    objective: Objective
    source_of: Callable[[Table], Source]
    model: Callable[[Mapping[str, Any]], CodedModel]
    trainable: bool = True


Spy = Callable[[Training, Private], Private]
"""What an attack makes of the rule of a training: one that tells it every noisy gradient."""


@dataclass(frozen=True)
class PrivateSpec(CodedSpec):
    """A network that learns under differential privacy where it is given a ledger. Subclasses say how it is trained
    (`training`)."""

    private_base: ClassVar[TrainPlan] = TrainPlan(steps=0, weight_decay=0.0, warmup=20, ema=0.99)
    """Where a plan under differential privacy starts."""
    times: ClassVar[int] = 1
    """How often a record is shown to the network in a step."""

    lot: ClassVar[int] = 1024
    """And at most so many of them."""

    @property
    def looks(self) -> int:
        """How many turns of a step look at records."""
        return 1

    def training(self, coder: Encoding, seen: Table, *, rng: np.random.Generator) -> Training:
        """The network and how it is trained; `seen` are records that stand in for the real ones."""
        raise TypeError(f"{type(self).__name__} does not say how it is trained")

    def learn_privately(self, train: Table, how: Fitting, ledger: Ledger) -> CodedModel:
        """Pay, train for the plan, and keep the averaged weights of its end.

        Raises UsageError for columns that are not declared, PrivacyError where nothing is left.
        """
        training, told = self.trained(train, how, ledger)
        return training.model(told.findings)

    def trained(self, train: Table, how: Fitting, ledger: Ledger, *, spy: Spy | None = None) -> tuple[Training, Paid]:
        """The training at its end, and what was paid for it."""
        plan, coder = TrainPlan(**how.plan), public_encoding(train.schema)
        rate = min(plan.batch / public_number(train.schema), 1.0)
        count = max(plan.steps, 1) * self.looks
        told = Paid.of(coder, train, ledger, lambda: ledger.affordable_steps(rate=rate, count=count), resume=how.resume)
        seen = told.stand_in(coder, rng=stream(root_of(how.rng), "stand-in"))
        training = self.training(coder, seen, rng=how.rng)
        assert isinstance(told.training, Steps)
        rule = Private(told.training, rate * public_number(train.schema), times=self.times)
        rule = rule if spy is None else spy(training, rule)
        source = training.source_of(train.take(chosen(train.subjects, most=1)))
        if training.trainable:
            kept: dict[str, Any] = {"watch": how.watch, "resume": how.checkpoint("training"), "rule": rule}
            train_to_end(training.objective, source, plan, rng=how.rng, **kept)
        return training, told

    def attacked(self, train: Table, how: Fitting, ledger: Ledger, *, spy: Spy) -> Paid:
        """What an attacker who sees everything that leaves a training would see: what was paid for, and, told to `spy`,
        every noisy gradient."""
        return self.trained(train, how, ledger, spy=spy)[1]

    def check(self, train: Table, *, wanted: Wanted) -> None:
        """Raise UsageError, before anything is learned, with all that no model of `train` could draw."""
        refuse_unable(self.card, wanted=wanted)
        Asked.of(
            wanted, public_encoding(train.schema) if planned_apart(train.schema) else self.encoding_of(train, None)
        )

    def private_plan(self, schema: Schema, *, rng: np.random.Generator, time_budget: float | None) -> Plan:
        """Steps within `time_budget` seconds (default 60), from what is public: the time of some on made-up records."""
        budget, begun = 60.0 if time_budget is None else time_budget, time.monotonic()
        public, coder = public_number(schema), public_encoding(schema)
        batch = max(1, min(self.lot, public // LOTS))
        plan = replace(self.private_base, batch=batch)
        even = tuple(np.full(size, 1 / size) for size in coder.sizes)
        seen = independent(coder, even, rng=rng, n=4 * batch)
        training = self.training(coder, seen, rng=rng)
        most = max(1, EPOCHS * public // (batch * self.looks))
        if training.trainable:
            rule = Private(Steps(1.0, 0.25, PROBE_STEPS * self.looks), float(batch), times=self.times)
            source = training.source_of(seen)
            found = steps_within(training.objective, source, plan, rng=rng, begun=begun, budget=budget, rule=rule)
            most = min(found, most)
        return replace(plan, steps=most).to_json()


def planned_apart(schema: Schema) -> bool:
    """Whether a plan must not look at the records of a schema, which was declared so that they can stay private."""
    return schema.public and schema.n_public is not None


def public_number(schema: Schema) -> int:
    """The number of patients that is public anyway. Raises UsageError where there is none."""
    if schema.n_public is None:
        raise UsageError.of(
            "no public number of patients",
            rule="a network under differential privacy sees a share of the patients in each step, and the true number "
            "is private",
            fix="in the schema file: [cohort] n_public = a number that is public anyway; or --model pairwise",
        )
    return schema.n_public
