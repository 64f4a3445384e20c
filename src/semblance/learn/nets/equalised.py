"""Layers that learn at one pace, and what keeps the sides of a GAN in check (Karras, Aila, Laine & Lehtinen,
Progressive Growing of GANs, ICLR 2018).

All weights are normal of variance 1, and are scaled when they are used: so an optimizer that normalises its steps moves
each as much as its own range asks for.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from semblance.learn.nets.mlp import Own

CONVOLVED = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
TINY = 1e-8


class Equal(Own):
    """A weight of variance 1 and a bias; `scaled` is the weight as it is used. A `slow` one learns by this factor
    slower."""

    def __init__(self, shape: tuple[int, ...], *, bias: float = 0.0, slow: float = 1.0) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(shape)), nn.Parameter(torch.empty(shape[0]))
        self.begin, self.slow = bias, slow
        self.scale = slow / math.sqrt(max(math.prod(shape[1:]), 1))

    def fill(self, noise: torch.Generator) -> None:
        """Draw the weight."""
        self.weight.normal_(0, 1 / self.slow, generator=noise)
        self.bias.fill_(self.begin / self.slow)

    @property
    def scaled(self) -> torch.Tensor:
        """The weight as it is used."""
        return self.weight * self.scale


class EqualLinear(Equal):
    """(n, inputs) -> (n, outputs)."""

    def __init__(self, inputs: int, outputs: int, **more: float) -> None:
        super().__init__((outputs, inputs), **more)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.linear(x, self.scaled, self.bias * self.slow)


class EqualConv(Equal):
    """A convolution over so many axes that keeps the size, or leaves what its `stride` does of a padded image."""

    def __init__(self, axes: int, inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> None:
        super().__init__((outputs, inputs, *[kernel] * axes))
        self.axes, self.stride, self.padding = axes, stride, kernel // 2 if stride == 1 else 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return CONVOLVED[self.axes](x, self.scaled, self.bias, self.stride, self.padding)


def unit(h: torch.Tensor) -> torch.Tensor:
    """Each place brought to a mean square of 1 over its channels."""
    return h * (h.square().mean(1, keepdim=True) + TINY).rsqrt()


def varied(h: torch.Tensor) -> torch.Tensor:
    """One channel more: how much, on average, records of a batch differ at a place. So a critic sees lost variety, and
    records of a batch are no longer apart from each other."""
    spread = (h.var(0, correction=0) + TINY).sqrt().mean()
    return torch.cat([h, spread.expand(len(h), 1, *h.shape[2:])], 1)
