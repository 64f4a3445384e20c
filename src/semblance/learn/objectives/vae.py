"""The evidence lower bound of mixed records (Kingma & Welling, ICLR 2014; Xu et al., TVAE, NeurIPS 2019).

A number is Gaussian around the decoder's mean with a learned spread, a choice has the decoder's logits. Both are drawn
when a record is sampled: the mean alone would be too certain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch.func import functional_call

from semblance.learn.nets.variational import Variational
from semblance.learn.noise import noise_of
from semblance.learn.packed import Layout
from semblance.learn.rows import held_out
from semblance.learn.trainer import Turn

PART = 4096


def divergence(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """(n,) Kullback-Leibler divergence of N(mean, exp(log_variance)) from N(0, 1), in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)


def gaussian(x: torch.Tensor, mean: torch.Tensor, log_std: torch.Tensor) -> torch.Tensor:
    """Minus the log-density of `x` under N(mean, exp(log_std)^2), entry by entry."""
    return 0.5 * ((x - mean) / log_std.exp()).square() + log_std + 0.5 * math.log(2 * math.pi)


class Bound:
    """Loss and sampling of a Variational network over packed records. Numbers that are not there cost nothing."""

    def __init__(self, net: Variational, layout: Layout, *, aside: torch.Tensor | None = None) -> None:
        self.net, self.layout, self.aside = net, layout, aside

    def start(self, packed: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights; choices start at their shares in (n, spans) records."""
        self.net.start(self.layout.log_shares(packed), rng=rng)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """One loss moves all weights."""
        return (Turn("records", self.loss, tuple(self.net.parameters())),)

    def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) minus the evidence lower bound of (n, spans) packed records, in nats."""
        return self._loss(dict(self.net.named_parameters()), batch, noise)

    def _loss(self, weights: Mapping[str, torch.Tensor], batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        numbers, rows = self.layout.split(batch)
        normal = torch.randn((len(batch), self.net.latent), generator=noise)
        mean, logits, log_std, of_latent, log_variance = functional_call(
            self.net, dict(weights), (numbers, rows, normal)
        )
        error = (gaussian(numbers, mean, log_std) * self.layout.present(rows)).sum(1)
        return error + self.layout.surprise(logits, rows).sum(1) + divergence(of_latent, log_variance)

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """Mean of minus the bound on the records kept aside, with the same noise at every look."""
        return held_out(self.aside, lambda rows, noise: self._loss(weights, rows, noise), part=PART)

    @torch.no_grad()
    def sample(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, spans) packed records."""
        noise = noise_of(rng)
        mean, logits = self.net.decode(torch.randn((n, self.net.latent), generator=noise))
        numbers = mean + self.net.log_std.clamp(min=-5).exp() * torch.randn(mean.shape, generator=noise)
        drawn = [self.layout.draw(logits, j, noise) for j in range(self.layout.choices)]
        rows = torch.stack(drawn, 1) if drawn else torch.zeros((n, 0), dtype=torch.int64)
        return self.layout.join(numbers, rows).numpy()
