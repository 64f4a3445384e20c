"""The loss of TimeVAE: squared errors, several times as heavy as the divergence of the latent (Desai et al. 2021)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn
from torch.func import functional_call

from semblance.learn.nets.series import Series
from semblance.learn.nets.timevae import TimeVae
from semblance.learn.objectives.conditional import begin, drawn
from semblance.learn.objectives.vae import divergence
from semblance.learn.rows import held_out
from semblance.learn.trainer import Turn

PART = 1024


class Decomposed:
    """Loss and sampling of a TimeVae over rows of a Series. Drawn are the decoder's means, as in the paper."""

    def __init__(self, net: TimeVae, parts: Series, *, weight: float = 3.0, aside: torch.Tensor | None = None) -> None:
        """`weight` is that of the squared errors."""
        self.net, self.parts, self.weight, self.aside = net, parts, weight, aside

    @property
    def maker(self) -> nn.Module:
        """What draws."""
        return self.net.decoder

    @property
    def noise(self) -> int:
        """How many normal numbers a record is made of."""
        return self.net.decoder.latent

    def start(self, batch: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights; (n, width) rows say where given numbers lie."""
        begin(self.net, batch, rng=rng)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """One loss moves all weights."""
        return (Turn("records", self.loss, tuple(self.net.parameters())),)

    def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) weighted squared error of (n, width) rows, and the divergence of their latents."""
        return self._loss(dict(self.net.named_parameters()), batch, noise)

    def _loss(self, weights: Mapping[str, torch.Tensor], batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        normal = torch.randn((len(batch), self.net.decoder.latent), generator=noise)
        made, mean, log_variance = functional_call(self.net, dict(weights), (batch, normal))
        error = (made - batch[:, : self.parts.numbers]).square().sum(1)
        return self.weight * error + divergence(mean, log_variance)

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
