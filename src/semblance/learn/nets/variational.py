"""The encoder and the decoder of a variational autoencoder over packed records.

The first layer of the encoder looks choices up in a table of rows: the same as a linear layer over one-hots.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn.functional import embedding_bag, relu

from semblance.learn.nets.mlp import Mlp, linear, start
from semblance.learn.noise import noise_of
from semblance.learn.packed import Layout


class Variational(nn.Module):
    """Records to the mean and log-variance of their `latent`, and a latent to the records' mean, logits and spread."""

    def __init__(self, layout: Layout, *, widths: Sequence[int], latent: int) -> None:
        super().__init__()
        self.numbers = linear(layout.numbers, widths[0])
        self.rows = nn.Parameter(torch.empty(layout.total, widths[0]))
        self.deep = Mlp(widths[0], widths[1:], 2 * latent, activation=relu)
        self.decoder = Mlp(latent, widths, layout.numbers + layout.total, activation=relu)
        self.log_std = nn.Parameter(torch.zeros(layout.numbers))
        self.latent = latent

    def start(self, log_shares: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights from `rng`; choices start at their `log_shares` (total,), all spreads at 0.1."""
        start(self, rng=rng)
        noise = noise_of(rng)
        last = self.decoder.layers[-1]
        assert isinstance(last, nn.Linear)
        with torch.no_grad():
            self.rows.normal_(0, 0.1, generator=noise)
            last.bias.zero_()[len(self.log_std) :] = torch.from_numpy(log_shares)
            self.log_std.fill_(float(np.log(0.1)))

    def encode(self, numbers: torch.Tensor, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, latent) mean and log-variance."""
        h = self.numbers(numbers)
        if rows.shape[1]:
            h = h + embedding_bag(rows, self.rows, mode="sum")
        mean, log_variance = self.deep(relu(h)).chunk(2, 1)
        return mean, log_variance.clamp(-10, 10)

    def decode(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, numbers) means and (n, total) logits."""
        out = self.decoder(z)
        return out[:, : len(self.log_std)], out[:, len(self.log_std) :]

    def forward(
        self, numbers: torch.Tensor, rows: torch.Tensor, normal: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Means, logits, log standard deviations, and the latent's mean and log-variance, at the latent drawn with
        `normal` (n, latent)."""
        mean, log_variance = self.encode(numbers, rows)
        return *self.decode(mean + (log_variance / 2).exp() * normal), self.log_std.clamp(min=-5), mean, log_variance
