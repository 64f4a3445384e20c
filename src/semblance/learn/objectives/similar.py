"""An autoencoder whose images are compared as a critic sees them (VAE/GAN: Larsen, Sonderby, Larochelle & Winther,
Autoencoding beyond Pixels using a Learned Similarity Metric, ICML 2016).

The critic is shown real images, decoded ones and images made of noise alone. What it sees of an image half way stands
in the place of pixels: there the encoder and the decoder are to keep it, and an edge that moved costs little.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.func import functional_call

from semblance.learn.nets.autoencoder import Encoder
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.pyramid import Critic, Maker
from semblance.learn.objectives.conditional import Conditional
from semblance.learn.objectives.gan import NonSaturating, Players, Scene
from semblance.learn.objectives.vae import divergence
from semblance.learn.trainer import Turn

DEPTH = 2
"""After so many halvings images are compared."""


class Trio(Players):
    """A maker that also decodes, its critic, and an encoder."""

    def __init__(self, maker: Maker, critic: Critic, encoder: Encoder) -> None:
        super().__init__(maker, critic)
        self.encoder = encoder


class Similar(Conditional):
    """Losses of a Trio. The maker loses its images' errors `weight` times beside the contest (the paper's gamma)."""

    net: Trio

    def __init__(self, net: Trio, parts: Parts, *, weight: float, **more: Any) -> None:
        super().__init__(net, parts, NonSaturating(), **more)
        self.weight = weight
        *critics, maker = self.turns
        self.turns = (*critics, Turn("encoder", self.encoding, tuple(net.encoder.parameters())), maker)

    def encoding(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) minus the evidence lower bound, in nats: the critic's sight of an image is Gaussian, of variance 1."""
        mean, log_variance = self.net.encoder(batch)
        z = mean + (log_variance / 2).exp() * torch.randn(mean.shape, generator=noise)
        made = functional_call(self.net.generator, _still(self.net.generator), (batch, noise, z))
        return self._errors(batch, made).sum(1) + divergence(mean, log_variance)

    def _scene(self, batch: torch.Tensor, noise: torch.Generator) -> Scene:
        """Of every second generated image, by chance, something real stands behind it."""
        with torch.no_grad():
            mean, log_variance = self.net.encoder(batch)
        z = mean + (log_variance / 2).exp() * torch.randn(mean.shape, generator=noise)
        decoded, free = self.net.generator(batch, noise, z), self.net.generator(batch, noise)
        made = torch.where(torch.rand((len(batch), 1), generator=noise) < 0.5, decoded, free)
        error = self.weight * self._errors(batch, decoded).mean(1) if torch.is_grad_enabled() else None
        return Scene(batch, self._told(made, batch), error)

    def _errors(self, batch: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
        """(n, width) half the squared errors of images as the critic sees them."""
        reader: torch.nn.Module = self.net.critic.reader  # type: ignore[assignment]
        seen = [functional_call(reader, _still(reader), (x, DEPTH)) for x in (batch, self._told(made, batch))]
        return (seen[1] - seen[0].detach()).square() / 2


def _still(net: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The weights of a network that is not to be moved."""
    return {name: weight.detach() for name, weight in net.named_parameters()}
