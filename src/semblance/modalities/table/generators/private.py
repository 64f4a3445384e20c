"""How networks learn a table under differential privacy.

Columns are counted with noise, for a small share of the budget. Records drawn from these counts, every column apart,
stand in for the real ones wherever a generator looks at records: for how values become numbers, for first weights, for
what is raked at the end. Only the loss sees real records, one of each patient, and what it makes of them is what DP-SGD
pays for (see `learn.rules.Private`). So nothing that was not paid for is in what is kept.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from semblance.core.errors import UsageError
from semblance.core.files import sha256_of, write_bytes
from semblance.core.model import Plan, Wanted
from semblance.core.promise import MEASURED, Ledger, Noise, Spent, Steps, spent_from
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
    """What a ledger has paid for: the noisy count of every code of each column, and then the training, of which it
    gave a `receipt`."""

    counts: tuple[np.ndarray, ...]
    spent: tuple[Spent, ...]
    receipt: str = ""

    @classmethod
    def of(
        cls,
        coder: Encoding,
        train: Table,
        ledger: Ledger,
        training: Callable[[], Spent],
        *,
        like: Steps | Noise,
        resume: Path | None,
    ) -> Paid:
        """Count the columns of `train`, and reserve what `training` says can be had of the rest: what is planned is
        `like` it but for the noise. What is found in `resume` is not paid for again.

        Raises PrivacyError where nothing is left, UsageError where another training than this was paid for.
        """
        told = None if resume is None else cls.load(resume)
        if told is not None:
            told.refuse_other(like)
            return told
        columns = [(j,) for j in range(len(coder.columns))]
        noise, _ = ledger.affordable([(COUNTED, max(len(columns), 1)), (1 - COUNTED, 1)])
        codes, whose = coder.encode(train), train.subjects
        counts = ledger.noisy_counts(codes, coder.sizes, columns, whose, sigma=noise.sigma, note="columns")
        rest = training()
        told = cls(tuple(counts), (noise, rest), ledger.reserve(rest, note="training"))
        if resume is not None:
            told.save(resume)
        return told

    @property
    def training(self) -> Spent:
        """What was paid for the training."""
        return self.spent[-1]

    def refuse_other(self, planned: Steps | Noise) -> None:
        """Raise UsageError where what is planned differs in more than its noise from what was paid for."""
        if _but_noise(planned) != _but_noise(self.training):
            raise UsageError.of(
                f"a plan that looks {planned.count:,} times, where {self.training.count:,} were paid for"
                if planned.count != self.training.count
                else "a plan that asks otherwise than was paid for",
                rule="a training that was paid for is taken up as it was planned",
                fix="give the generator, plan and options that it began with; or another folder, to pay anew",
            )

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
        write_bytes(folder / MEASURED, save(arrays, metadata={"spent": told, "receipt": self.receipt}))

    @classmethod
    def load(cls, folder: Path) -> Paid | None:
        """What `save` wrote; None where nothing was measured yet."""
        if not (folder / MEASURED).exists():
            return None
        with safe_open(folder / MEASURED, framework="np") as file:
            names, told = list(file.keys()), file.metadata()
            counts = tuple(file.get_tensor(f"column {j}") for j in range(len(names)))
        return cls(counts, tuple(spent_from(part) for part in json.loads(told["spent"])), told.get("receipt", ""))


@contextmanager
def once(told: Paid, ledger: Ledger, checkpoint: Path | None) -> Iterator[None]:
    """A training that was paid for once, and so is finished once: of copies of what it kept in `checkpoint`, the first
    to end is the one that was paid for. Where nothing is kept, nothing can be taken up twice.

    Raises PrivacyError where another one ended before.
    """
    if checkpoint is None:
        yield
        return
    ledger.refuse_other(told.receipt, sha256_of(checkpoint) if checkpoint.exists() else None)
    yield
    ledger.settle(told.receipt, sha256_of(checkpoint))


def _but_noise(part: Spent) -> dict[str, Any]:
    return {key: value for key, value in part.to_json().items() if key != "sigma"}


def refuse_none(plan: TrainPlan) -> None:
    """Raise UsageError, before anything is paid, for a plan that learns nothing."""
    if plan.steps < 1 or plan.batch < 1:
        raise UsageError.of(
            f"a plan of {plan.steps} steps with batches of {plan.batch}",
            rule="what is paid for is learned from: at least one step, with at least one record in a batch",
            fix="correct the plan, or leave it out",
        )


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
    numbered: ClassVar[bool] = True
    """Whether it needs a public number of patients."""

    @property
    def looks(self) -> int:
        """How many turns of a step look at records."""
        return 1

    def plan(self, train: Table, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """A short probe turns `time_budget` seconds (default 60) into steps.

        Under a schema that was declared so that records can stay private it looks at made-up ones; then raises
        UsageError without `n_public`.
        """
        budget, begun = 60.0 if time_budget is None else time_budget, time.monotonic()
        if self.card.private and train.schema.public:
            return self.probed_apart(train.schema, rng=rng, budget=budget, begun=begun).to_json()
        return self.probed(train, rng=rng, budget=budget, begun=begun).to_json()

    def probed(self, train: Table, *, rng: np.random.Generator, budget: float, begun: float) -> TrainPlan:
        """A plan that ends `budget` seconds after `begun` (time.monotonic), by the time of some steps on `train`."""
        raise TypeError(f"{type(self).__name__} does not say how it is planned")

    def refuse_undeclared(self, schema: Schema) -> None:
        """Raise UsageError, before any record is looked at, where what is public of them was not declared."""
        public_encoding(schema)
        if self.numbered:
            public_number(schema)

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
        refuse_none(plan)
        rate, count = min(plan.batch / public_number(train.schema), 1.0), plan.steps * self.looks
        told = Paid.of(
            coder,
            train,
            ledger,
            lambda: ledger.affordable_steps(rate=rate, count=count),
            like=Steps(1.0, rate, count),
            resume=how.resume,
        )
        seen = told.stand_in(coder, rng=stream(root_of(how.rng), "stand-in"))
        training = self.training(coder, seen, rng=how.rng)
        assert isinstance(told.training, Steps)
        rule = Private(told.training, rate * public_number(train.schema), times=self.times)
        rule = rule if spy is None else spy(training, rule)
        source = training.source_of(train.take(chosen(train.subjects, most=1)))
        if training.trainable:
            checkpoint = how.checkpoint("training")
            kept: dict[str, Any] = {"watch": how.watch, "resume": checkpoint, "rule": rule}
            with once(told, ledger, checkpoint):
                train_to_end(training.objective, source, plan, rng=how.rng, **kept)
        return training, told

    def attacked(self, train: Table, how: Fitting, ledger: Ledger, *, spy: Spy) -> Paid:
        """What an attacker who sees everything that leaves a training would see: what was paid for, and, told to `spy`,
        every noisy gradient."""
        return self.trained(train, how, ledger, spy=spy)[1]

    def check(self, train: Table, *, wanted: Wanted) -> None:
        """Raise UsageError, before anything is learned, with all that no model of `train` could draw."""
        refuse_unable(self.card, wanted=wanted)
        Asked.of(wanted, public_encoding(train.schema) if train.schema.public else self.encoding_of(train, None))

    def probed_apart(self, schema: Schema, *, rng: np.random.Generator, budget: float, begun: float) -> TrainPlan:
        """A plan that ends `budget` seconds after `begun`, by the time of some steps on records made up of what
        is public.

        Raises UsageError for what was not declared.
        """
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
        return replace(plan, steps=most)


def public_number(schema: Schema) -> int:
    """The number of patients that is public anyway. Raises UsageError where there is none."""
    if schema.n_public is None:
        raise UsageError.of(
            "no public number of patients",
            rule="a network under differential privacy sees a share of the patients in each step, and the true number "
            "is private",
            fix="in the schema file: [cohort] n_public = a number that is public anyway; or --model pairwise; or, to"
            " learn without a ledger, read without private=True",
        )
    return schema.n_public
