"""Networks of translation between images on one grid: a U-Net from some channels to others, and a critic of patches
that is told what was translated (Isola et al., CVPR 2017)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn.functional import interpolate, leaky_relu, silu
from torch.nn.utils import skip_init

from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.unet import CONVS, Block, Packing, begin, conv, halved, normed

SLOPE, CALM = 0.2, 1e-3


class Translation(nn.Module):
    """(n, given) numbers of images of `given` channels and their class -> (n, numbers) of images of `shape`.

    Pixels are packed into channels until at most `side` places a side are left. The network learns what a linear
    function of the given brightness at each pixel leaves over.
    """

    linear: torch.Tensor

    def __init__(self, parts: Parts, shape: Sequence[int], given: int, *, width: int, side: int) -> None:
        super().__init__()
        told = 2 * width
        self.parts, self.shape, self.given, axes = parts, tuple(shape), (given, *shape[1:]), len(shape) - 1
        self.packing = Packing.to_side(shape, side)
        packed = Packing.to_side(self.given, side).channels
        self.classes = nn.Parameter(torch.empty(parts.classes + 1, told))
        self.enter = conv(axes, packed, width)
        self.down, self.deeper = Block(axes, width, width, told), Block(axes, width, 2 * width, told)
        self.middle = Block(axes, 2 * width, 2 * width, told)
        self.up = Block(axes, 3 * width, width, told)
        self.leave = conv(axes, width, self.packing.channels)
        self.register_buffer("linear", torch.zeros(shape[0], given + 1))

    def start(self, batch: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights; of (n, width) rows, the linear function is fitted to known pixels."""
        begin(self, rng=rng)
        with torch.no_grad():
            numbers, given, _ = np.split(batch, [self.parts.numbers, self.parts.width - 1], 1)
            self.linear.copy_(fitted(numbers, given, self.shape[0], self.given[0]))

    def forward(self, given: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(n, numbers) of (n, given) numbers and (n,) classes."""
        x, told = given.reshape(len(given), *self.given), silu(self.classes[labels])
        _, across, h = self._inside(x, told)
        h = self.up(torch.cat([interpolate(h, scale_factor=2.0), across], 1), told)
        return (straight(self.linear, x) + self.packing.unpack(self.leave(silu(normed(h))))).flatten(1)

    def inside(self, given: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """What its first half sees in (n, given) images: (n, channels, ...) where it enters, goes across and turns."""
        return self._inside(given.reshape(len(given), *self.given), silu(self.classes[labels]))

    def _inside(self, x: torch.Tensor, told: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        entered = self.enter(self.packing.pack(x))
        across = self.down(entered, told)
        return entered, across, self.middle(self.deeper(halved(across), told), told)


def fitted(numbers: np.ndarray, given: np.ndarray, channels: int, sources: int) -> torch.Tensor:
    """(channels, sources + 1) of the linear function that best tells each pixel of (n, numbers) images from the same of
    (n, given) ones, by the pixels that are known."""
    y, x = _pixels(numbers, channels), _pixels(given, sources)
    known = np.isfinite(y).all(0) & np.isfinite(x).all(0)
    x, y = np.concatenate([x[:, known], np.ones((1, int(known.sum())))]), y[:, known]
    calm = CALM * max(x.shape[1], 1) * np.eye(len(x))
    return torch.from_numpy(np.linalg.solve(x @ x.T + calm, x @ y.T).T.astype(np.float32))


def straight(linear: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """(n, channels, ...) that a linear function tells of images (n, sources, ...)."""
    made = torch.einsum("ck,nk...->nc...", linear[:, :-1], x)
    return made + linear[:, -1].reshape(1, -1, *[1] * (x.ndim - 2))


def _pixels(rows: np.ndarray, channels: int) -> np.ndarray:
    """(channels, pixels of all images) float64."""
    made: np.ndarray = np.moveaxis(rows.reshape(len(rows), channels, -1), 1, 0).reshape(channels, -1).astype(float)
    return made


class Patches(nn.Module):
    """(n, channels * ...) images of `shape` -> (n, patches) scores, each of a patch alone (PatchGAN): so many layers
    that halve the size, or as many as leave more than a place a side."""

    def __init__(self, shape: Sequence[int], *, width: int, layers: int) -> None:
        super().__init__()
        self.shape, axes = tuple(shape), len(shape) - 1
        layers = min(layers, max(int(math.log2(min(shape[1:]))) - 1, 0))
        widths = [shape[0], *(width * 2**i for i in range(layers))]
        self.layers = nn.ModuleList(skip_init(CONVS[axes], a, b, 4, stride=2, padding=1) for a, b in pairwise(widths))
        self.last = conv(axes, widths[-1], 1)
        self.patches = math.prod(side // 2**layers for side in shape[1:])

    def forward(self, x: torch.Tensor, noise: torch.Generator | None = None) -> torch.Tensor:
        h = x.reshape(len(x), *self.shape)
        for i, layer in enumerate(self.layers):
            h = layer(h)
            h = leaky_relu(normed(h) if i else h, SLOPE)
        out: torch.Tensor = self.last(h).flatten(1)
        return out
