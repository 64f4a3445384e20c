"""The network of mixed diffusion: noisy numbers and half-masked choices in, clean numbers and the choices' logits out.

Choices come as rows of an embedding table, as in `masked`; each number comes beside its sines and cosines, so that
the network can tell values apart that lie close together (Gorishniy et al., NeurIPS 2022).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn.functional import embedding_bag

from semblance.learn.nets.masked import Block
from semblance.learn.nets.mlp import linear
from semblance.learn.noise import noise_of
from semblance.learn.packed import Layout

WAVES = 2.0 ** torch.arange(-1, 4)
"""Frequencies of the numbers' sines and cosines, in radians per standard deviation."""
LEVELS = 2.0 ** torch.linspace(-2, 4, 16)
"""Frequencies of the noise level's sines and cosines."""


class Denoiser(nn.Module):
    """Rows `total` to `total + choices` of the embedding stand for choices that are not known.

    `center` and `scale` (numbers,) bring the numbers to mean 0 and variance 1.
    """

    center: torch.Tensor
    scale: torch.Tensor

    def __init__(self, layout: Layout, *, width: int, blocks: int) -> None:
        super().__init__()
        self.embed = nn.Parameter(torch.empty(layout.total + layout.choices, width))
        self.numbers = linear(layout.numbers * (1 + 2 * len(WAVES)), width)
        self.level = linear(2 * len(LEVELS), width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.head = linear(width, layout.total)
        self.clean = linear(width, layout.numbers)
        self.register_buffer("center", torch.zeros(layout.numbers))
        self.register_buffer("scale", torch.ones(layout.numbers))

    def start(self, log_shares: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights from `rng`; choices start at their `log_shares` (total,), numbers at their mean."""
        noise = noise_of(rng)
        with torch.no_grad():
            for weight in self.parameters():
                flat = weight.ndim == 1
                weight.zero_() if flat else weight.normal_(0, max(weight.shape[1], 1) ** -0.5, generator=noise)
            for layer in self.modules():
                if isinstance(layer, nn.LayerNorm):
                    layer.weight.fill_(1.0)
                if isinstance(layer, Block):
                    layer.down.weight.mul_(0.2)
            self.embed.mul_((self.embed.shape[1] / max(len(self.embed) - len(log_shares), 1)) ** 0.5)
            self.head.weight.mul_(0.1)
            self.clean.weight.mul_(0.1)
            self.head.bias.copy_(torch.from_numpy(log_shares))

    def forward(self, x: torch.Tensor, rows: torch.Tensor, level: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, numbers) and (n, total) from numbers `x` (n, numbers), `rows` (n, choices) and noise `level` (n,)."""
        h = self.level(_waves(level[:, None], LEVELS))
        if x.shape[1]:
            h = h + self.numbers(torch.cat([x, _waves(x, WAVES)], 1))
        if rows.shape[1]:
            h = h + embedding_bag(rows, self.embed, mode="sum")
        for block in self.blocks:
            h = block(h)
        h = self.norm(h)
        return self.clean(h), self.head(h)


def _waves(x: torch.Tensor, frequencies: torch.Tensor) -> torch.Tensor:
    """(n, 2 m d) sines and cosines of (n, d) numbers at m frequencies."""
    turned = (x[:, :, None] * frequencies).flatten(1)
    return torch.cat([turned.sin(), turned.cos()], 1)
