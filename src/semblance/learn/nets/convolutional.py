"""Convolutions over series: a generator that makes a short series longer, and a critic that makes one shorter.

Each layer is of 25 samples and changes the length by 4, as in WaveGAN (Donahue, McAuley & Puckette, ICLR 2019), which
took them from the two-dimensional ones of DCGAN (Radford, Metz & Chintala, ICLR 2016). Series of other lengths are made
a little longer, and cut.
"""

from __future__ import annotations

from itertools import pairwise
from math import log

import torch
from torch import nn
from torch.nn.functional import leaky_relu, relu
from torch.nn.utils import skip_init

from semblance.learn.nets.mlp import linear
from semblance.learn.nets.series import Series, Told

KERNEL, STRIDE, PADDING = 25, 4, 11
SHORTEST = 16
"""About so many samples long is what a generator begins with, and a critic ends with."""
SLOPE = 0.2


def layers_for(length: int) -> int:
    """How many layers lead from SHORTEST to `length` samples, or nearest to it."""
    return max(0, round(log(length / SHORTEST, STRIDE)))


class Rising(nn.Module):
    """Noise of width `latent` and what is told of a row -> (n, numbers); of `channels` before the last layer."""

    def __init__(self, parts: Series, *, channels: int, latent: int) -> None:
        super().__init__()
        self.parts, self.latent, self.told = parts, latent, Told(parts)
        count = layers_for(parts.length)
        widths = [channels * 2**i for i in reversed(range(count))] + [parts.channels]
        self.begin = widths[0], -(-parts.length // STRIDE**count)
        self.first = linear(latent + parts.told, widths[0] * self.begin[1])
        self.layers = nn.ModuleList(
            skip_init(nn.ConvTranspose1d, a, b, KERNEL, stride=STRIDE, padding=PADDING, output_padding=1)
            for a, b in pairwise(widths)
        )

    def forward(self, rows: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """The samples of a row are not looked at."""
        z = torch.randn((len(rows), self.latent), generator=noise)
        h = self.first(torch.cat([z, self.told(rows)], 1)).reshape(len(rows), *self.begin)
        for layer in self.layers:
            h = layer(relu(h))
        return h[:, :, : self.parts.length].flatten(1)


class Falling(nn.Module):
    """(n, width) rows -> (n, 1) scores; the first layer has so many `channels`, each further one twice as many."""

    def __init__(self, parts: Series, *, channels: int) -> None:
        super().__init__()
        self.parts, self.told = parts, Told(parts)
        widths = [parts.channels] + [channels * 2**i for i in range(layers_for(parts.length))]
        self.layers = nn.ModuleList(
            skip_init(nn.Conv1d, a, b, KERNEL, stride=STRIDE, padding=PADDING) for a, b in pairwise(widths)
        )
        # What is told is as good as further channels that never change, and costs nothing so.
        self.shift = linear(parts.told, widths[1]) if self.layers else None
        length = parts.length
        for _ in self.layers:
            length = (length + 2 * PADDING - KERNEL) // STRIDE + 1
        self.last = linear(widths[-1] * length + parts.told, 1)

    def forward(self, rows: torch.Tensor, noise: torch.Generator | None = None) -> torch.Tensor:
        h, told = self.parts.waves(rows), self.told(rows)
        for i, layer in enumerate(self.layers):
            h = layer(h)
            if i == 0 and self.shift is not None:
                h = h + self.shift(told)[:, :, None]
            h = leaky_relu(h, SLOPE)
        out: torch.Tensor = self.last(torch.cat([h.flatten(1), told], 1))
        return out
