"""Recurrent networks over series, and a generator and a critic made of them.

A step of a recurrent network sees a frame of neighbouring samples of all channels, so that it has fewer steps to
remember.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from semblance.learn.nets.mlp import linear
from semblance.learn.nets.series import Series, Told, framed, unframed

Cell = Literal["lstm", "gru"]
GATES = {"lstm": 4, "gru": 3}


class Recurrent(nn.Module):
    """(n, steps, inputs) -> (n, steps, units) through layers of long short-term memory (Hochreiter & Schmidhuber 1997)
    or gated recurrent units (Cho et al. 2014)."""

    def __init__(self, inputs: int, units: int, *, cell: Cell, layers: int = 1) -> None:
        super().__init__()
        self.cell, self.units, gates = cell, units, GATES[cell] * units
        self.enter = nn.ModuleList(linear(inputs if i == 0 else units, gates) for i in range(layers))
        self.again = nn.ModuleList(linear(units, gates) for _ in range(layers))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # Torch's own modules hold their weights beside their parameters, where no others can be put in their place.
        weights = [w for pair in zip(self.enter, self.again, strict=True) for w in _flat(*pair)]
        zero = x.new_zeros(len(self.enter), len(x), self.units)
        settings = (True, len(self.enter), 0.0, self.training, False, True)
        if self.cell == "lstm":
            return torch.lstm(x, [zero, zero], weights, *settings)[0]
        return torch.gru(x, zero, weights, *settings)[0]


def _flat(enter: nn.Module, again: nn.Module) -> list[torch.Tensor]:
    """The weights of a layer as torch's functions want them."""
    assert isinstance(enter, nn.Linear) and isinstance(again, nn.Linear)
    return [enter.weight, again.weight, enter.bias, again.bias]


def at_every_step(told: torch.Tensor, steps: int) -> torch.Tensor:
    """(n, steps, told) of (n, told)."""
    return told[:, None].expand(-1, steps, -1)


class Teller(nn.Module):
    """Noise of width `latent` at every step, with what is told -> (n, numbers)."""

    def __init__(self, parts: Series, *, units: int, latent: int, frame: int, silent: bool) -> None:
        super().__init__()
        self.parts, self.latent, self.frame = parts, latent, frame
        self.told = Told(parts, silent=silent)
        self.steps = -(-parts.length // frame)
        self.net = Recurrent(latent + self.told.width, units, cell="lstm")
        self.last = linear(units, parts.channels * frame)

    def forward(self, rows: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """The samples of a row are not looked at."""
        z = torch.randn((len(rows), self.steps, self.latent), generator=noise)
        h = self.net(torch.cat([z, at_every_step(self.told(rows), self.steps)], 2))
        return unframed(self.last(h), self.parts.channels, self.parts.length).flatten(1)


class Listener(nn.Module):
    """(n, width) rows -> (n, steps): a score at every step, of what was heard until then."""

    def __init__(self, parts: Series, *, units: int, frame: int, silent: bool) -> None:
        super().__init__()
        self.parts, self.frame = parts, frame
        self.told = Told(parts, silent=silent)
        self.net = Recurrent(parts.channels * frame + self.told.width, units, cell="lstm")
        self.last = linear(units, 1)

    def forward(self, rows: torch.Tensor, noise: torch.Generator | None = None) -> torch.Tensor:
        frames = framed(self.parts.waves(rows), self.frame)
        h = self.net(torch.cat([frames, at_every_step(self.told(rows), frames.shape[1])], 2))
        out: torch.Tensor = self.last(h)[:, :, 0]
        return out
