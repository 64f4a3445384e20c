"""What generators with a network share: it is trained on pieces' numbers, and saved as its weights."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

import numpy as np
import torch

from semblance.core.model import Plan
from semblance.core.rng import root_of, stream
from semblance.learn.nets.conditioned import Parts
from semblance.learn.pace import steps_within, within_epochs
from semblance.learn.rows import Rows, kept_aside
from semblance.learn.trainer import Objective, TrainPlan, train_to_end
from semblance.modalities.signal.data import Recordings
from semblance.modalities.signal.generators.recorder import Fitting, Recorder, RecorderSpec, Waves
from semblance.modalities.signal.parts import Learned, Sizes

FEWEST, LOOKS = 1000, 60
BALANCE = 0.5
"""Kinds are learned as often as the number of their pieces to this power: rare ones oftener than they come."""


class Sampler(Objective, Protocol):
    """An objective whose network draws pieces."""

    def start(self, batch: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights; (n, width) rows say where they start."""
        ...

    def sample(self, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, numbers) of pieces of (n,) kinds, given (n, given) numbers."""
        ...


@dataclass(frozen=True)
class NetworkSpec(RecorderSpec):
    """A network over the numbers of pieces. Subclasses say which (`objective`), and where its plan starts."""

    aside: float = 0.05
    """Share of patients kept aside to stop early; of fewer than 20 none is."""
    epochs: int = 200
    """At most so many passes over the pieces, however large the budget."""
    base: ClassVar[TrainPlan]
    planned: ClassVar[type] = TrainPlan

    def objective(self, parts: Any, aside: torch.Tensor | None) -> Sampler:
        """The network, its weights not drawn yet, and its loss."""
        raise TypeError(f"{type(self).__name__} does not say what is trained")

    def parts(self, sizes: Sizes) -> Parts:
        """What stands in a row that is learned."""
        return Parts(sizes.numbers, sizes.given, sizes.kinds)

    def kept(self, objective: Any) -> torch.nn.Module:
        """What is saved: all that draws."""
        net: torch.nn.Module = objective.net
        return net

    def plan(self, train: Recordings, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """Seconds (default 60) turned into steps: what is learned is prepared once, and a few steps are tried."""
        budget, begun, seed = 60.0 if time_budget is None else time_budget, time.monotonic(), root_of(rng)
        _, learned = Recorder.fit(train, self, rng=stream(seed, "encoding"))
        objective, source = self._work(learned, stream(seed, "work"))
        steps = steps_within(objective, source, self.base, rng=stream(seed, "probe"), begun=begun, budget=budget)
        most = within_epochs(steps, epochs=self.epochs, records=len(source), batch=self.base.batch, fewest=FEWEST)
        return replace(self.base, steps=most, look=max(20, most // LOOKS)).to_json()

    def learn(self, learned: Learned, how: Fitting) -> Waves:
        """Train for the plan. Raises DataError where training diverges."""
        seed = root_of(how.rng)
        objective, source = self._work(learned, stream(seed, "work"))
        checkpoint = None if how.resume is None else how.resume / "training.safetensors"
        plan, rng = TrainPlan(**how.plan), stream(seed, "training")
        train_to_end(objective, source, plan, rng=rng, watch=how.watch, resume=checkpoint)
        return Drawn(objective, self.kept(objective))

    def _work(self, learned: Learned, rng: np.random.Generator) -> tuple[Sampler, Rows]:
        """The network at its start, and what it learns from."""
        parts = self.parts(learned.sizes)
        rows = parts.join(learned.coefficients, learned.given, learned.labels)
        aside = kept_aside(learned.subjects, share=self.aside, rng=rng)
        objective = self.objective(parts, torch.from_numpy(rows[aside]) if aside.any() else None)
        objective.start(rows, rng=rng)
        often = _often(learned.labels[~aside])
        return objective, Rows(rows[~aside][often], learned.subjects[~aside][often])

    @classmethod
    def waves(cls, options: Mapping[str, Any], sizes: Sizes, arrays: Mapping[str, np.ndarray]) -> Waves:
        """The trained network."""
        spec = cls(**options)
        objective = spec.objective(spec.parts(sizes), None)
        net = spec.kept(objective)
        net.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
        return Drawn(objective, net)


def _often(labels: np.ndarray) -> np.ndarray:
    """Positions of pieces, those of rare kinds repeatedly."""
    count = np.bincount(labels)
    repeats = np.round((count.max() / np.maximum(count, 1)) ** (1 - BALANCE)).astype(np.int64)
    return np.repeat(np.arange(len(labels)), repeats[labels])


@dataclass(frozen=True, eq=False)
class Drawn:
    """A trained network, and what is kept of it."""

    objective: Sampler
    net: torch.nn.Module

    def draw(self, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) numbers of pieces."""
        return self.objective.sample(given, labels, rng=rng)

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights."""
        return {name: weight.detach().numpy() for name, weight in self.net.state_dict().items()}
