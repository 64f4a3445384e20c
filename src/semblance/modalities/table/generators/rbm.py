"""Restricted Boltzmann machine over the codes of a table: every column is a softmax unit.

Trained by persistent contrastive divergence, sampled by block Gibbs chains that begin at records of independent
columns: the model holds the shares of each column for that, and no record. `dbn` stacks several of the machines.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from semblance.core.model import Card, Plan
from semblance.learn.noise import noise_of
from semblance.learn.objectives.rbm import Boltzmann, Contrast, ascend, dream
from semblance.learn.pace import steps_within, within_epochs
from semblance.learn.rows import Rows
from semblance.learn.rules import Plain
from semblance.learn.trainer import TrainPlan, train_loop
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.coded import CodedModel, CodedSpec, Fitting, saved
from semblance.modalities.table.generators.marginals import pick, shares_of, split_by_sizes

CARD = Card(
    name="rbm",
    summary="restricted Boltzmann machine, every column a softmax unit; the energy-based line, slow to sample",
    paper="Smolensky 1986; Hinton, Neural Computation 14, 2002; Salakhutdinov, Mnih & Hinton, ICML 2007",
    needs=("torch",),
)
CHAINS, SEEN, FEWEST = 256, 4096, 600
"""Chains of fantasies; records that set the start of a higher machine; steps that any budget may take."""


@dataclass(frozen=True)
class Rbm(CodedSpec):
    """One machine between the columns and a layer of hidden units."""

    hidden: int = 128
    """Binary hidden units of a machine."""
    contrast: int = 1
    """Steps of Gibbs sampling from one update to the next."""
    persistent: bool = True
    """Whether chains go on from update to update (Tieleman 2008), or begin at records (Hinton 2002)."""
    burn: int = 100
    """Steps of Gibbs sampling before a record is taken from a chain."""
    rate: float = 0.01
    """Rate of learning at its height."""
    epochs: int = 60
    """At most so many passes over the data, however large the budget."""
    card: ClassVar[Card] = CARD
    planned: ClassVar[type] = TrainPlan
    """What a plan holds, so that one from a file can be checked."""

    @property
    def machines(self) -> int:
        """How many machines are learned, each from what the one below it makes of the records."""
        return 1

    def plan(self, train: Table, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """A short probe of the first machine turns `time_budget` seconds (default 60) into steps of each machine."""
        budget, begun = 60.0 if time_budget is None else time_budget, time.monotonic()
        coder = self.encoding_of(train, None)
        source = Rows(coder.encode(train), train.subjects)
        if not source.values.numel():
            return self._plan_of(0, 0).to_json()
        objective = self._objective(source.values, coder.sizes, (), rng=rng)
        steps = steps_within(objective, source, self._plan_of(0, 0), rng=rng, begun=begun, budget=budget)
        return self._plan_of(steps // self.machines, len(train)).to_json()

    def _plan_of(self, steps: int, records: int) -> TrainPlan:
        steps = within_epochs(steps, epochs=self.epochs, records=records, batch=256, fewest=FEWEST)
        return TrainPlan(steps, rate=self.rate, weight_decay=0.01)

    def learn_from(self, train: Table, how: Fitting) -> RbmModel:
        """Train machine after machine, each for `plan`, and keep the averages of their weights."""
        chosen, coder = TrainPlan(**how.plan), self.encoding_of(train, how.encoding)
        codes = coder.encode(train)
        source, machines = Rows(codes, train.subjects), list[Boltzmann]()
        for i in range(self.machines if source.values.numel() else 0):
            objective = self._objective(source.values, coder.sizes, tuple(machines), rng=how.rng)
            for tick in train_loop(
                objective, source, Plain(), chosen, rng=how.rng, resume=how.checkpoint(f"machine-{i}")
            ):
                if how.watch is not None:
                    done, all_steps = i * chosen.steps, self.machines * chosen.steps
                    how.watch(replace(tick, step=done + tick.step, steps=all_steps))
            machines.append(objective.machine)
        return self._model(coder, shares_of(codes, coder.sizes), tuple(machines))

    def _objective(
        self, codes: torch.Tensor, sizes: np.ndarray, below: tuple[Boltzmann, ...], *, rng: np.random.Generator
    ) -> Contrast:
        """The next machine above `below`, with its biases and its chains at the shares of what it will see."""
        seen = ascend(below, codes[:SEEN], noise_of(rng)) if below else codes
        sizes = np.full(seen.shape[1], 2) if below else sizes
        shares = shares_of(seen.numpy(), sizes)
        machine = Boltzmann(sizes, hidden=self.hidden)
        machine.start(np.log(np.maximum(np.concatenate(shares), 1 / (2 * len(seen)))), rng=rng)
        chains = torch.from_numpy(pick(shares, rng.random((CHAINS, len(shares)))))
        return Contrast(machine, chains, steps=self.contrast, persistent=self.persistent, below=below)

    def _model(self, encoding: Encoding, shares: tuple[np.ndarray, ...], machines: tuple[Boltzmann, ...]) -> RbmModel:
        return RbmModel(encoding, self.to_json(), shares, machines)

    @classmethod
    def load(cls, folder: Path) -> RbmModel:
        """The inverse of `save`."""
        encoding, options, arrays = saved(folder)
        shares, sizes = split_by_sizes(arrays.pop("shares"), encoding.sizes), encoding.sizes
        machines = []
        for i in range(len({name.partition(".")[0] for name in arrays})):
            hidden = arrays[f"{i}.weight"].shape[1]
            machines.append(Boltzmann(sizes, hidden=hidden))
            own = {name: torch.from_numpy(arrays[f"{i}.{name}"]) for name in machines[-1].state_dict()}
            machines[-1].load_state_dict(own)
            sizes = np.full(hidden, 2)
        return cls(**options)._model(encoding, shares, tuple(machines))


@dataclass(frozen=True)
class RbmModel(CodedModel):
    """The share of every code of every column, and the trained machines, the one over the columns first."""

    shares: tuple[np.ndarray, ...]
    machines: tuple[Boltzmann, ...]
    card: ClassVar[Card] = CARD
    chunk: ClassVar[int] = 512

    def draw(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes, each from a chain of its own that begins at independent columns."""
        begun = pick(self.shares, rng.random((n, len(self.shares))))
        if not self.machines:
            return begun
        return dream(self.machines, torch.from_numpy(begun), noise_of(rng), steps=self.options["burn"]).numpy()

    def arrays(self) -> dict[str, np.ndarray]:
        """The shares, one column after the other, and the weights of each machine under its number."""
        weights = {
            f"{i}.{name}": value.detach().numpy()
            for i, machine in enumerate(self.machines)
            for name, value in machine.named_parameters()
        }
        return {"shares": np.concatenate([*self.shares, np.zeros(0)]), **weights}
