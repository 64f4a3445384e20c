"""Diffusion of images, given the label: where they lie along principal components, then the pixels of what is left; of
large images the same of their latents."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch

from semblance.core.errors import DataError, UsageError
from semblance.core.model import Card
from semblance.core.schema import Schema
from semblance.learn.components import Components
from semblance.learn.drawn import Learned, Sizes
from semblance.learn.nets.compressing import Compressor, Latents, Restorer, grid_of
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.subspace import Subspace
from semblance.learn.nets.translate import Patches
from semblance.learn.nets.unet import SIDE, UNet
from semblance.learn.network import Build, Drawn, Network, Sampler
from semblance.learn.objectives.inpainting import Inpainting
from semblance.learn.objectives.latent import Latent
from semblance.learn.objectives.subspace import Cascade
from semblance.learn.trainer import TrainPlan
from semblance.modalities.image.data import Images
from semblance.modalities.image.generators.device import OnDevice
from semblance.modalities.image.generators.network import LOOKED
from semblance.modalities.image.generators.private import PrivateSpec

CARD = Card(
    name="diffusion",
    private=True,
    conditional=True,
    summary="principal coordinates, then pixels, denoised by a network for each; completes images; planes and volumes",
    paper="Jing et al., Subspace Diffusion, ECCV 2022; Karras et al., EDM, NeurIPS 2022; Ho & Salimans, Guidance, 2022"
    "; Rombach et al., Latent Diffusion, CVPR 2022; Lipman et al., Flow Matching, ICLR 2023",
    needs=("torch",),
)
PART = 64
"""Images kept aside that are looked at together."""
LAYERS = 3
"""Layers of the critic of an autoencoder: a patch has 8 pixels a side, and what lies around."""


@dataclass(frozen=True)
class Diffusion(OnDevice, PrivateSpec):
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
    flow: bool = False
    """Whether noise becomes images along straight lines (flow matching), instead of as its size falls."""
    large: int = 256
    """Pixels of the longest side from which on images are compressed by an autoencoder, and its latents denoised."""
    latent: int = 4
    """Channels of these latents, which have at most 32 places a side."""
    card: ClassVar[Card] = CARD
    reads: ClassVar[bool] = True
    base: ClassVar[TrainPlan] = TrainPlan(
        steps=0, batch=32, rate=2e-3, weight_decay=0.03, ema=0.998, averages=(0.05, 0.1), patience=7
    )

    def objective(
        self,
        shape: tuple[int, ...],
        parts: Parts,
        aside: torch.Tensor | None,
        found: Components | None = None,
        records: Learned | None = None,
    ) -> Sampler:
        """The denoisers and their losses; before they learn they are told of what was `found`, or those of latents of
        the `records`."""
        if self._compresses(shape):
            return self._latent(shape, parts, aside, records)
        return self._cascade(shape, parts, found, aside)

    def _cascade(
        self,
        shape: tuple[int, ...],
        parts: Parts,
        found: Components | None = None,
        aside: torch.Tensor | None = None,
    ) -> Cascade:
        """Both denoisers of images of this shape, or of latents."""
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
        how: dict[str, Any] = {"steps": self.steps, "guidance": self.guidance, "flow": self.flow}
        return Cascade(net, **how, aside=aside, looked=LOOKED, part=PART)

    def _compresses(self, shape: tuple[int, ...]) -> bool:
        return max(shape[1:]) >= self.large

    def _latent(
        self, shape: tuple[int, ...], parts: Parts, aside: torch.Tensor | None, records: Learned | None
    ) -> Latent:
        """An autoencoder, and the denoisers of its latents."""
        sizes, grid = {"width": self.channels, "latent": self.latent}, grid_of(shape, self.latent)
        cascade = self._cascade(grid, replace(parts, numbers=math.prod(grid)))
        net = Latents(cascade.net, Restorer(shape, **sizes))
        critic = Patches(shape, width=max(self.channels // 4, 1), layers=LAYERS)
        return Latent(
            net, Compressor(shape, **sizes), critic, cascade, parts, records=records, rare=self.rare, aside=aside
        )

    def refuse_undeclared(self, schema: Schema) -> None:
        """Raise UsageError where what is public of images was not declared, or what is not there is asked for."""
        if self.flow:
            raise UsageError.of(
                "flow under differential privacy",
                rule="a network that is paid for learns as noise falls: principal components would have to be measured",
                fix="leave `flow` out",
            )
        if self.device == "cuda":
            raise UsageError.of(
                "device cuda under differential privacy",
                rule="gradients are clipped in the arithmetic of the CPU: a GPU may round what goes in to fewer digits",
                fix="leave the device out",
            )
        super().refuse_undeclared(schema)

    def refuse_unfit(self, train: Images) -> None:
        """Raise DataError where channels are given of images so large that they are compressed."""
        super().refuse_unfit(train)
        if train.layout.given and self._compresses(train.pixels.shape[1:]):
            raise DataError.of(
                f"channels that are given, and images of {max(train.pixels.shape[2:])} pixels a side",
                rule=f"images of {self.large} pixels and more are drawn whole: nothing of them is completed",
                fix="choose med_ddpm or pix2pix, resample the images, or set `large` above their side",
            )

    def begun(self, learned: Learned, form: Any, *, rng: np.random.Generator) -> Build:
        """With the principal components of all images, no more than have `rare` patients behind each, or of latents,
        which are not there yet."""
        if self._compresses(form):
            return partial(self.objective, form, records=learned)
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
        """The trained networks, or the one that learned privately, alone."""
        if "reach" not in arrays:
            return super().drawer(options, sizes, form, arrays)
        spec = cls(**options)
        return Network(lambda parts, _: spec.apart(form, parts), 0.0).restored(sizes, arrays)
