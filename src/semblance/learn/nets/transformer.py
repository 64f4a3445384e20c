"""Transformer encoders over series, and a generator and a critic made of them (Li et al., TTS-GAN, AIME 2022).

The generator's tokens are frames of samples, all made from one noise; the critic's are patches, after the vision
transformer (Dosovitskiy et al., ICLR 2021), behind a token of its own that is told what the row says.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from semblance.core.errors import UsageError
from semblance.learn.nets.mlp import dropped, linear
from semblance.learn.nets.series import Series, Told, framed, unframed

WIDER = 4
"""How much wider a block is between its two linear layers."""


def refuse_heads(units: int, heads: int) -> None:
    """Raise UsageError where heads of attention do not divide the width of a token."""
    if units % heads:
        fix = f"units = {heads * max(units // heads, 1)}, heads = {heads}"
        raise UsageError.of(f"units = {units}, heads = {heads}", rule="heads divide the units", fix=fix)


class Block(nn.Module):
    """Self-attention of all tokens, then two layers for each, both beside what comes in (Vaswani et al., NeurIPS 2017),
    which is normalised first."""

    def __init__(self, units: int, *, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.before, self.between = nn.LayerNorm(units), nn.LayerNorm(units)
        self.ask, self.answer = linear(units, 3 * units), linear(units, units)
        self.up, self.down = linear(units, WIDER * units), linear(WIDER * units, units)

    def forward(self, h: torch.Tensor, noise: torch.Generator | None) -> torch.Tensor:
        h = h + dropped(self._attended(self.before(h)), self.dropout, noise)
        return h + dropped(self.down(gelu(self.up(self.between(h)))), self.dropout, noise)

    def _attended(self, h: torch.Tensor) -> torch.Tensor:
        n, tokens, units = h.shape
        query, key, value = self.ask(h).reshape(n, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = scaled_dot_product_attention(query, key, value)
        out: torch.Tensor = self.answer(seen.transpose(1, 2).reshape(n, tokens, units))
        return out


class Blocks(nn.Module):
    """(n, tokens, units) -> the same through blocks; places are learned. Nothing is dropped but in training."""

    def __init__(self, tokens: int, units: int, *, depth: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.places = nn.Parameter(torch.zeros(tokens, units))
        self.blocks = nn.ModuleList(Block(units, heads=heads, dropout=dropout) for _ in range(depth))

    def forward(self, h: torch.Tensor, noise: torch.Generator | None) -> torch.Tensor:
        h = h + self.places
        for block in self.blocks:
            h = block(h, noise if self.training else None)
        return h


class Weaver(nn.Module):
    """Noise of width `latent` and what is told of a row -> (n, numbers), a token for each `frame` of samples."""

    def __init__(
        self, parts: Series, *, units: int, depth: int, heads: int, dropout: float, latent: int, frame: int
    ) -> None:
        super().__init__()
        self.parts, self.latent, self.told = parts, latent, Told(parts)
        self.shape = -(-parts.length // frame), units
        self.first = linear(latent + parts.told, self.shape[0] * units)
        self.blocks = Blocks(*self.shape, depth=depth, heads=heads, dropout=dropout)
        self.last = linear(units, parts.channels * frame)

    def forward(self, rows: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """The samples of a row are not looked at."""
        z = torch.randn((len(rows), self.latent), generator=noise)
        h = self.first(torch.cat([z, self.told(rows)], 1)).reshape(len(rows), *self.shape)
        frames = self.last(self.blocks(h, noise))
        return unframed(frames, self.parts.channels, self.parts.length).flatten(1)


class Patches(nn.Module):
    """(n, width) rows -> (n, 1) scores, of all tokens' mean: one for each `patch` of samples, and the one told."""

    def __init__(self, parts: Series, *, units: int, depth: int, heads: int, dropout: float, patch: int) -> None:
        super().__init__()
        self.parts, self.patch, self.told = parts, patch, Told(parts)
        self.enter, self.front = linear(parts.channels * patch, units), linear(parts.told, units)
        self.blocks = Blocks(-(-parts.length // patch) + 1, units, depth=depth, heads=heads, dropout=dropout)
        self.norm, self.last = nn.LayerNorm(units), linear(units, 1)

    def forward(self, rows: torch.Tensor, noise: torch.Generator | None = None) -> torch.Tensor:
        patches = self.enter(framed(self.parts.waves(rows), self.patch))
        h = torch.cat([self.front(self.told(rows))[:, None], patches], 1)
        out: torch.Tensor = self.last(self.norm(self.blocks(h, noise).mean(1)))
        return out
