"""A variational autoencoder of images, given the label.

It learns fast and keeps the whole variety; its images are smooth, since what the latent does not tell is averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from semblance.core.model import Card
from semblance.learn.nets.autoencoder import Autoencoder
from semblance.learn.nets.conditioned import Parts
from semblance.learn.network import Sampler
from semblance.learn.objectives.autoencoding import Calibrated
from semblance.learn.objectives.conditional import some_of
from semblance.learn.trainer import TrainPlan
from semblance.modalities.image.generators.network import LOOKED
from semblance.modalities.image.generators.private import PrivateSpec

CARD = Card(
    name="vae",
    private=True,
    conditional=True,
    summary="a convolutional variational autoencoder: quick and varied, and smoother than real images",
    paper="Kingma & Welling, Auto-Encoding Variational Bayes, ICLR 2014; spread of pixels of Rybkin et al., ICML 2021",
    needs=("torch",),
)


@dataclass(frozen=True)
class Vae(PrivateSpec):
    """A variational autoencoder."""

    channels: int = 8
    """Channels of both sides where an image is widest; twice as many at each half, up to eight times."""
    latent: int = 32
    """Width of the latent."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = TrainPlan(steps=0, batch=32, rate=2e-3, weight_decay=0.0, ema=0.99)

    def objective(self, shape: tuple[int, ...], parts: Parts, aside: torch.Tensor | None) -> Sampler:
        """Both sides and their loss."""
        net = Autoencoder(parts, shape, width=self.channels, latent=self.latent)
        return Calibrated(net, parts, aside=some_of(aside, LOOKED))

    def apart(self, shape: tuple[int, ...], parts: Parts) -> Sampler:
        """The same: each image has a loss of its own."""
        return self.objective(shape, parts, None)
