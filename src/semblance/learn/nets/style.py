"""A maker of images that is driven by style, and its critic (Karras, Laine & Aila, CVPR 2019; in the form of Karras et
al., Analyzing and Improving the Image Quality of StyleGAN, CVPR 2020).

A mapping network turns noise and what is told into a style. From a constant, convolutions whose weights the style
scales draw an image: coarse places first, with noise of their own at every grid, and pixels summed over the grids. Left
out of the paper are the mixing of styles and the regularisation of path lengths; each grid has one convolution instead
of two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import interpolate, leaky_relu, pad

from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.equalised import CONVOLVED, TINY, Equal, EqualConv, EqualLinear, unit, varied
from semblance.learn.nets.mlp import Own
from semblance.learn.nets.pyramid import KERNEL, SLOPE, Pyramid
from semblance.learn.nets.series import Told

LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}
MAPPED, SLOW = 2, 0.1
"""Layers of the mapping network, and how much slower they learn."""
GAIN = math.sqrt(2)


def lively(h: torch.Tensor) -> torch.Tensor:
    """What a layer passes on, about as large as what came in."""
    return GAIN * leaky_relu(h, SLOPE)


class Modulated(Equal):
    """A convolution whose inputs a style scales. Its outputs are brought back to the size that the style took them from
    (demodulation), unless they are `pixels`."""

    def __init__(self, axes: int, inputs: int, outputs: int, *, style: int, pixels: bool = False) -> None:
        super().__init__((outputs, inputs, *[1 if pixels else 3] * axes))
        self.axes, self.pixels = axes, pixels
        self.style = EqualLinear(style, inputs, bias=1.0)
        self.strength = nn.Parameter(torch.zeros(1))

    def forward(self, h: torch.Tensor, w: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        scale, weight, ones = self.style(w), self.scaled, [1] * self.axes
        h = CONVOLVED[self.axes](h * scale.reshape(*scale.shape, *ones), weight, None, 1, weight.shape[-1] // 2)
        if not self.pixels:
            size = scale.square() @ weight.square().flatten(2).sum(2).T
            h = h * (size + TINY).rsqrt().reshape(*size.shape, *ones)
            h = h + self.strength * torch.randn((len(h), 1, *h.shape[2:]), generator=noise)
        return h + self.bias.reshape(-1, *ones)


class Constant(Own):
    """(1, *shape) numbers that a maker begins with, whatever it is told."""

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(1, *shape))

    def fill(self, noise: torch.Generator) -> None:
        """Draw them."""
        self.weight.normal_(generator=noise)


class Styled(nn.Module):
    """Noise of width `latent` and what is told of a row -> (n, numbers) pixels; `width` channels at the finest grid."""

    def __init__(self, parts: Parts, shape: Sequence[int], *, width: int, latent: int) -> None:
        super().__init__()
        self.latent = self.noise = latent
        self.told, self.pyramid = Told(parts), Pyramid(shape, width)
        axes, widths = self.pyramid.axes, self.pyramid.widths
        sizes = [latent + parts.told, *[latent] * MAPPED]
        self.mapping = nn.ModuleList(EqualLinear(a, b, slow=SLOW) for a, b in pairwise(sizes))
        self.constant = Constant((widths[0], *self.pyramid.grids[0]))
        self.layers = nn.ModuleList(Modulated(axes, a, b, style=latent) for a, b in pairwise((widths[0], *widths)))
        channels = self.pyramid.channels
        self.pixels = nn.ModuleList(Modulated(axes, own, channels, style=latent, pixels=True) for own in widths)

    def style(self, rows: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """(n, latent) of noise (n, latent), given what is told of rows."""
        w = unit(torch.cat([unit(z), self.told(rows)], 1))
        for layer in self.mapping:
            w = lively(layer(w))
        return w

    def forward(self, rows: torch.Tensor, noise: torch.Generator, z: torch.Tensor | None = None) -> torch.Tensor:
        """Of a latent that is given, or drawn. The pixels of a row are not looked at."""
        w = self.style(rows, torch.randn((len(rows), self.latent), generator=noise) if z is None else z)
        h, made = self.constant.weight.expand(len(rows), *self.constant.weight.shape[1:]), torch.zeros(())
        for i, (layer, pixels) in enumerate(zip(self.layers, self.pixels, strict=True)):
            if i:
                h, made = (_enlarged(x, self.pyramid.grids[i]) for x in (h, made))
            h = lively(layer(h, w, noise))
            made = made + pixels(h, w, noise)
        return self.pyramid.rows(made)


class Residual(nn.Module):
    """Half as large, beside the identity."""

    def __init__(self, axes: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.axes = axes
        self.layer = EqualConv(axes, inputs, outputs, kernel=KERNEL, stride=2)
        self.beside = EqualConv(axes, inputs, outputs, kernel=1)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        read = lively(self.layer(pad(h, (1, 2) * self.axes)))
        out: torch.Tensor = (read + self.beside(interpolate(h, size=read.shape[2:], mode="area"))) / GAIN
        return out


class Judge(nn.Module):
    """(n, width) rows -> (n, 1) scores; what is told meets what is seen in an inner product. It sees how varied a batch
    is."""

    def __init__(self, parts: Parts, shape: Sequence[int], *, width: int) -> None:
        super().__init__()
        self.told, self.pyramid = Told(parts), Pyramid(shape, width)
        axes, widths = self.pyramid.axes, self.pyramid.widths[::-1]
        self.first = EqualConv(axes, self.pyramid.channels, widths[0], kernel=1)
        self.layers = nn.ModuleList(Residual(axes, a, b) for a, b in pairwise(widths))
        self.whole = EqualConv(axes, widths[-1] + 1, widths[-1])
        seen = widths[-1] * math.prod(self.pyramid.grids[0])
        self.any, self.each = EqualLinear(seen, 1), EqualLinear(seen, parts.told)

    def forward(self, rows: torch.Tensor, noise: torch.Generator | None = None) -> torch.Tensor:
        h = lively(self.first(self.pyramid.images(rows)))
        for layer in self.layers:
            h = layer(h)
        seen = lively(self.whole(varied(h))).flatten(1)
        out: torch.Tensor = self.any(seen) + (self.each(seen) * self.told(rows)).sum(1, keepdim=True)
        return out


def _enlarged(h: torch.Tensor, grid: tuple[int, ...]) -> torch.Tensor:
    return interpolate(h, size=grid, mode=LINEAR[len(grid)], align_corners=False)
