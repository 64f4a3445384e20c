"""The attack on a network under differential privacy: it hears every noisy gradient of a training.

It knows the weights before each step, and the patient that is looked for, but for whether that one is there. So it
knows the gradient that this patient would give, and how far a noisy one lies along it tells how much more likely it is
with the patient than without (Nasr et al., Adversary Instantiation, S&P 2021; Tight Auditing, USENIX Security 2023).
There is nobody else: whoever is sampled besides would only hide the patient. What was counted before the training is
scored as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import numpy as np
import torch

from semblance.core.model import Plan
from semblance.core.promise import Ledger
from semblance.core.rng import stream
from semblance.core.schema import Schema
from semblance.learn.rules import Private
from semblance.learn.trainer import Source, TrainPlan, Turn
from semblance.privacy.audit import Audit, attacked, budget

STEPS, RATE = 60, 0.05
"""Steps of an attacked training, and the share of patients in each, where no run says how it was trained."""
TIMES = 8
"""How often a record is shown in a step, where a source does not say: that changes no claim, and the attacker knows
better what its gradient is."""


class Records(Protocol):
    """Records under a schema, of which some can be taken."""

    @property
    def schema(self) -> Schema:
        """What is public of them."""
        ...

    def __len__(self) -> int: ...

    def take(self, rows: np.ndarray) -> Self:
        """The records at these positions (or under this mask)."""
        ...


D = TypeVar("D", bound=Records)
C = TypeVar("C", bound=Records, contravariant=True)
SourceOf = Callable[[D], Source]
"""How records are shown to a network."""
Spy = Callable[[SourceOf[D], Private], Private]
"""What an attack makes of the rule of a training: one that tells it every noisy gradient."""
Likely = Callable[[D], np.ndarray]
"""(n,) log of how much more likely what was counted is with each record than with nobody."""


class Trained(Protocol[C]):
    """A generator whose network learns under differential privacy."""

    private_base: ClassVar[TrainPlan]

    def attacked(self, train: C, plan: Plan, ledger: Ledger, *, spy: Spy[C]) -> Likely[C]:
        """What an attacker who sees everything that leaves a training would see: what was counted, and, told to `spy`,
        every noisy gradient."""
        ...


@dataclass(frozen=True)
class Ran:
    """How a run was trained: its plan, and the number of patients, where one is public: it sets the rate of a step."""

    plan: Plan
    public: int | None = None


@dataclass(frozen=True)
class WhiteBox(Generic[D]):
    """A private network, and the patients that are looked for: a record of each."""

    spec: Trained[D]
    looked_for: D
    plan: Plan | None = None

    def score(self, planted: D | None, epsilon: float, delta: float) -> float:
        """How much a training on the `planted` records of the one patient that is looked for, or on none, looks as if
        it was there."""
        with budget(epsilon, delta) as ledger:
            train = self.looked_for.take(np.arange(0)) if planted is None else planted
            return float(self.scores(train, ledger)[0])

    def scores(self, train: D, ledger: Ledger) -> np.ndarray:
        """(n,) how much a training on `train` looks as if each record that is looked for was there."""
        heard: list[Listener] = []

        def spy(source_of: SourceOf[D], rule: Private) -> Private:
            heard.append(Listener(source_of(self.looked_for), rule))
            return replace(heard[0].rule, seen=heard[0])

        likely = self.spec.attacked(train, self.plan or self._short(train.schema.n_public or 1), ledger, spy=spy)
        found: np.ndarray = likely(self.looked_for) + sum(listener.scores for listener in heard)
        return found

    def _short(self, public: int) -> Plan:
        return replace(self.spec.private_base, steps=STEPS, batch=max(1, round(RATE * public))).to_json()


class Listener:
    """Hears the noisy gradients of a training, and sums up what each of some patients has to do with them."""

    def __init__(self, source: Source, rule: Private) -> None:
        self.shown = source.batch(np.arange(len(source.subjects)))
        self.rule = rule if self.shown.ndim == 3 else replace(rule, times=TIMES)
        self.noise, self.scores = torch.Generator().manual_seed(0), np.zeros(len(self.shown))

    def __call__(self, turn: Turn, noisy: Sequence[torch.Tensor]) -> None:
        """A noisy sum, before the step that it makes: how far it lies along each patient's own gradient, over the
        square of the noise, which for many faint steps is the log of how much more likely it is with the patient."""
        own = self.rule.gradients(turn, self.shown, self.noise)
        along = own.along(noisy) * self.rule.weights(own.lengths())
        self.scores += (along / (self.rule.steps.sigma * self.rule.clip) ** 2).double().numpy()


def audit(
    spec: Trained[D],
    planted: D,
    canaries: D,
    *,
    epsilon: float,
    delta: float,
    seed: int,
    ran: Ran | None = None,
    **how: Any,
) -> Audit:
    """Lower bounds of what a network leaks when it is trained with a budget of (epsilon, delta), as it `ran`: with the
    `planted` records of a patient and without, and once with many `canaries` by the toss of a coin; `how` as in
    `attacked`."""
    if ran is not None and ran.public is not None:
        planted, canaries = _among(planted, ran.public), _among(canaries, ran.public)
    plan = None if ran is None else ran.plan
    one, every = WhiteBox(spec, planted.take(np.arange(1)), plan), WhiteBox(spec, canaries, plan)

    def score(inside: bool) -> float:
        return one.score(planted if inside else None, epsilon, delta)

    def scores(there: np.ndarray) -> np.ndarray:
        with budget(epsilon, delta) as ledger:
            return every.scores(canaries.take(there), ledger)

    there = stream(seed, "audit", "canaries").random(len(canaries)) < 0.5
    return attacked(score, scores, there, epsilon=epsilon, delta=delta, **how)


def _among(records: D, public: int) -> D:
    """Records of some of so many patients."""
    found: D = replace(records, schema=replace(records.schema, n_public=public))  # type: ignore[type-var]
    return found
