"""Translation between contrasts of which pairs are known, with a critic of patches."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch

from semblance.core.model import Card, Plan
from semblance.core.rng import root_of
from semblance.learn.drawn import Fitting, Learned, Sizes
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.translate import Patches, Translation
from semblance.learn.network import Network, Sampler
from semblance.learn.objectives.conditional import some_of
from semblance.learn.objectives.paired import Pix2Pix as Paired
from semblance.learn.trainer import TrainPlan
from semblance.modalities.image.data import Images
from semblance.modalities.image.encode import Encoding
from semblance.modalities.image.generators.network import LOOKED
from semblance.modalities.image.generators.translator import Painter, Sides, Translator

CARD = Card(
    name="pix2pix",
    conditional=True,
    summary="a contrast from another, or pixels from a mask, by a U-Net and a critic of patches; needs pairs",
    paper="Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017",
    needs=("torch",),
)


@dataclass(frozen=True)
class Pix2Pix(Translator):
    """A translator that learns from pairs."""

    channels: int = 32
    """Channels of the network where it is widest in space; twice as many where it is half as large."""
    side: int = 32
    """Places a side, at most, on which the network works: pixels beyond are packed into channels."""
    layers: int = 3
    """Layers of the critic: a patch has 2 to this power pixels a side, and what lies around."""
    near: float = 100.0
    """Weight of the absolute difference from the real target, beside the critic's."""
    aside: float = 0.1
    """Share of patients kept aside to stop early; of fewer than 20 none is."""
    epochs: int = 400
    """At most so many passes over the images, however large the budget."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = TrainPlan(
        steps=0, batch=8, rate=1e-3, weight_decay=0.01, beta1=0.5, beta2=0.999, ema=0.995
    )

    def objective(self, sides: Sides, parts: Parts, aside: torch.Tensor | None) -> Sampler:
        """Both networks and their losses."""
        net = Translation(parts, sides.shapes[1], len(sides.source), width=self.channels, side=self.side)
        critic = Patches(sides.shape, width=self.channels, layers=self.layers)
        return Paired(net, critic, parts, near=self.near, aside=some_of(aside, LOOKED))

    def _network(self, sides: Sides, aside: float) -> Network:
        return Network(partial(self.objective, sides), aside, kept=lambda objective: objective.maker)

    def plan(self, train: Images, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """Seconds (default 60) turned into steps: a few are tried."""
        budget, begun, seed = 60.0 if time_budget is None else time_budget, time.monotonic(), root_of(rng)
        self.refuse_unfit(train)
        encoding, learned = Encoding.fit(train, rare=self.rare)
        sides = Sides.of(encoding)
        network = self._network(sides, self.aside)
        target = sides.parted(learned)[1]
        return network.plan(target, self.base, epochs=self.epochs, budget=budget, begun=begun, seed=seed)

    def paint(self, learned: Learned, sides: Sides, how: Fitting) -> Painter:
        """Train for the plan. Raises DataError where training diverges."""
        return self._network(sides, self.aside).learn(learned, how)

    @classmethod
    def painter(
        cls, options: Mapping[str, Any], sides: Sides, sizes: Sizes, arrays: Mapping[str, np.ndarray]
    ) -> Painter:
        """The trained network."""
        return cls(**options)._network(sides, 0.0).restored(sizes, arrays)
