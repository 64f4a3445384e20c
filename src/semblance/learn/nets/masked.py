"""One network for every conditional of a discrete record: summed value embeddings, residual blocks, a head a column.

Column j's value v, or its mask, is one row of an embedding table; their sum goes through residual MLP blocks with
pre-normalisation; one linear layer gives the logits of all values of all columns side by side.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn.functional import embedding_bag, gelu, layer_norm, linear
from torch.nn.utils import skip_init

REACH, SHARED = 0.06, 0.8
"""How far along an ordered column, from 0 to 1, values start alike, and how much of their weights they share."""


class Block(nn.Module):
    """h + W2 gelu(W1 norm(h))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        # Left empty: nn.Linear would draw from torch's global generator. `MaskedNet.start` fills them.
        self.up = skip_init(nn.Linear, width, width)
        self.down = skip_init(nn.Linear, width, width)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = h + self.down(gelu(self.up(self.norm(h))))
        return out


class MaskedNet(nn.Module):
    """Logits of all columns given any subset of them.

    `sizes` (d,) is the number of values of each column; value v of column j is row `offset[j] + v`, and the mask of
    column j is row `sum(sizes) + j`.
    """

    def __init__(self, sizes: np.ndarray, *, width: int, blocks: int) -> None:
        super().__init__()
        self.sizes = [int(size) for size in sizes]
        self.offset = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.total, self.width = int(self.offset[-1]), width
        self.embed = nn.Parameter(torch.empty(self.total + len(sizes), width))
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Parameter(torch.empty(self.total, width))
        self.bias = nn.Parameter(torch.zeros(self.total))

    def start(self, log_shares: np.ndarray, positions: Sequence[np.ndarray], *, rng: np.random.Generator) -> None:
        """Draw the first weights from `rng`; the bias starts at the log share of every value.

        `positions` places the values of each ordered column on a line from 0 to 1 (NaN: no order). Neighbours
        start with similar weights, so that what is learned of one value holds for those beside it.
        """
        draw = _Draw(rng)
        with torch.no_grad():
            for weight in self.parameters():
                weight.zero_() if weight.ndim == 1 else weight.copy_(draw(weight.shape) / np.sqrt(weight.shape[1]))
            for block in self.blocks:
                assert isinstance(block, Block)
                block.norm.weight.fill_(1.0)
                block.down.weight.mul_(0.2)
            self.norm.weight.fill_(1.0)
            self.embed.copy_(draw(self.embed.shape))
            self.embed[: self.total] = _alike(self.embed[: self.total], positions)
            self.embed.mul_(1 / np.sqrt(max(len(self.sizes), 1)))
            self.head.copy_(_alike(draw(self.head.shape), positions) * (0.1 / np.sqrt(self.width)))
            self.bias.copy_(torch.from_numpy(log_shares))

    def hidden(self, rows: torch.Tensor) -> torch.Tensor:
        """(n, width) sums of the embedding rows (n, d)."""
        return embedding_bag(rows, self.embed, mode="sum")

    def trunk(self, h: torch.Tensor) -> torch.Tensor:
        """(n, width) what the heads read."""
        for block in self.blocks:
            h = block(h)
        out: torch.Tensor = layer_norm(h, (self.width,), self.norm.weight, self.norm.bias)
        return out

    def logits(self, h: torch.Tensor, column: int | None = None) -> torch.Tensor:
        """(n, total) logits of all columns, or (n, sizes[column]) of one."""
        if column is None:
            return linear(h, self.head, self.bias)
        part = slice(int(self.offset[column]), int(self.offset[column + 1]))
        return linear(h, self.head[part], self.bias[part])

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """(n, total) logits from embedding rows (n, d)."""
        return self.logits(self.trunk(self.hidden(rows)))


class _Draw:
    """Standard normal tensors from one seeded generator; the global one is left alone."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.noise = torch.Generator().manual_seed(int(rng.integers(2**62)))

    def __call__(self, shape: torch.Size) -> torch.Tensor:
        return torch.randn(shape, generator=self.noise)


def _alike(weight: torch.Tensor, positions: Sequence[np.ndarray]) -> torch.Tensor:
    """Each value's row mixed half and half with a Gaussian average of its neighbours' rows; the spread is kept."""
    rows = weight.clone()
    at = 0
    for place in positions:
        held = torch.from_numpy(at + np.flatnonzero(~np.isnan(place)))
        if len(held) > 2:
            line = torch.from_numpy(place[~np.isnan(place)]).float()
            kernel = torch.exp(-0.5 * ((line[:, None] - line[None, :]) / REACH) ** 2)
            rows[held] = (kernel / kernel.norm(dim=1, keepdim=True)) @ weight[held] * SHARED + weight[held] * (
                1 - SHARED
            )
        at += len(place)
    return rows
