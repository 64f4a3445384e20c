"""Plain and residual multilayer perceptrons, and how their first weights are drawn.

Layers are made empty, since torch would fill them from its global generator; `start` fills them from a given one. Noise
(dropout) comes from the generator that is passed to `forward`, so a network without one is deterministic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn.functional import batch_norm, leaky_relu
from torch.nn.utils import skip_init

from semblance.learn.noise import noise_of

Activation = Callable[[torch.Tensor], torch.Tensor]
STARTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d)


class Own(nn.Module):
    """A layer that draws its own first weights."""

    def fill(self, noise: torch.Generator) -> None:
        """Draw them."""
        raise TypeError(f"{type(self).__name__} does not say how it begins")


def linear(inputs: int, outputs: int) -> nn.Linear:
    """A linear layer whose weights are not drawn yet."""
    layer: nn.Linear = skip_init(nn.Linear, inputs, outputs)
    return layer


def start(net: nn.Module, *, rng: np.random.Generator) -> None:
    """Fill every linear layer or convolution of `net` with uniform weights of variance 1 / (3 inputs), its bias alike,
    but those that draw their own.

    Torch, too, starts them so: inputs of a transposed convolution are the numbers that one of its own is spread over.
    """
    noise = noise_of(rng)
    for layer in net.modules():
        if isinstance(layer, Own):
            with torch.no_grad():
                layer.fill(noise)
        if isinstance(layer, STARTED):
            bound = 1 / np.sqrt(max(math.prod(layer.weight.shape[1:]), 1))
            with torch.no_grad():
                for weight in layer.parameters():
                    weight.uniform_(-bound, bound, generator=noise)


def dropped(h: torch.Tensor, share: float, noise: torch.Generator | None) -> torch.Tensor:
    """`h` with a `share` of its entries zeroed and the others raised to match (Srivastava et al. 2014)."""
    if noise is None or share == 0:
        return h
    return h * (torch.rand(h.shape, generator=noise) >= share) / (1 - share)


class Mlp(nn.Module):
    """(n, inputs) -> (n, outputs) through hidden layers of these `widths`."""

    def __init__(
        self,
        inputs: int,
        widths: Sequence[int],
        outputs: int,
        *,
        activation: Activation = leaky_relu,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        sizes = [inputs, *widths, outputs]
        self.layers = nn.ModuleList(linear(a, b) for a, b in pairwise(sizes))
        self.activation, self.dropout = activation, dropout

    @property
    def last(self) -> nn.Linear:
        """The layer that makes the outputs."""
        layer = self.layers[-1]
        assert isinstance(layer, nn.Linear)
        return layer

    def forward(self, x: torch.Tensor, noise: torch.Generator | None = None) -> torch.Tensor:
        for layer in self.layers[:-1]:
            x = dropped(self.activation(layer(x)), self.dropout, noise)
        out: torch.Tensor = self.layers[-1](x)
        return out


class BatchNorm(nn.Module):
    """Batch normalisation (Ioffe & Szegedy 2015); a batch of one is normalised by the running statistics.

    Unlike torch's own it keeps no count of batches: all of its state is floating point, so that it can be averaged.
    """

    mean: torch.Tensor
    variance: torch.Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("variance", torch.ones(width))

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        fresh = self.training and len(h) > 1
        return batch_norm(h, self.mean, self.variance, self.weight, self.bias, training=fresh, momentum=0.1)
