"""Diffusion of images, given the label: where they lie along principal components, then the pixels of what is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch

from semblance.core.model import Card
from semblance.learn.components import Components
from semblance.learn.drawn import Learned, Sizes
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.subspace import Subspace
from semblance.learn.nets.unet import SIDE, UNet
from semblance.learn.network import Build, Drawn, Network, Phase, Sampler
from semblance.learn.objectives.inpainting import Inpainting
from semblance.learn.objectives.subspace import Cascade
from semblance.learn.trainer import TrainPlan
from semblance.modalities.image.generators.completing import CompletingModel
from semblance.modalities.image.generators.network import LOOKED
from semblance.modalities.image.generators.painter import ImageModel
from semblance.modalities.image.generators.private import PrivateSpec

CARD = Card(
    name="diffusion",
    private=True,
    conditional=True,
    summary="principal coordinates, then pixels, denoised by a network for each; completes images; planes and volumes",
    paper="Jing et al., Subspace Diffusion, ECCV 2022; Karras et al., EDM, NeurIPS 2022; Ho & Salimans, Guidance, 2022",
    needs=("torch",),
)
PART = 64
"""Images kept aside that are looked at together."""


@dataclass(frozen=True)
class Diffusion(PrivateSpec):
    """A denoiser of images, given their label or nothing."""

    channels: int = 32
    """Channels of the network of pixels where it is widest in space; twice as many where it is half as large."""
    blocks: int = 1
    """Its residual blocks at each size, on the way down, at the bottom and on the way up."""
    hidden: int = 256
    """Width of the network of coordinates."""
    layers: int = 4
    """Its residual blocks."""
    components: int = 64
    """Principal components, at most; fewer where there are few patients."""
    steps: int = 10
    """Steps of a sample's pixels."""
    guidance: float = 1.0
    """Above 1 images are more typical of their label, and vary less."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = TrainPlan(steps=0, batch=32, rate=2e-3, weight_decay=0.03, ema=0.998)

    def objective(
        self, shape: tuple[int, ...], parts: Parts, aside: torch.Tensor | None, found: Components | None = None
    ) -> Sampler:
        """The denoisers and their losses; of what was `found` they are told before they learn."""
        net = Subspace(
            parts,
            shape,
            components=self.components,
            hidden=self.hidden,
            layers=self.layers,
            width=self.channels,
            blocks=self.blocks,
            side=SIDE,
            found=found,
        )
        return Cascade(net, steps=self.steps, guidance=self.guidance, aside=aside, looked=LOOKED, part=PART)

    def phases(self, objective: Any) -> tuple[Phase, ...]:
        """Coordinates, then pixels."""
        phases: tuple[Phase, ...] = objective.phases
        return phases

    @classmethod
    def model(cls) -> type[ImageModel]:
        """It also completes images."""
        return CompletingModel

    def begun(self, learned: Learned, form: Any, *, rng: np.random.Generator) -> Build:
        """With the principal components of all images, no more than have `rare` patients behind each."""
        alike = replace(learned, labels=np.zeros_like(learned.labels), kinds=1)
        found = Components.fit(alike, most=self.components, rare=self.rare, rng=rng)
        return partial(self.objective, form, found=found)

    def apart(self, shape: tuple[int, ...], parts: Parts) -> Sampler:
        """A U-Net alone, as principal components would have to be paid for. Each image has a time of its own, and
        nothing is known of Gaussian ones but how far apart they may be."""
        net = UNet(parts, shape, width=self.channels, blocks=self.blocks, components=self.components)
        # Noise begins where it hides images that are bright or dark as a whole, whatever theirs is.
        net.gaussian.variances.fill_(parts.numbers / 4)
        return Inpainting(net, steps=self.steps, guidance=self.guidance, even=False, alone=True)

    @classmethod
    def drawer(cls, options: Mapping[str, Any], sizes: Sizes, form: Any, arrays: Mapping[str, np.ndarray]) -> Drawn:
        """The trained networks, or the one that learned privately: it knows no components."""
        if "axes" in arrays:
            return super().drawer(options, sizes, form, arrays)
        spec = cls(**options)
        return Network(lambda parts, _: spec.apart(form, parts), 0.0).restored(sizes, arrays)
