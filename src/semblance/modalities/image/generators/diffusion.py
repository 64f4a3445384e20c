"""Diffusion of pixels, given the label: a U-Net that learns how images differ from Gaussian ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import torch

from semblance.core.model import Card
from semblance.learn.components import Components
from semblance.learn.drawn import Learned
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.unet import UNet
from semblance.learn.network import Build, Sampler
from semblance.learn.objectives.conditional import some_of
from semblance.learn.objectives.guided import Focused
from semblance.learn.trainer import TrainPlan
from semblance.modalities.image.generators.network import LOOKED
from semblance.modalities.image.generators.private import PrivateSpec

CARD = Card(
    name="diffusion",
    private=True,
    conditional=True,
    summary="pixels denoised by a U-Net that begins from Gaussian images of the label; planes and volumes",
    paper="Karras et al., EDM, NeurIPS 2022; Lu et al., DPM-Solver++, 2022; Ho & Salimans, Guidance, 2022",
    needs=("torch",),
)
PART = 64
"""Images kept aside that are looked at together."""


@dataclass(frozen=True)
class Diffusion(PrivateSpec):
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
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = TrainPlan(steps=0, batch=32, rate=2e-3, weight_decay=0.01, ema=0.998)

    def objective(
        self, shape: tuple[int, ...], parts: Parts, aside: torch.Tensor | None, found: Components | None = None
    ) -> Sampler:
        """The denoiser and its loss; of what was `found` it is told before it learns."""
        net = UNet(parts, shape, width=self.channels, blocks=self.blocks, components=self.components, found=found)
        aside = some_of(aside, LOOKED)
        return Focused(net, steps=self.steps, guidance=self.guidance, aside=aside, part=PART, alone=True)

    def begun(self, learned: Learned, shape: tuple[int, ...], *, rng: np.random.Generator) -> Build:
        """From Gaussian images with the components of real ones."""
        rows, most = learned.coefficients, min(self.components, self.behind(learned))
        found = Components.fit(rows, learned.labels, kinds=learned.kinds, most=most, rng=rng)
        return partial(self.objective, shape, found=found)

    def apart(self, shape: tuple[int, ...], parts: Parts) -> Sampler:
        """Each image has a time of its own, and nothing is known of Gaussian ones but how far apart they may be."""
        net = UNet(parts, shape, width=self.channels, blocks=self.blocks, components=self.components)
        # Noise begins where it hides images that are bright or dark as a whole, whatever theirs is.
        net.gaussian.variances.fill_(parts.numbers / 4)
        return Focused(net, steps=self.steps, guidance=self.guidance, even=False, alone=True)
