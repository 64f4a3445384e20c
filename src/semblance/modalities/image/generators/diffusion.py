"""Diffusion of pixels, given the label: a U-Net that learns how images differ from Gaussian ones."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch

from semblance.core.model import Card, Plan
from semblance.core.rng import root_of, stream
from semblance.learn.components import Components
from semblance.learn.drawn import Drawer, Fitting, Learned, Sizes
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.unet import UNet
from semblance.learn.network import Network, Sampler
from semblance.learn.objectives.inpainting import Inpainting
from semblance.learn.trainer import TrainPlan
from semblance.modalities.image.data import Images
from semblance.modalities.image.encode import Encoding
from semblance.modalities.image.generators.completing import CompletingModel
from semblance.modalities.image.generators.painter import ImageModel, ImageSpec

CARD = Card(
    name="diffusion",
    conditional=True,
    summary="pixels denoised by a U-Net that begins from Gaussian images of the label; planes and volumes",
    paper="Karras et al., EDM, NeurIPS 2022; Lu et al., DPM-Solver++, 2022; Ho & Salimans, Guidance, 2022",
    needs=("torch",),
)
LOOKED, PART = 192, 64
"""Images kept aside that are looked at, at most: a look costs as much as some steps; and how many of them at once."""


@dataclass(frozen=True)
class Diffusion(ImageSpec):
    """A denoiser of images, given their label or nothing."""

    channels: int = 32
    """Channels of the network where it is widest in space; twice as many where it is half as large."""
    blocks: int = 1
    """Residual blocks at each size, on the way down, at the bottom and on the way up."""
    components: int = 64
    """Directions, at most, of the Gaussian from which it begins; fewer where there are few patients."""
    steps: int = 14
    """Steps of a sample."""
    guidance: float = 1.0
    """Above 1 images are more typical of their label, and vary less."""
    aside: float = 0.1
    """Share of patients kept aside to stop early; of fewer than 20 none is."""
    epochs: int = 400
    """At most so many passes over the images, however large the budget."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = TrainPlan(steps=0, batch=32, rate=2e-3, weight_decay=0.01, ema=0.998)

    def objective(
        self, shape: tuple[int, ...], found: Components | None, parts: Parts, aside: torch.Tensor | None
    ) -> Sampler:
        """The denoiser of images of this shape (channels, ...) and its loss."""
        aside = None if aside is None else aside[:: -(-len(aside) // LOOKED)]
        net = UNet(parts, shape, width=self.channels, blocks=self.blocks, components=self.components, found=found)
        return Inpainting(net, steps=self.steps, guidance=self.guidance, aside=aside, part=PART, alone=True)

    @classmethod
    def model(cls) -> type[ImageModel]:
        """It also completes images."""
        return CompletingModel

    def _network(self, learned: Learned, shape: tuple[int, ...], *, rng: np.random.Generator) -> Network:
        rows, most = learned.coefficients, min(self.components, self.behind(learned))
        found = Components.fit(rows, learned.labels, kinds=learned.kinds, most=most, rng=rng)
        return Network(partial(self.objective, shape, found), self.aside)

    def plan(self, train: Images, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """Seconds (default 60) turned into steps: a few are tried."""
        budget, begun, seed = 60.0 if time_budget is None else time_budget, time.monotonic(), root_of(rng)
        encoding, learned = Encoding.fit(train, rare=self.rare)
        network = self._network(learned, encoding.shape, rng=stream(seed, "components"))
        return network.plan(learned, self.base, epochs=self.epochs, budget=budget, begun=begun, seed=seed)

    def learn(self, learned: Learned, shape: tuple[int, ...], how: Fitting) -> Drawer:
        """Train for the plan. Raises DataError where training diverges."""
        seed = root_of(how.rng)
        network = self._network(learned, shape, rng=stream(seed, "components"))
        return network.learn(learned, Fitting(stream(seed, "network"), how.plan, how.watch, how.resume))

    @classmethod
    def drawer(
        cls, options: Mapping[str, Any], sizes: Sizes, shape: tuple[int, ...], arrays: Mapping[str, np.ndarray]
    ) -> Drawer:
        """The trained network."""
        return Network(partial(cls(**options).objective, shape, None), 0.0).restored(sizes, arrays)
