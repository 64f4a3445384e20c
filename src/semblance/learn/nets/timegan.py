"""The five recurrent networks of TimeGAN (Yoon, Jarrett & van der Schaar, NeurIPS 2019).

An embedder turns frames of samples into hidden states and the recovery turns them back; the generator makes states
from noise, the supervisor says what state follows each, and a critic scores every state. All hear at every step what
is told.
"""

from __future__ import annotations

import torch
from torch import nn

from semblance.learn.nets.mlp import linear
from semblance.learn.nets.recurrent import Recurrent, at_every_step
from semblance.learn.nets.series import Series, Told, framed, unframed


class Stack(nn.Module):
    """(n, steps, inputs) and (n, told) -> (n, steps, outputs), which lie between 0 and 1 where they are `bounded`."""

    def __init__(self, inputs: int, outputs: int, told: int, *, units: int, layers: int, bounded: bool) -> None:
        super().__init__()
        self.net = Recurrent(inputs + told, units, cell="gru", layers=layers)
        self.last, self.bounded = linear(units, outputs), bounded

    def forward(self, x: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        h: torch.Tensor = self.last(self.net(torch.cat([x, at_every_step(told, x.shape[1])], 2)))
        return h.sigmoid() if self.bounded else h


class Maker(nn.Module):
    """Noise and what is told of a row -> (n, numbers): generator, supervisor and recovery, all that draws."""

    def __init__(self, parts: Series, *, units: int, layers: int, frame: int) -> None:
        super().__init__()
        self.parts, self.frame, self.told = parts, frame, Told(parts)
        width, told = parts.channels * frame, parts.told
        self.shape = -(-parts.length // frame), width
        self.generator = Stack(width, units, told, units=units, layers=layers, bounded=True)
        self.supervisor = Stack(units, units, told, units=units, layers=max(1, layers - 1), bounded=True)
        self.recovery = Stack(units, width, told, units=units, layers=layers, bounded=False)

    def frames(self, rows: torch.Tensor) -> torch.Tensor:
        """(n, steps, channels * frame) of (n, width) rows."""
        return framed(self.parts.waves(rows), self.frame)

    def noise(self, n: int, noise: torch.Generator) -> torch.Tensor:
        """(n, steps, channels * frame) uniform numbers."""
        return torch.rand((n, *self.shape), generator=noise)

    def forward(self, rows: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """The samples of a row are not looked at."""
        told = self.told(rows)
        states = self.supervisor(self.generator(self.noise(len(rows), noise), told), told)
        return unframed(self.recovery(states, told), self.parts.channels, self.parts.length).flatten(1)


class TimeGan(nn.Module):
    """What draws, and what it learns from. Called, it draws."""

    def __init__(self, parts: Series, *, units: int, layers: int, frame: int) -> None:
        super().__init__()
        self.maker = Maker(parts, units=units, layers=layers, frame=frame)
        width, told = self.maker.shape[1], parts.told
        self.embedder = Stack(width, units, told, units=units, layers=layers, bounded=True)
        self.critic = Stack(units, 1, told, units=units, layers=layers, bounded=False)

    def forward(self, rows: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        out: torch.Tensor = self.maker(rows, noise)
        return out
