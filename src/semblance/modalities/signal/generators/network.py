"""What generators with a network share: it is trained on pieces' numbers, and saved as its weights."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from semblance.core.model import Plan
from semblance.core.rng import root_of, stream
from semblance.learn.drawn import Fitting, Learned, Sizes
from semblance.learn.nets.conditioned import Parts
from semblance.learn.network import Drawn, Network, Phase, Sampler, parts_of, phases_of
from semblance.learn.trainer import TrainPlan
from semblance.modalities.signal.data import Recordings
from semblance.modalities.signal.generators.recorder import Recorder, RecorderSpec, Waves

__all__ = ["NetworkSpec", "Sampler"]


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
        return parts_of(sizes)

    def phases(self, objective: Any) -> tuple[Phase, ...]:
        """The parts of training, one after the other, as the objective says; the last takes the steps that are left."""
        return phases_of(objective)

    def seen(self, learned: Learned) -> Learned:
        """Pieces as the network sees them."""
        return learned

    @staticmethod
    def told(drawn: Drawn, leads: int) -> Waves:
        """What a trained network draws, as numbers of pieces of so many leads: the way back from `seen`."""
        return drawn

    def plan(self, train: Recordings, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """Seconds (default 60) turned into steps: what is learned is prepared once, and a few steps are tried."""
        budget, begun, seed = 60.0 if time_budget is None else time_budget, time.monotonic(), root_of(rng)
        _, learned = Recorder.fit(train, self, rng=stream(seed, "encoding"))
        return self._network.plan(
            self.seen(learned), self.base, epochs=self.epochs, budget=budget, begun=begun, seed=seed
        )

    @property
    def _network(self) -> Network:
        return Network(self.objective, self.aside, self.parts, self.phases)

    def learn(self, learned: Learned, how: Fitting) -> Waves:
        """Train for the plan. Raises DataError where training diverges."""
        return self.told(self._network.learn(self.seen(learned), how), learned.channels)

    @classmethod
    def waves(cls, options: Mapping[str, Any], sizes: Sizes, arrays: Mapping[str, np.ndarray]) -> Waves:
        """The trained network."""
        return cls.told(cls(**options)._network.restored(sizes, arrays), sizes.channels)
