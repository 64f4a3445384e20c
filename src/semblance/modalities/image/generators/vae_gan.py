"""VAE/GAN: an autoencoder of images that are compared as the critic of a GAN sees them, told the label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from semblance.core.model import Card
from semblance.learn.nets.autoencoder import Encoder
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.pyramid import Critic, Maker
from semblance.learn.network import Sampler
from semblance.learn.objectives.similar import Similar, Trio
from semblance.modalities.image.generators.adversarial import AdversarialSpec

CARD = Card(
    name="vae_gan",
    conditional=True,
    summary="an autoencoder whose images are compared as a critic sees them, sharper than a vae: a comparator",
    paper="Larsen, Sonderby, Larochelle & Winther, Autoencoding beyond Pixels, ICML 2016",
    needs=("torch",),
)


@dataclass(frozen=True)
class VaeGan(AdversarialSpec):
    """An autoencoder against a critic."""

    latent: int = 32
    """Width of the latent."""
    weight: float = 1.0
    """Of the errors of decoded images beside the contest: more keeps nearer to real images, less makes sharper ones."""
    card: ClassVar[Card] = CARD

    def objective(self, shape: tuple[int, ...], parts: Parts, aside: torch.Tensor | None) -> Sampler:
        """All three, and what they lose."""
        made = Maker(parts, shape, width=self.channels, latent=self.latent)
        encoder = Encoder(parts, shape, width=self.channels, latent=self.latent)
        net = Trio(made, Critic(parts, shape, width=self.channels), encoder)
        return Similar(net, parts, weight=self.weight, **self.played(shape, aside))
