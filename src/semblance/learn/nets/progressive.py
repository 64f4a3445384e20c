"""A maker and a critic of images that grow while they learn (Karras, Aila, Laine & Lehtinen, Progressive Growing of
GANs, ICLR 2018): first of images of a few places, then of finer ones, whose new layers fade in.

Each grid has one convolution, where the paper has two. Both sides are told the class.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import interpolate, leaky_relu

from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.equalised import EqualConv, EqualLinear, unit, varied
from semblance.learn.nets.pyramid import SLOPE, Pyramid
from semblance.learn.nets.series import Told


class Grown(nn.Module):
    """A side that has grown to the grid number `level` of its pyramid, of which `share` (0 to 1) counts; the rest is
    what the grid before says."""

    def __init__(self, parts: Parts, shape: Sequence[int], *, width: int) -> None:
        super().__init__()
        self.told, self.pyramid = Told(parts), Pyramid(shape, width)
        self.level, self.share = len(self.pyramid.grids) - 1, 1.0

    def mixed(self, before: torch.Tensor, now: torch.Tensor) -> torch.Tensor:
        """What the grid before says and what this one does."""
        return before + self.share * (now - before)


class Grower(Grown):
    """Noise of width `latent` and what is told of a row -> (n, numbers) pixels; `width` channels at the finest grid."""

    def __init__(self, parts: Parts, shape: Sequence[int], *, width: int, latent: int) -> None:
        super().__init__(parts, shape, width=width)
        self.latent = self.noise = latent
        axes, widths = self.pyramid.axes, self.pyramid.widths
        self.first = EqualLinear(latent + parts.told, widths[0] * math.prod(self.pyramid.grids[0]))
        self.layers = nn.ModuleList(EqualConv(axes, a, b) for a, b in pairwise((widths[0], *widths)))
        self.pixels = nn.ModuleList(EqualConv(axes, own, self.pyramid.channels, kernel=1) for own in widths)

    def images(self, rows: torch.Tensor, noise: torch.Generator, z: torch.Tensor | None = None) -> torch.Tensor:
        """(n, channels, *grid of its level), of a latent that is given, or drawn."""
        z = torch.randn((len(rows), self.latent), generator=noise) if z is None else z
        told, grids = torch.cat([unit(z), self.told(rows)], 1), self.pyramid.grids
        h = before = unit(leaky_relu(self.first(told), SLOPE)).reshape(len(rows), -1, *grids[0])
        for layer, grid in zip(self.layers[: self.level + 1], grids, strict=False):
            before = h
            h = unit(leaky_relu(layer(_sized(h, grid)), SLOPE))
        made: torch.Tensor = self.pixels[self.level](h)
        if self.share == 1 or self.level == 0:
            return made
        return self.mixed(_sized(self.pixels[self.level - 1](before), grids[self.level]), made)

    def forward(self, rows: torch.Tensor, noise: torch.Generator, z: torch.Tensor | None = None) -> torch.Tensor:
        """Of a maker that is grown up. The pixels of a row are not looked at."""
        return self.pyramid.rows(self.images(rows, noise, z))


class Examiner(Grown):
    """Rows that begin with an image of its level's grid -> (n, 1) scores; it sees how varied a batch is."""

    def __init__(self, parts: Parts, shape: Sequence[int], *, width: int) -> None:
        super().__init__(parts, shape, width=width)
        axes, widths = self.pyramid.axes, self.pyramid.widths
        self.pixels = nn.ModuleList(EqualConv(axes, self.pyramid.channels, own, kernel=1) for own in widths)
        self.layers = nn.ModuleList(EqualConv(axes, a, b) for b, a in pairwise(widths))
        self.whole = EqualConv(axes, widths[0] + 1, widths[0])
        seen = widths[0] * math.prod(self.pyramid.grids[0])
        self.any, self.each = EqualLinear(seen, 1), EqualLinear(seen, parts.told)

    def forward(self, rows: torch.Tensor, noise: torch.Generator | None = None) -> torch.Tensor:
        grids, top = self.pyramid.grids, self.level
        x = rows[:, : self.pyramid.channels * math.prod(grids[top])].reshape(len(rows), -1, *grids[top])
        h = leaky_relu(self.pixels[top](x), SLOPE)
        for level in range(top, 0, -1):
            h = halved(leaky_relu(self.layers[level - 1](h), SLOPE), grids[level - 1])
            if level == top and self.share < 1:
                h = self.mixed(leaky_relu(self.pixels[top - 1](halved(x, grids[top - 1])), SLOPE), h)
        seen = leaky_relu(self.whole(varied(h)), SLOPE).flatten(1)
        out: torch.Tensor = self.any(seen) + (self.each(seen) * self.told(rows)).sum(1, keepdim=True)
        return out


def halved(h: torch.Tensor, grid: tuple[int, ...]) -> torch.Tensor:
    """Means over places, so many of them as a coarser grid has."""
    return interpolate(h, size=grid, mode="area")


def _sized(h: torch.Tensor, grid: tuple[int, ...]) -> torch.Tensor:
    """Places repeated, to as many as a finer grid has."""
    return h if h.shape[2:] == grid else interpolate(h, size=grid)
