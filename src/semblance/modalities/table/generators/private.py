"""How networks learn a table under differential privacy.

Columns are counted with noise, for a small share of the budget. Records drawn from these counts, every column apart,
stand in for the real ones wherever a generator looks at records: for how values become numbers, for first weights, for
what is raked at the end. Only the loss sees real records, one of each patient, and what it makes of them is what DP-SGD
pays for (see `learn.rules.Private`). So nothing that was not paid for is in what is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from semblance.core.model import Plan, Wanted
from semblance.core.promise import Ledger, Noise, Spent, Steps
from semblance.core.rng import root_of, stream
from semblance.core.schema import Schema
from semblance.core.shares import simplex
from semblance.learn.pace import PROBE_STEPS, steps_within
from semblance.learn.paid import EPOCHS, LOTS, once, public_number, refuse_none
from semblance.learn.paid import Paid as Counted
from semblance.learn.rules import Private
from semblance.learn.trainer import Objective, Source, TrainPlan, train_to_end
from semblance.learn.white_box import Likely, Spy
from semblance.modalities.table.data import Table
from semblance.modalities.table.domain import public_encoding
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.coded import CodedModel, CodedSpec, Fitting, refuse_unable
from semblance.modalities.table.generators.marginals import pick
from semblance.modalities.table.wanted.asked import Asked
from semblance.privacy.audit import of_counts
from semblance.privacy.noise import chosen

COUNTED = 0.1
"""Share of the budget for columns alone."""
STAND_IN = 20_000
"""Records that stand in for the real ones."""


@dataclass(frozen=True)
class Paid(Counted):
    """What a ledger has paid for: the noisy count of every code of each column, and then the training."""

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

        def counting() -> tuple[list[np.ndarray], list[Noise]]:
            columns = [(j,) for j in range(len(coder.columns))]
            noise, _ = ledger.affordable([(COUNTED, max(len(columns), 1)), (1 - COUNTED, 1)])
            codes, whose = coder.encode(train), train.subjects
            how: dict[str, Any] = {"sigma": noise.sigma, "note": "columns"}
            return ledger.noisy_counts(codes, coder.sizes, columns, whose, **how), [noise]

        return cls.settled(counting, ledger, training, like=like, resume=resume)

    def likely(self, coder: Encoding) -> Likely[Table]:
        """How much more likely the counts of columns are with each record than with nobody."""
        columns = [(j,) for j in range(len(coder.columns))]
        sigma = self.spent[0].sigma  # type: ignore[union-attr]  # noise comes first

        def found(table: Table) -> np.ndarray:
            codes = coder.encode(table)
            return np.array([of_counts(self.counts, columns, one[None], sigma=sigma) for one in codes])

        return found

    def stand_in(self, coder: Encoding, *, rng: np.random.Generator) -> Table:
        """Records whose columns are those that were counted, each apart from the others."""
        return independent(coder, tuple(simplex(counts / self.records) for counts in self.counts), rng=rng, n=STAND_IN)


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

    def trained(
        self, train: Table, how: Fitting, ledger: Ledger, *, spy: Spy[Table] | None = None
    ) -> tuple[Training, Paid]:
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
        rule = rule if spy is None else spy(training.source_of, rule)
        source = training.source_of(train.take(chosen(train.subjects, most=1)))
        if training.trainable:
            checkpoint = how.checkpoint("training")
            kept: dict[str, Any] = {"watch": how.watch, "resume": checkpoint, "rule": rule}
            with once(told, ledger, checkpoint):
                train_to_end(training.objective, source, plan, rng=how.rng, **kept)
        return training, told

    def attacked(self, train: Table, plan: Plan, ledger: Ledger, *, spy: Spy[Table]) -> Likely[Table]:
        """What an attacker who sees everything that leaves a training would see (see `learn.white_box`)."""
        how = Fitting(stream(0, "attacked"), plan, None, None, None)
        return self.trained(train, how, ledger, spy=spy)[1].likely(public_encoding(train.schema))

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
