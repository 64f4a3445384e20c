"""The attack on a network under differential privacy: it hears every noisy gradient of a training.

It knows the weights before each step, and the patient that is looked for, but for whether that one is there. So it
knows the gradient that this patient would give, and how far a noisy one lies along it tells how much more likely it is
with the patient than without (Nasr et al., Adversary Instantiation, S&P 2021; Tight Auditing, USENIX Security 2023).
There is nobody else: whoever is sampled besides would only hide the patient. What was counted before the training is
scored as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from semblance.core.rng import stream
from semblance.learn.rules import Private
from semblance.learn.trainer import Turn
from semblance.modalities.table.data import Table
from semblance.modalities.table.domain import public_encoding
from semblance.modalities.table.generators.coded import Fitting
from semblance.modalities.table.generators.private import PrivateSpec, Training
from semblance.privacy.ledger import Ledger

STEPS, RATE = 60, 0.05
"""Steps of an attacked training, and the share of patients in each."""
TIMES = 8
"""How often a record is shown in a step: that changes no claim, and the attacker knows better what its gradient is."""


@dataclass(frozen=True)
class WhiteBox:
    """A private network, and the patients that are looked for."""

    spec: PrivateSpec
    looked_for: Table

    def score(self, planted: bool, epsilon: float, delta: float) -> float:
        """How much a training looks as if the patient that is looked for was there."""
        train = self.looked_for if planted else self.looked_for.take(np.arange(0))
        one = replace(self, looked_for=self.looked_for.take(np.arange(1)))
        with budget(epsilon, delta) as ledger:
            return float(one.scores(train, ledger)[0])

    def scores(self, train: Table, ledger: Ledger) -> np.ndarray:
        """(n,) how much a training on `train` looks as if each record that is looked for was there."""
        heard: list[Listener] = []

        def spy(training: Training, rule: Private) -> Private:
            heard.append(Listener(training, replace(rule, times=TIMES), self.looked_for))
            return replace(rule, times=TIMES, seen=heard[0])

        public = train.schema.n_public or 1
        plan = replace(self.spec.private_base, steps=STEPS, batch=max(1, round(RATE * public)))
        how = Fitting(stream(0, "attacked"), plan.to_json(), None, None, None)
        told = self.spec.attacked(train, how, ledger, spy=spy)
        coder, sigma = public_encoding(train.schema), told.spent[0].sigma  # type: ignore[union-attr]
        own = coder.encode(self.looked_for)
        counted = np.array([of_columns(told.counts, None, sigma, own[:0], codes) for codes in own])
        found: np.ndarray = counted + sum(listener.scores for listener in heard)
        return found


class Listener:
    """Hears the noisy gradients of a training, and sums up what each of some records has to do with them."""

    def __init__(self, training: Training, rule: Private, looked_for: Table) -> None:
        self.rule, self.shown = rule, training.source_of(looked_for).batch(np.arange(len(looked_for)))
        self.noise, self.scores = torch.Generator().manual_seed(0), np.zeros(len(looked_for))

    def __call__(self, turn: Turn, noisy: Sequence[torch.Tensor]) -> None:
        """A noisy sum, before the step that it makes: how far it lies along each record's own gradient, over the square
        of the noise, which for many faint steps is the log of how much more likely it is with the record."""
        own = self.rule.gradients(turn, self.shown, self.noise)
        along = own.along(noisy) * self.rule.weights(own.lengths())
        self.scores += (along / (self.rule.steps.sigma * self.rule.clip) ** 2).double().numpy()


def of_columns(
    columns: Sequence[np.ndarray], target: int | None, sigma: float, base: np.ndarray, planted: np.ndarray
) -> float:
    """Log of how much more likely noisy counts of columns are with the planted (columns,) codes than with (n, columns)
    `base` alone. All but that of the `target` are counted within its codes, where there is one."""
    found = 0.0
    for j, counts in enumerate(columns):
        asked = [j] if target in (None, j) else [target, j]
        cell = counts[(0,) * (counts.ndim - len(asked)) + tuple(planted[asked])]
        found += ratio(cell - (base[:, asked] == planted[asked]).all(1).sum(), sigma)
    return float(found)


def ratio(above: float, sigma: float) -> float:
    """Of normal noise around one and around zero."""
    return (above - 0.5) / sigma**2


@contextmanager
def budget(epsilon: float, delta: float) -> Iterator[Ledger]:
    """A ledger of nobody: the records are simulated."""
    with TemporaryDirectory(prefix="semblance-audit-") as folder:
        yield Ledger.open(Path(folder), cohort="audit", epsilon=epsilon, delta=delta)
