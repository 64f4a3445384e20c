"""One network for every conditional of a discrete record: summed value embeddings, residual blocks, a head a column.

Column j's value v, or its mask, is one row of an embedding table; their sum goes through residual MLP blocks with
pre-normalisation; one linear layer gives the logits of all values of all columns side by side. A column may be linked
to others: where those are known, a table of their values adds to its logits, so that what two columns say about each
other directly (a chapter and its codes, the time of an event and its kind) need not go through the trunk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn.functional import embedding_bag, gelu, layer_norm, linear
from torch.nn.utils import skip_init

from semblance.learn.noise import noise_of

FEW = 2.0
"""Records by which the shares of a link start smoothed."""
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

    def __init__(
        self, sizes: np.ndarray, *, width: int, blocks: int, links: Mapping[int, tuple[int, ...]] | None = None
    ) -> None:
        """`links` maps a column to those whose values add to its logits."""
        super().__init__()
        self.links = {} if links is None else dict(links)
        self.sizes = [int(size) for size in sizes]
        self.offset = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.total, self.width = int(self.offset[-1]), width
        self.embed = nn.Parameter(torch.empty(self.total + len(sizes), width))
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Parameter(torch.empty(self.total, width))
        self.bias = nn.Parameter(torch.zeros(self.total))
        # A link has one row more than there are values of the parents: that of parents which are not known.
        rows = {j: 1 + int(np.prod(sizes[list(parents)])) for j, parents in self.links.items()}
        self.link = nn.ParameterDict({str(j): torch.zeros(n, self.sizes[j]) for j, n in rows.items()})

    def start(self, log_shares: np.ndarray, positions: Sequence[np.ndarray], *, rng: np.random.Generator) -> None:
        """Draw the first weights from `rng`; the bias starts at the log share of every value.

        `positions` places the values of each ordered column on a line from 0 to 1 (NaN: no order). Neighbours
        start with similar weights, so that what is learned of one value holds for those beside it.
        """
        draw = _Draw(rng)
        with torch.no_grad():
            for name, weight in self.named_parameters():
                if name.startswith("link"):
                    continue
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

    def start_links(self, codes: np.ndarray) -> None:
        """Let every link say what (n, d) codes do: the share of each value given its parents, over its share at all."""
        for j, table in self.link.items():
            size, column = self.sizes[int(j)], int(j)
            rows = self.link_rows(torch.from_numpy(codes), column).numpy()
            counts = np.bincount(rows * size + codes[:, column], minlength=table.numel()).reshape(table.shape)
            bias = self.bias[self.offset[column] : self.offset[column + 1]].detach().numpy()
            share = (counts + FEW / size) / (counts.sum(1, keepdims=True) + FEW)
            held = counts.sum(1, keepdims=True) > 0
            table.data.copy_(torch.from_numpy(np.where(held, np.log(share) - bias, 0.0)))

    def link_rows(self, codes: torch.Tensor, column: int) -> torch.Tensor:
        """(n,) the row of a column's link for (n, d) codes; -1 is not known."""
        parents = self.links[column]
        row = torch.zeros(len(codes), dtype=torch.int64)
        for parent in parents:
            row = row * self.sizes[parent] + codes[:, parent]
        known = (codes[:, list(parents)] >= 0).all(1)
        return torch.where(known, row, len(self.link[str(column)]) - 1)

    def hidden(self, rows: torch.Tensor) -> torch.Tensor:
        """(n, width) sums of the embedding rows (n, d)."""
        if not rows.shape[1]:
            return torch.zeros(len(rows), self.width)
        return embedding_bag(rows, self.embed, mode="sum")

    def trunk(self, h: torch.Tensor) -> torch.Tensor:
        """(n, width) what the heads read."""
        for block in self.blocks:
            h = block(h)
        out: torch.Tensor = layer_norm(h, (self.width,), self.norm.weight, self.norm.bias)
        return out

    def logits(self, h: torch.Tensor, codes: torch.Tensor, column: int | None = None) -> torch.Tensor:
        """(n, total) logits of all columns, or (n, sizes[column]) of one, given (n, d) codes; -1 is not known."""
        if column is not None:
            part = slice(int(self.offset[column]), int(self.offset[column + 1]))
            alone = linear(h, self.head[part], self.bias[part])
            return alone + self.link[str(column)][self.link_rows(codes, column)] if column in self.links else alone
        out = linear(h, self.head, self.bias)
        if not self.links:
            return out
        added, at = [], 0
        for j in sorted(self.links):
            added += [out.new_zeros(len(out), int(self.offset[j]) - at), self.link[str(j)][self.link_rows(codes, j)]]
            at = int(self.offset[j + 1])
        return out + torch.cat([*added, out.new_zeros(len(out), self.total - at)], 1)

    def forward(self, rows: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """(n, total) logits from embedding rows (n, d) and the codes (n, d) that they stand for, -1 for the masks."""
        return self.logits(self.trunk(self.hidden(rows)), codes)


class _Draw:
    """Standard normal tensors from one seeded generator; the global one is left alone."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.noise = noise_of(rng)

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
