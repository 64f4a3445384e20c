"""A translator whose first half also says which place of an image is which (Park, Efros, Zhang & Zhu, Contrastive
Learning for Unpaired Image-to-Image Translation, ECCV 2020), and a critic of images of one side."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import normalize, relu

from semblance.learn.nets.mlp import linear
from semblance.learn.nets.translate import Patches, Translation
from semblance.learn.nets.unpaired import shows_target


class Head(nn.Module):
    """(n, places, channels) -> (n, places, width) of length 1, by two layers."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.first, self.last = linear(channels, width), linear(width, width)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        return normalize(self.last(relu(self.first(h))), dim=2)


class Told(nn.Module):
    """A translator, `there`, and a head for each place at which its first half is looked into."""

    def __init__(self, there: Translation, *, width: int, told: int) -> None:
        super().__init__()
        self.there = there
        self.heads = nn.ModuleList(Head(channels, told) for channels in (width, width, 2 * width))

    def alike(
        self, made: torch.Tensor, source: torch.Tensor, labels: torch.Tensor, *, places: int, noise: torch.Generator
    ) -> list[torch.Tensor]:
        """For each head the (n, k, k) cosines between at most so many `places` of (n, numbers) images that are made and
        the same places of their sources; no gradient goes through the latter."""
        found = []
        for head, one, other in zip(
            self.heads, self.there.inside(made, labels), self.there.inside(source, labels), strict=True
        ):
            some = torch.randperm(one.flatten(2).shape[2], generator=noise)[:places]
            asked, keys = (head(x.flatten(2)[:, :, some].transpose(1, 2)) for x in (one, other))
            found.append(asked @ keys.detach().transpose(1, 2))
        return found


class OneSide(nn.Module):
    """(n, numbers) images -> (n, patches) scores; those that are NaN, of the other side, have none."""

    def __init__(self, patches: Patches) -> None:
        super().__init__()
        self.patches = patches

    def forward(self, rows: torch.Tensor, noise: torch.Generator | None = None) -> torch.Tensor:
        at = shows_target(rows)
        scores = rows.new_zeros(len(rows), self.patches.patches)
        if at.any():
            scores[at] = self.patches(rows[at])
        return scores
