"""How a network learns stays under differential privacy: its patients are counted, and then give gradients.

All that is known of the data beforehand is declared (`public`). A share of the budget counts what stays have and how
values lie (`encoding.counted`); the rest pays for DP-SGD (`learn.rules.Private`), in which each patient shows some of
its stays, by chance, of which the mean loss is clipped once. Nothing else looks at a stay: the network starts at normal
numbers, keeps nobody aside and stops where it was planned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from semblance.core.model import Plan, Wanted, Watch
from semblance.core.promise import Ledger, Noise
from semblance.core.rng import root_of, stream
from semblance.core.schema import Schema
from semblance.learn.counts import Asked, of_looks
from semblance.learn.drawn import Fitting, Sizes
from semblance.learn.network import Drawn, Sampler, parts_of
from semblance.learn.paid import Paid, public_number, refuse_undeclared, undeclared
from semblance.learn.patients import Patients, Showing, planned
from semblance.learn.trainer import TrainPlan
from semblance.learn.white_box import Likely, Spy
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.encoding.counted import Counted, Grid
from semblance.modalities.vitals.encoding.public import FAR, PublicEncoding
from semblance.modalities.vitals.generators.nurse import StayModel, StaySpec
from semblance.privacy.noise import system

RECORDS = "stays"
"""What is learned, for those who are told what is wrong."""
COUNTED = (0.25, 0.15)
"""Shares of the budget for the two looks that count."""
SHOWN = 4
"""Stays of a patient, or noises of the same one, in a step: more teach more, and cost nothing but time."""
STAND_IN = 256
"""Vectors that stand in for those of real stays."""


@dataclass(frozen=True)
class PrivateSpec(StaySpec):
    """A network over vectors of stays that learns under differential privacy where it is given a ledger."""

    numbered: ClassVar[bool] = True
    """Whether it needs a public number of patients."""
    private_base: ClassVar[TrainPlan] = TrainPlan(steps=0, weight_decay=0.0, warmup=20, ema=0.99, rate=1e-3)
    lot: ClassVar[int] = 256

    def apart(self, parts: Any) -> Sampler:
        """The objective, with a loss in which no patient has a part in another's."""
        raise TypeError(f"{type(self).__name__} does not say what is trained privately")

    def refuse_undeclared(self, schema: Schema) -> None:
        """Raise UsageError, before any stay is looked at, where what is public of them was not declared."""
        refuse_undeclared(schema, RECORDS)

    def check(self, train: Stays, *, wanted: Wanted) -> None:
        """Raise UsageError with all that no model of such stays could draw; under a public schema, by that alone."""
        if not train.schema.public:
            super().check(train, wanted=wanted)
            return
        PublicEncoding.of(train, Counted.nothing(_grid(train))).known.asked(wanted)

    def plan_privately(self, train: Stays, *, rng: np.random.Generator, time_budget: float | None) -> Plan:
        """Seconds (default 60) turned into steps, by trying some on normal numbers."""
        seed, public = root_of(rng), public_number(train.schema)
        return planned(
            lambda: self._begun(PublicEncoding.of(train, Counted.nothing(_grid(train))).sizes, seed),
            self.private_base,
            lot=self.lot,
            public=public,
            shown=SHOWN,
            rng=stream(seed, "probe"),
            time_budget=time_budget,
        )

    def fit(
        self,
        train: Stays,
        *,
        rng: np.random.Generator,
        plan: Plan | None = None,
        ledger: Ledger | None = None,
        encoding: Any = None,
        watch: Watch | None = None,
        resume: Path | None = None,
    ) -> StayModel:
        """Learn `train`: under a ledger, by what it pays for.

        Raises UsageError for what is not declared, PrivacyError where nothing is left.
        """
        if ledger is None:
            return super().fit(train, rng=rng, plan=plan, watch=watch, resume=resume)
        self.refuse_undeclared(train.schema)
        seed = root_of(rng)
        chosen = plan if plan else self.plan(train, rng=stream(seed, "plan"))
        code, objective, paid = self._trained(train, ledger, Fitting(stream(seed, "private"), chosen, watch, resume))
        measured: Mapping[str, Any] = {**paid.findings, "records": round(code.counted.patients)}
        return StayModel(self.card, self.to_json(), code, Drawn(objective), measured)

    def _trained(
        self, train: Stays, ledger: Ledger, how: Fitting, *, spy: Spy[Stays] | None = None
    ) -> tuple[PublicEncoding, Sampler, PaidStays]:
        """How stays become vectors, the training at its end, and what was paid for it."""
        showing, seed = Showing(TrainPlan(**how.plan), public_number(train.schema)), root_of(how.rng)
        paid = showing.pay(PaidStays, lambda: _counts(train, ledger), ledger, resume=how.resume)
        code = PublicEncoding.of(train, Counted(_grid(train), paid.counts, paid.sigmas))
        objective, _ = self._begun(code.sizes, seed)
        # An attacker is to know everything of a stay: what it leaves open as well.
        rng: Any = system() if spy is None else Known()
        training, source_of = replace(how, rng=stream(seed, "training")), partial(_source, code, rng=rng)
        heard = {} if spy is None else {"heard": partial(spy, source_of)}
        showing.train(objective, source_of(train), paid, ledger, training, **heard)
        return code, objective, paid

    def attacked(self, train: Stays, plan: Plan, ledger: Ledger, *, spy: Spy[Stays]) -> Likely[Stays]:
        """What an attacker who sees everything that leaves a training would see (see `learn.white_box`)."""
        code, _, paid = self._trained(train, ledger, Fitting(stream(0, "attacked"), plan, None, None), spy=spy)

        def likely(stays: Stays) -> np.ndarray:
            return np.array([_likely(code.counted, stays.take(np.array([i])), paid) for i in range(len(stays))])

        return likely

    def _begun(self, sizes: Sizes, seed: int) -> tuple[Sampler, np.ndarray]:
        """The network at its start, which no stay has a part in, and rows that stand in for those of real stays."""
        parts = parts_of(sizes)
        objective, labels = self.apart(parts), np.arange(STAND_IN) % sizes.kinds
        none = np.zeros((STAND_IN, 0))
        objective.start(parts.join(np.full((STAND_IN, sizes.numbers), FAR), none, labels), rng=stream(seed, "weights"))
        numbers = stream(seed, "numbers").standard_normal((STAND_IN, sizes.numbers)).clip(-FAR, FAR)
        return objective, parts.join(numbers, none, labels)


