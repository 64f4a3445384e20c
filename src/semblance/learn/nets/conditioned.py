"""A network over vectors of numbers that is told a noise level, a class and further numbers.

All that it is told is brought into one vector, which scales and shifts what each residual block reads (FiLM, Perez et
al., AAAI 2018; as in the DiT of Peebles & Xie, ICCV 2023). Past the blocks, each number is multiplied and moved by what
is told as well: where numbers are normal around a mean of their class, no more is needed.

One class more than there are stands for "nothing is known": with it the further numbers count for nothing, so that one
network is the conditional and the unconditional one (Ho & Salimans, 2022).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn
from torch.nn.functional import gelu, layer_norm, silu

from semblance.learn.drawn import Text
from semblance.learn.nets.mlp import linear
from semblance.learn.nets.spread import Spread
from semblance.learn.nets.text import TextReader
from semblance.learn.noise import noise_of, scatter

LEVELS = 2.0 ** torch.linspace(-1, 5, 16)
"""Frequencies of the noise level's sines and cosines."""
FAR = 4.0
NEARLY, WIDER = 0.999, 1.5
"""The share of records within `reach`, and how much farther it goes."""


@dataclass(frozen=True)
class Parts:
    """What stands in a row of a batch: `numbers` to be generated, then `given` numbers, then the code of a class.

    The class has `classes` values; the code `classes` says that nothing is known. The last given numbers are codes of
    words, where there is a `text`.
    """

    numbers: int
    given: int
    classes: int
    text: Text | None = field(default=None, kw_only=True)

    @property
    def read(self) -> int:
        """How many of the given numbers are codes of words."""
        return 0 if self.text is None else self.text.length

    @property
    def width(self) -> int:
        """Columns of a batch."""
        return self.numbers + self.given + 1

    @property
    def told(self) -> int:
        """How many numbers networks are told of a row, by a Told."""
        return self.given + self.classes

    def split(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(n, numbers), (n, given) and (n,) int64 of a (n, width) batch."""
        numbers, given, label = batch.split([self.numbers, self.given, 1], 1)
        return numbers, given, label[:, 0].long()

    def join(self, numbers: np.ndarray, given: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """(n, width) float32 rows of (n, numbers), (n, given) and (n,) codes."""
        return np.column_stack([np.asarray(part, dtype=np.float32) for part in (numbers, given, labels)])


class FilmBlock(nn.Module):
    """h + W2 gelu(W1 (norm(h) (1 + a) + b)), where a and b are linear in what is told."""

    def __init__(self, width: int, told: int) -> None:
        super().__init__()
        self.film = linear(told, 2 * width)
        self.up = linear(width, width)
        self.down = linear(width, width)

    def forward(self, h: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        scale, shift = self.film(told).chunk(2, 1)
        read = layer_norm(h, h.shape[1:]) * (1 + scale) + shift
        out: torch.Tensor = h + self.down(gelu(self.up(read)))
        return out


class Conditioned(nn.Module):
    """(n, numbers) numbers and what is told of them -> (n, numbers).

    `center` and `spread` (facts,) bring the given numbers, but for codes of words, to mean 0 and variance 1; what is
    farther than FAR from the mean counts as that far, since nobody has learned what lies beyond. `reach` (numbers,) is
    how far from 0 nearly all numbers of records are; `drawn` brings samples to their spread.
    """

    center: torch.Tensor
    spread: torch.Tensor
    reach: torch.Tensor

    def __init__(self, parts: Parts, *, width: int, blocks: int, told: int = 64) -> None:
        super().__init__()
        self.parts = parts
        self.classes = nn.Parameter(torch.empty(parts.classes + 1, told))
        facts = parts.given - parts.read
        self.given = linear(facts, told) if facts else None
        self.text = TextReader(parts.text, told) if parts.text is not None else None
        self.level = linear(2 * len(LEVELS), told)
        self.enter = linear(parts.numbers, width)
        self.blocks = nn.ModuleList(FilmBlock(width, told) for _ in range(blocks))
        self.mix = linear(told, told)
        self.last = linear(told, 2 * width)
        self.past = linear(told, 2 * parts.numbers)
        self.leave = linear(width, parts.numbers)
        self.drawn = Spread(parts.numbers, facts, parts.classes)
        self.register_buffer("center", torch.zeros(facts))
        self.register_buffer("spread", torch.ones(facts))
        self.register_buffer("reach", torch.full((parts.numbers,), torch.inf))

    def start(self, given: np.ndarray, numbers: np.ndarray | None = None, *, rng: np.random.Generator) -> None:
        """Draw the first weights from `rng`; (n, given) and (n, numbers) numbers say where those of records lie."""
        noise = noise_of(rng)
        with torch.no_grad():
            for weight in self.parameters():
                size = max(weight.shape[-1], 1)
                weight.zero_() if weight.ndim == 1 else scatter(weight, size**-0.5, noise)
            self.classes.mul_(self.classes.shape[1] ** 0.5)
            self.last.weight.zero_()
            self.past.weight.zero_()
            for block in self.blocks:
                assert isinstance(block, FilmBlock)
                block.film.weight.zero_()
                block.down.weight.mul_(0.2)
            self.leave.weight.mul_(0.1)
        if numbers is not None and len(numbers):
            self.reach.copy_(torch.from_numpy(WIDER * np.quantile(np.abs(numbers), NEARLY, axis=0)))
        given = given[:, : len(self.center)]
        if len(given):
            self.center.copy_(torch.from_numpy(given.mean(0)))
            self.spread.copy_(torch.from_numpy(np.where(given.std(0) > 0, given.std(0), 1.0)))

    def forward(self, x: torch.Tensor, level: torch.Tensor, given: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(n, numbers) from `x` (n, numbers), `level` (n,), `given` (n, given) and `labels` (n,) int64."""
        told, known = self.classes[labels] + self.level(waves(level[:, None], LEVELS)), labels < self.parts.classes
        if self.text is not None:
            codes = given[:, len(self.center) :]
            told = told + self.text(torch.where(known[:, None], codes, 0))
        if self.given is not None:
            told = told + self.given(torch.where(known[:, None], self.near(given), 0.0))
        told, h = silu(self.mix(silu(told))), self.enter(x)
        for block in self.blocks:
            h = block(h, told)
        scale, shift = self.last(told).chunk(2, 1)
        gain, offset = self.past(told).chunk(2, 1)
        out: torch.Tensor = self.leave(layer_norm(h, h.shape[1:]) * (1 + scale) + shift) + gain * x + offset
        return out

    def near(self, given: torch.Tensor) -> torch.Tensor:
        """(n, facts) of mean 0 and variance 1, none of them far, of (n, given) numbers."""
        return ((given[:, : len(self.center)] - self.center) / self.spread).clamp(-FAR, FAR)

    def spreading(self, drawn: torch.Tensor, given: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(n, numbers) drawn, as spread as those that were learned."""
        known = (labels < self.parts.classes)[:, None]
        found: torch.Tensor = self.drawn(drawn, torch.where(known, self.near(given), 0.0), labels)
        return found


def waves(x: torch.Tensor, frequencies: torch.Tensor) -> torch.Tensor:
    """(n, 2 m) sines and cosines of (n, 1) numbers at m frequencies."""
    turned = x * frequencies.to(x.device)
    return torch.cat([turned.sin(), turned.cos()], 1)
