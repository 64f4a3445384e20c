"""A network that carries a source to its target, beside which it sees the source: it works on what a linear function of
the source's brightness leaves over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from semblance.learn.nets.beside import Beside
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.translate import fitted, straight

LEAST = 1e-3
"""The smallest spread, in units of a pixel's, that is divided by."""


class Carrier(Beside):
    """The same network, over (n, numbers) pixels less what the function tells of them, in units of their `spread`
    (numbers,), the same for all pixels of a channel. The function is `linear` (channels, sources + 1)."""

    linear: torch.Tensor
    spread: torch.Tensor

    def __init__(self, parts: Parts, shape: Sequence[int], given: int, *, width: int, blocks: int, side: int) -> None:
        super().__init__(parts, shape, given, width=width, blocks=blocks, components=0, side=side)
        self.register_buffer("linear", torch.zeros(shape[0], given + 1))
        self.register_buffer("spread", torch.ones(parts.numbers))

    def fit(self, batch: np.ndarray) -> None:
        """Find the function, and what it leaves over, in (n, width) rows."""
        numbers, given, _ = np.split(batch, [self.parts.numbers, self.parts.width - 1], 1)
        self.linear.copy_(fitted(numbers, given, self.shape[0], self.beside[0]))
        left = torch.from_numpy(numbers) - self.begun(torch.from_numpy(given))
        each = left.reshape(len(left), self.shape[0], -1).square().mean((0, 2)).sqrt().clamp(min=LEAST)
        self.spread.copy_(each.repeat_interleave(self.parts.numbers // self.shape[0]))

    def begun(self, given: torch.Tensor) -> torch.Tensor:
        """(n, numbers) that the function tells of (n, given) numbers."""
        return straight(self.linear, given.reshape(len(given), *self.beside)).flatten(1)