@dataclass(frozen=True)
class PaidStays(Paid):
    """What was paid for of stays."""

    @property
    def sigmas(self) -> tuple[float, ...]:
        """The noise of both looks."""
        return tuple(part.sigma for part in self.spent if isinstance(part, Noise))


def _grid(train: Stays) -> Grid:
    if train.public is None:
        raise undeclared(RECORDS)
    return Grid(train.schema, train.channels, train.public)


class Known:
    """The middle in the place of chance, so that the same stay always gives the same row."""

    def random(self, size: Any) -> np.ndarray:
        """A half."""
        return np.full(size, 0.5)

    def standard_normal(self, size: Any) -> np.ndarray:
        """Zeros."""
        return np.zeros(size)


def _source(code: PublicEncoding, stays: Stays, *, rng: Any) -> Patients:
    """The stays as rows, each by itself; what one leaves open is drawn by `rng`, which nobody may be able to repeat."""
    learned = code.vectors(stays, rng=rng)
    rows = parts_of(code.sizes).join(learned.coefficients, learned.given, learned.labels)
    return Patients(rows, learned.labels, learned.subjects, shown=SHOWN)


def _counts(train: Stays, ledger: Ledger) -> tuple[list[np.ndarray], list[Noise]]:
    """The noisy counts, and what was paid for them; the second look sees values through what the first one told."""
    grid = _grid(train)
    parts = [(share, len(look)) for share, look in zip(COUNTED, grid.shapes, strict=True)]
    first, second, _ = ledger.affordable([*parts, (1 - sum(COUNTED), 1)])
    counts = _paid(grid.of_stays(train), first, ledger, note="stays")
    counts += _paid(grid.of_motion(train, Counted(grid, tuple(counts), (first.sigma,))), second, ledger, note="courses")
    return counts, [first, second]


def _paid(asked: Asked, noise: Noise, ledger: Ledger, *, note: str) -> list[np.ndarray]:
    return ledger.noisy_counts(asked.codes, asked.sizes, asked.subsets, asked.whose, sigma=noise.sigma, note=note)


def _likely(counted: Counted, one: Stays, paid: PaidStays) -> float:
    """Log of how much more likely the counts are with a patient than with nobody."""
    asked = counted.grid.of_stays(one), counted.grid.of_motion(one, counted)
    return of_looks(paid.counts, ((look, 1) for look in asked), paid.sigmas)
