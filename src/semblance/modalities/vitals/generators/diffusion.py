"""Diffusion over the vectors of stays, given their outcome."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from semblance.core.model import Card, Plan
from semblance.core.rng import root_of, stream
from semblance.learn.drawn import Drawer, Fitting, Learned
from semblance.learn.nets.conditioned import Conditioned, Parts
from semblance.learn.network import Network, Sampler
from semblance.learn.objectives.guided import Guided
from semblance.learn.trainer import TrainPlan
from semblance.learn.whitening import Coloured, Whitening, parted
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.encoding.code import Code
from semblance.modalities.vitals.encoding.encoding import Encoding
from semblance.modalities.vitals.encoding.public import PublicEncoding
from semblance.modalities.vitals.generators.private import PrivateSpec

CARD = Card(
    name="diffusion",
    private=True,
    conditional=True,
    summary="what is measured in a stay, when, and what is known of it, denoised together given the outcome",
    paper="Karras et al., EDM, NeurIPS 2022; Tipping & Bishop, Probabilistic Principal Components, JRSS B 1999",
    needs=("torch",),
)


@dataclass(frozen=True)
class Diffusion(PrivateSpec):
    """A denoiser of the vectors of stays, whitened by outcome: their covariance is not to be learned."""

    width: int = 256
    """Width of the network."""
    depth: int = 3
    """Its residual blocks."""
    steps: int = 24
    """Steps of a sample."""
    aside: float = 0.1
    """Share of patients kept aside to stop early; of fewer than 20 none is."""
    epochs: int = 200
    """At most so many passes over the stays, however large the budget."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = TrainPlan(steps=0, batch=128, rate=1e-3, weight_decay=0.05)

    def objective(self, parts: Parts, aside: torch.Tensor | None) -> Sampler:
        """The denoiser and its loss."""
        return Guided(Conditioned(parts, width=self.width, blocks=self.depth), steps=self.steps, aside=aside)

    def plainly(self, encoding: PublicEncoding, arrays: Mapping[str, np.ndarray]) -> Drawer:
        """A network that learned under differential privacy: its numbers are whitened by what is counted."""
        return self._network.restored(encoding.sizes, arrays)

    @property
    def _network(self) -> Network:
        return Network(self.objective, self.aside)

    def apart(self, parts: Parts) -> Guided:
        """Each stay has a time of its own."""
        return Guided(Conditioned(parts, width=self.width, blocks=self.depth), steps=self.steps, even=False)

    def plan(self, train: Stays, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """Seconds (default 60) turned into steps: vectors are made once, and a few steps are tried."""
        if train.schema.public:
            return self.plan_privately(train, rng=rng, time_budget=time_budget)
        budget, begun, seed = 60.0 if time_budget is None else time_budget, time.monotonic(), root_of(rng)
        _, learned = self.encoded(train, rng=stream(seed, "encoding"))
        learned = Whitening.fit(learned).whitened(learned)
        return self._network.plan(learned, self.base, epochs=self.epochs, budget=budget, begun=begun, seed=seed)

    def learn(self, learned: Learned, encoding: Encoding, how: Fitting) -> Drawer:
        """Train for the plan. Raises DataError where training diverges."""
        white = Whitening.fit(learned)
        return Coloured(self._network.learn(white.whitened(learned), how), white)

    @classmethod
    def drawer(cls, options: Mapping[str, Any], encoding: Code, arrays: Mapping[str, np.ndarray]) -> Drawer:
        """The trained network."""
        if isinstance(encoding, PublicEncoding):
            return cls(**options).plainly(encoding, arrays)
        inner, white = parted(arrays)
        return Coloured(cls(**options)._network.restored(encoding.sizes, inner), white)
