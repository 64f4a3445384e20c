"""Series in time, and what networks over them are told: which numbers of a row are which, and frames of samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import one_hot, pad

from semblance.learn.nets.conditioned import Parts


@dataclass(frozen=True)
class Series(Parts):
    """Rows whose numbers are the samples of one channel after the other, `channels` in all."""

    channels: int

    @property
    def length(self) -> int:
        """Samples of a channel."""
        return self.numbers // self.channels

    def waves(self, rows: torch.Tensor) -> torch.Tensor:
        """(n, channels, length) of (n, numbers or more) rows."""
        return rows[:, : self.numbers].reshape(len(rows), self.channels, self.length)


class Told(nn.Module):
    """(n, given + 1) or longer rows -> (n, told): the given numbers brought to mean 0 and variance 1, and the class as
    a one-hot. No gradient flows back to what is told. A `silent` one tells nothing: (n, 0)."""

    center: torch.Tensor
    spread: torch.Tensor

    def __init__(self, parts: Parts, *, silent: bool = False) -> None:
        super().__init__()
        self.parts, self.width = parts, 0 if silent else parts.told
        self.register_buffer("center", torch.zeros(parts.given))
        self.register_buffer("spread", torch.ones(parts.given))

    def start(self, given: np.ndarray) -> None:
        """(n, given) numbers say where those of records lie."""
        spread = given.std(0)
        self.center.copy_(torch.from_numpy(given.mean(0)))
        self.spread.copy_(torch.from_numpy(np.where(spread > 0, spread, 1.0)))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        if not self.width:
            return rows.new_zeros(len(rows), 0)
        rows = rows.detach()
        given = (rows[:, -self.parts.given - 1 : -1] - self.center) / self.spread
        return torch.cat([given, one_hot(rows[:, -1].long(), self.parts.classes).float()], 1)


def framed(waves: torch.Tensor, frame: int) -> torch.Tensor:
    """(n, steps, channels * frame): `frame` samples at a time of (n, channels, length) waves; zeros fill the last."""
    n, channels, length = waves.shape
    whole = pad(waves, (0, -length % frame)).reshape(n, channels, -1, frame)
    return whole.transpose(1, 2).reshape(n, -1, channels * frame)


def unframed(frames: torch.Tensor, channels: int, length: int) -> torch.Tensor:
    """(n, channels, length) waves of (n, steps, channels * frame): the inverse of `framed`."""
    n, steps, _ = frames.shape
    return frames.reshape(n, steps, channels, -1).transpose(1, 2).reshape(n, channels, -1)[:, :, :length]
