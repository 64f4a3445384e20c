"""Hazards of every way out, in every interval of time, given the codes of a record.

Each code adds a vector of its own; their sum is read straight (as in Cox's model) and through one hidden layer.
Effects are curves over time: a sum of one constant, four wide and sixteen narrow hat functions. The coefficients have
independent normal priors, the narrower the farther from proportional hazards and from a straight effect: so a small
cohort gets nearly Cox's model, and a large one what it shows.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn.functional import embedding_bag, gelu

from semblance.learn.noise import noise_of

WIDE, NARROW = 4, 16
SLOW, FAST, BENT = 0.3, 0.15, 0.3
"""Prior deviations of the effects of wide and of narrow hats and of the hidden layer; a constant effect has 1."""


class HazardNet(nn.Module):
    """(n, intervals, exits) logits of leaving in an interval by each exit; staying has the logit 0.

    `sizes` (d,) is the number of codes of each column. `points` (sum(sizes), q) are the numbers that a code stands for,
    and 0 where it stands for none; `named` (sum(sizes),) marks the codes with an effect of their own.
    """

    offset: torch.Tensor
    points: torch.Tensor
    named: torch.Tensor
    shapes: torch.Tensor
    level: torch.Tensor

    def __init__(
        self,
        sizes: np.ndarray,
        points: np.ndarray,
        named: np.ndarray,
        *,
        intervals: int,
        exits: int,
        width: int,
    ) -> None:
        super().__init__()
        shapes = shapes_at(np.linspace(0, 1, intervals))
        self.exits, self.width, out = exits, width, width + exits * shapes.shape[1]
        first = np.concatenate([[0], np.cumsum(sizes)])[:-1]
        self.register_buffer("offset", torch.from_numpy(first.astype(np.int64)), persistent=False)
        self.register_buffer("points", torch.from_numpy(points).float(), persistent=False)
        self.register_buffer("named", torch.from_numpy(named).float(), persistent=False)
        self.register_buffer("shapes", torch.from_numpy(shapes).float(), persistent=False)
        self.register_buffer("level", torch.zeros(intervals, exits))
        self.slope = nn.Parameter(torch.zeros(points.shape[1], out))
        self.own = nn.Parameter(torch.zeros(len(points), out))
        self.bend = nn.Parameter(torch.zeros(width))
        self.down = nn.Parameter(torch.zeros(width, exits * shapes.shape[1]))
        self.drift = nn.Parameter(torch.zeros(intervals, exits))

    def start(self, *, rng: np.random.Generator) -> None:
        """Draw the weights into the hidden layer from `rng`; all effects start at 0, so that no covariate matters."""
        noise = noise_of(rng)
        with torch.no_grad():
            for weight in (self.slope, self.own):
                drawn = torch.randn(len(weight), self.width, generator=noise)
                weight[:, : self.width] = drawn / np.sqrt(max(len(self.offset), 1))

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """(n, intervals, exits) logits from codes (n, d)."""
        table = self.points @ self.slope + self.named[:, None] * self.own
        read = self._sums(codes, table)
        hidden, straight = read[:, : self.width], read[:, self.width :]
        effect = straight + gelu(hidden + self.bend) @ self.down * (BENT / np.sqrt(self.width))
        curves = effect.reshape(len(codes), self.exits, -1) @ self.shapes.T
        out: torch.Tensor = self.level + self.drift + curves.transpose(1, 2)
        return out

    def penalty(self) -> torch.Tensor:
        """The negative log-density of the weights under their priors, all scaled to 1, but for a constant."""
        return sum(((weight**2).sum() for weight in self.parameters()), torch.zeros(())) / 2

    def _sums(self, codes: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        """(n, out) sums of the table's rows; 0 of a record without covariates."""
        if not codes.shape[1]:
            return table.new_zeros((len(codes), table.shape[1]))
        out: torch.Tensor = embedding_bag(codes + self.offset, table, mode="sum")
        return out


def shapes_at(place: np.ndarray) -> np.ndarray:
    """(intervals, 1 + WIDE + NARROW) values of the constant and of the hat functions at each place."""
    hats = [
        scale * np.maximum(0.0, 1 - np.abs(place[:, None] * (count - 1) - np.arange(count)))
        for count, scale in ((WIDE, SLOW), (NARROW, FAST))
    ]
    return np.column_stack([np.ones(len(place)), *hats])
