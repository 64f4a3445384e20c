"""Variational autoencoders of rows: what a look and a sample are, whatever is lost; and the loss of images.

Of images the evidence lower bound is lost (Kingma & Welling, ICLR 2014) in which the spread of pixels around the
decoded image is learned, so that errors and divergence are weighed by the data and not by hand (Rybkin, Daniilidis &
Levine, Simple and Effective VAE Training with Calibrated Decoders, ICML 2021). It begins as wide as pixels are, so that
latents look like the prior before they tell much.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.func import functional_call

from semblance.learn.nets.conditioned import Parts
from semblance.learn.objectives.conditional import begin, drawn
from semblance.learn.objectives.vae import divergence, gaussian
from semblance.learn.rows import held_out
from semblance.learn.trainer import Turn

PART = 1024
LEAST = -5.0
"""The logarithm of the smallest spread of pixels around a decoded image, in units of that of their channel."""


class Autoencoding:
    """Training and sampling of a `net` with a `decoder`, over rows of `parts`. Drawn are the decoder's means."""

    def __init__(self, net: Any, parts: Parts, *, aside: torch.Tensor | None = None) -> None:
        self.net, self.parts, self.aside = net, parts, aside

    @property
    def maker(self) -> nn.Module:
        """What draws."""
        maker: nn.Module = self.net.decoder
        return maker

    @property
    def noise(self) -> int:
        """How many normal numbers a record is made of."""
        latent: int = self.net.decoder.latent
        return latent

    def start(self, batch: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights; (n, width) rows say where given numbers lie."""
        begin(self.net, batch, rng=rng)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """One loss moves all weights."""
        return (Turn("records", self.loss, tuple(self.net.parameters())),)

    def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) losses of (n, width) rows."""
        return self._loss(dict(self.net.named_parameters()), batch, noise)

    def _loss(self, weights: Mapping[str, torch.Tensor], batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        normal = torch.randn((len(batch), self.net.decoder.latent), generator=noise)
        made, mean, log_variance = functional_call(self.net, dict(weights), (batch, normal))
        return self.lost(weights, batch[:, : self.parts.numbers], made) + divergence(mean, log_variance)

    def lost(self, weights: Mapping[str, torch.Tensor], real: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
        """(n,) what is lost where rows (n, numbers) are decoded so."""
        raise TypeError(f"{type(self).__name__} does not say what is lost")

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """Mean loss on the records kept aside, with the same noise at every look."""
        return held_out(self.aside, lambda rows, noise: self._loss(weights, rows, noise), part=PART)

    @torch.no_grad()
    def sample(
        self, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator, start: np.ndarray | None = None
    ) -> np.ndarray:
        """(n, numbers) float32 for (n, given) numbers and (n,) classes, from latents, drawn where none `start` it."""
        if start is None:
            return drawn(self.maker, self.parts, given, labels, rng=rng)
        rows = self.parts.join(np.zeros((len(labels), self.parts.numbers)), given, labels)
        made: np.ndarray = self.net.decoder.decode(torch.from_numpy(np.float32(start)), torch.from_numpy(rows)).numpy()
        return made


class Calibrated(Autoencoding):
    """That of an Autoencoder of images: minus the evidence lower bound, in nats."""

    def lost(self, weights: Mapping[str, torch.Tensor], real: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
        """(n,) minus the log-density of pixels."""
        return gaussian(real, made, weights["log_std"].clamp(min=LEAST)).sum(1)
