"""Convolutions over images of any number of axes: a maker that goes from few places to many, and a reader that goes
from many to few (in the manner of DCGAN: Radford, Metz & Chintala, ICLR 2016).

A maker enlarges by repeating places and then convolves (Odena, Dumoulin & Olah, Deconvolution and Checkerboard
Artifacts, Distill 2016): transposed convolutions, which the paper has, overlap unevenly and leave a pattern. A reader's
kernel is a multiple of its stride, so that no pattern is in its gradient either. Places are normalised over groups of
channels (Wu & He, ECCV 2018) rather than over the batch, so that each image has a loss of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import interpolate, leaky_relu, pad
from torch.nn.utils import skip_init

from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.mlp import linear
from semblance.learn.nets.series import Told
from semblance.learn.nets.unet import CONVS, Packing, conv, normed

FINEST, COARSEST = 32, 4
"""Places a side, at most, where there are most of them, and where there are fewest."""
WIDEST = 8
"""How many times as many channels there are, at most, as where there are most places."""
KERNEL, SLOPE = 4, 0.2


class Pyramid:
    """The sizes through which images of `shape` (channels, ...) grow, `grids` from the coarsest to the finest, and how
    many channels there are at each where the finest has `width`. Larger images are packed (see Packing)."""

    def __init__(self, shape: Sequence[int], width: int) -> None:
        self.packing = Packing.to_side(shape, FINEST)
        grids = [self.packing.grid]
        while max(grids[-1]) > COARSEST:
            grids.append(tuple(-(-side // 2) for side in grids[-1]))
        self.grids = tuple(reversed(grids))
        self.widths = tuple(width * min(2**i, WIDEST) for i in reversed(range(len(grids))))
        self.axes, self.channels = len(shape) - 1, self.packing.channels

    def images(self, rows: torch.Tensor) -> torch.Tensor:
        """(n, channels, *finest grid) of rows that begin with the pixels."""
        shape = self.packing.shape
        return self.packing.pack(rows[:, : math.prod(shape)].reshape(len(rows), *shape))

    def rows(self, images: torch.Tensor) -> torch.Tensor:
        """(n, numbers): the inverse."""
        return self.packing.unpack(images).flatten(1)


class Maker(nn.Module):
    """Noise of width `latent` and what is told of a row -> (n, numbers) pixels; `width` channels at the finest grid.

    Both scale and shift what is normalised at every grid (Chen et al., On Self Modulation for GANs, ICLR 2019)."""

    def __init__(self, parts: Parts, shape: Sequence[int], *, width: int, latent: int) -> None:
        super().__init__()
        self.latent = self.noise = latent
        self.told, self.pyramid = Told(parts), Pyramid(shape, width)
        inputs, widths = latent + parts.told, self.pyramid.widths
        self.first = linear(inputs, widths[0] * math.prod(self.pyramid.grids[0]))
        self.films = nn.ModuleList(linear(inputs, 2 * own) for own in widths)
        pairs = pairwise((widths[0], *widths))
        self.layers = nn.ModuleList(conv(self.pyramid.axes, a, b) for a, b in pairs)
        self.last = conv(self.pyramid.axes, widths[-1], self.pyramid.channels)

    def decode(self, z: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """(n, numbers) of (n, latent), given what is told of rows."""
        told, grids = torch.cat([z, self.told(rows)], 1), self.pyramid.grids
        h = self.first(told).reshape(len(rows), -1, *grids[0])
        for layer, film, grid in zip(self.layers, self.films, grids, strict=True):
            scale, shift = film(told).reshape(len(h), -1, *[1] * len(grid)).chunk(2, 1)
            h = layer(h if h.shape[2:] == grid else interpolate(h, size=grid))
            h = leaky_relu(normed(h) * (1 + scale) + shift, SLOPE)
        return self.pyramid.rows(self.last(h))

    def forward(self, rows: torch.Tensor, noise: torch.Generator, z: torch.Tensor | None = None) -> torch.Tensor:
        """Of a latent that is given, or from the standard normal distribution. The pixels of a row are not looked
        at."""
        return self.decode(torch.randn((len(rows), self.latent), generator=noise) if z is None else z, rows)


class Reader(nn.Module):
    """(n, width) rows -> (n, outputs) numbers of an image at its coarsest grid.

    What is told of a row shifts the first layer: as good as further channels that never change.
    """

    def __init__(self, parts: Parts, shape: Sequence[int], *, width: int) -> None:
        super().__init__()
        self.told, self.pyramid = Told(parts), Pyramid(shape, width)
        widths = self.pyramid.widths[::-1]
        self.first = conv(self.pyramid.axes, self.pyramid.channels, widths[0])
        self.shift = linear(parts.told, widths[0])
        self.layers = nn.ModuleList(halving(self.pyramid.axes, a, b) for a, b in pairwise(widths))
        self.outputs = widths[-1] * math.prod(self.pyramid.grids[0])

    def forward(self, rows: torch.Tensor, depth: int | None = None) -> torch.Tensor:
        """After so many of the layers that halve, or all of them."""
        shift = self.shift(self.told(rows)).reshape(len(rows), -1, *[1] * self.pyramid.axes)
        h = leaky_relu(self.first(self.pyramid.images(rows)) + shift, SLOPE)
        for layer in self.layers[:depth]:
            h = leaky_relu(normed(layer(pad(h, (1, 2) * self.pyramid.axes))), SLOPE)
        return h.flatten(1)


def halving(axes: int, inputs: int, outputs: int) -> nn.Module:
    """A convolution that leaves half of the places along each axis, rounded up, of an image padded by 1 and 2."""
    layer: nn.Module = skip_init(CONVS[axes], inputs, outputs, KERNEL, stride=2)
    return layer


class Critic(nn.Module):
    """(n, width) rows -> (n, 1) scores. What is told meets what is seen in an inner product (Miyato & Koyama, cGANs
    with Projection Discriminator, ICLR 2018)."""

    def __init__(self, parts: Parts, shape: Sequence[int], *, width: int) -> None:
        super().__init__()
        self.reader = Reader(parts, shape, width=width)
        self.any, self.each = linear(self.reader.outputs, 1), linear(self.reader.outputs, parts.told)

    def forward(self, rows: torch.Tensor, noise: torch.Generator | None = None) -> torch.Tensor:
        return self.score(self.reader(rows), rows)

    def score(self, seen: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """(n, 1) of what the reader says of rows."""
        out: torch.Tensor = self.any(seen) + (self.each(seen) * self.reader.told(rows)).sum(1, keepdim=True)
        return out
