"""The encoder and the decoder of TimeVAE (Desai, Freeman, Wang & Beaver, TimeVAE, 2021).

A wave is decoded as the sum of parts that can be read: its level, a polynomial trend, and a residual that transposed
convolutions make. Seasons, which the paper leaves to choice, are left out. So is its last dense layer over all samples
of all channels: of long pieces with many channels it would be most of the network.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import relu
from torch.nn.utils import skip_init

from semblance.learn.nets.mlp import Mlp, linear
from semblance.learn.nets.series import Series, Told

LAYERS, KERNEL, STRIDE = 3, 3, 2


class Encoder(nn.Module):
    """(n, width) rows -> (n, latent) mean and log-variance."""

    def __init__(self, parts: Series, *, channels: int, latent: int) -> None:
        super().__init__()
        self.parts, self.told = parts, Told(parts)
        widths = [parts.channels] + [channels * 2**i for i in range(LAYERS)]
        self.layers = nn.ModuleList(
            skip_init(nn.Conv1d, a, b, KERNEL, stride=STRIDE, padding=1) for a, b in pairwise(widths)
        )
        self.last = linear(widths[-1] * _shortest(parts.length) + parts.told, 2 * latent)

    def forward(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        h = self.parts.waves(rows)
        for layer in self.layers:
            h = relu(layer(h))
        mean, log_variance = self.last(torch.cat([h.flatten(1), self.told(rows)], 1)).chunk(2, 1)
        return mean, log_variance.clamp(-10, 10)


class Decoder(nn.Module):
    """A latent and what is told of a row -> (n, numbers): level, trend and residual together."""

    powers: torch.Tensor

    def __init__(self, parts: Series, *, channels: int, latent: int, trend: int) -> None:
        super().__init__()
        self.parts, self.latent, self.trend, self.told = parts, latent, trend, Told(parts)
        inputs, leads = latent + parts.told, parts.channels
        self.level = Mlp(inputs, (leads,), leads, activation=relu)
        self.slopes = Mlp(inputs, (leads * trend,), leads * trend, activation=relu)
        widths = [channels * 2**i for i in reversed(range(LAYERS))] + [leads]
        self.begin = widths[0], _shortest(parts.length)
        self.first = linear(inputs, self.begin[0] * self.begin[1])
        self.layers = nn.ModuleList(
            skip_init(nn.ConvTranspose1d, a, b, KERNEL, stride=STRIDE, padding=1, output_padding=1)
            for a, b in pairwise(widths)
        )
        time = torch.arange(parts.length) / parts.length
        self.register_buffer("powers", torch.stack([time ** (p + 1) for p in range(trend)]), persistent=False)

    def decode(self, z: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """(n, numbers) of (n, latent), given what is told of rows."""
        h = torch.cat([z, self.told(rows)], 1)
        n, leads = len(rows), self.parts.channels
        trend = self.slopes(h).reshape(n, leads, self.trend) @ self.powers
        residual = relu(self.first(h)).reshape(n, *self.begin)
        for i, layer in enumerate(self.layers):
            residual = layer(relu(residual) if i else residual)
        waves = self.level(h)[:, :, None] + trend + residual[:, :, : self.parts.length]
        return waves.flatten(1)

    def forward(self, rows: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """Of a latent from the standard normal distribution. The samples of a row are not looked at."""
        return self.decode(torch.randn((len(rows), self.latent), generator=noise), rows)


class TimeVae(nn.Module):
    """Both, which are trained together."""

    def __init__(self, parts: Series, *, channels: int, latent: int, trend: int) -> None:
        super().__init__()
        self.encoder = Encoder(parts, channels=channels, latent=latent)
        self.decoder = Decoder(parts, channels=channels, latent=latent, trend=trend)

    def forward(self, rows: torch.Tensor, normal: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(n, numbers) decoded at the latent drawn with `normal` (n, latent), and its mean and log-variance."""
        mean, log_variance = self.encoder(rows)
        return self.decoder.decode(mean + (log_variance / 2).exp() * normal, rows), mean, log_variance


def _shortest(length: int) -> int:
    """Samples after all layers of the encoder."""
    return -(-length // STRIDE**LAYERS)
