"""Records of numbers and choices in packed form: (n, spans) real numbers, a choice by the place of its value.

Networks look up choices in one table of rows, value v of choice j in row `offset[j] + v`, so that a choice among
thousands costs no more than one among two.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch.nn.functional import one_hot


@dataclass(frozen=True, eq=False)
class Layout:
    """What stands where: `real` (spans,) marks numbers, `sizes` (k,) counts the values of each choice.

    A number may depend on a choice: number i is there where choice `owner[i]` is at least `first[i]`, and always where
    `owner[i]` is -1.
    """

    real: np.ndarray
    sizes: np.ndarray
    owner: np.ndarray
    first: np.ndarray

    @property
    def numbers(self) -> int:
        """How many numbers a record has."""
        return int(self.real.sum())

    @property
    def choices(self) -> int:
        """How many choices a record has."""
        return len(self.sizes)

    @cached_property
    def offset(self) -> torch.Tensor:
        """(k,) the first row of each choice."""
        return torch.from_numpy((np.cumsum(self.sizes) - self.sizes).astype(np.int64))

    @property
    def total(self) -> int:
        """How many rows there are."""
        return int(self.sizes.sum())

    @cached_property
    def _membership(self) -> torch.Tensor:
        """(total, k) which row belongs to which choice."""
        of = torch.repeat_interleave(torch.arange(self.choices), torch.from_numpy(self.sizes.astype(np.int64)))
        return one_hot(of, max(self.choices, 1)).float()[:, : self.choices]

    def split(self, packed: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, numbers) numbers and (n, k) rows of packed records."""
        real = torch.from_numpy(self.real)
        return packed[:, real], packed[:, ~real].long() + self.offset

    def join(self, numbers: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """The inverse of `split`."""
        packed, real = torch.zeros(len(numbers), len(self.real)), torch.from_numpy(self.real)
        packed[:, real], packed[:, ~real] = numbers, (rows - self.offset).float()
        return packed

    def present(self, rows: torch.Tensor) -> torch.Tensor:
        """(n, numbers) bool: whether each number is there."""
        there = torch.ones(len(rows), self.numbers, dtype=torch.bool)
        for i in np.flatnonzero(self.owner >= 0):
            j = int(self.owner[i])
            there[:, i] = rows[:, j] - self.offset[j] >= int(self.first[i])
        return there

    def surprise(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """(n, k) minus the log-probability of each choice under (n, total) logits."""
        if not self.choices:
            return logits.new_zeros(len(logits), 0)
        top = logits.detach().amax(1, keepdim=True)
        total = (logits - top).exp() @ self._membership
        return (total + 1e-30).log() + top - logits.gather(1, rows)

    def draw(self, logits: torch.Tensor, j: int, noise: torch.Generator) -> torch.Tensor:
        """(n,) rows of choice j drawn from (n, total) logits."""
        start = int(self.offset[j])
        shares = logits[:, start : start + int(self.sizes[j])].softmax(1)
        return start + torch.multinomial(shares, 1, generator=noise)[:, 0]

    def log_shares(self, packed: np.ndarray) -> np.ndarray:
        """(total,) float32 log of the share of each row; a row that no record has gets half a record."""
        rows = packed[:, ~self.real].astype(np.int64) + self.offset.numpy()
        count = np.bincount(rows.ravel(), minlength=self.total)
        logs: np.ndarray = np.log(np.maximum(count, 0.5) / max(len(packed), 1)).astype(np.float32)
        return logs

    def moments(self, packed: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """(numbers,) mean and standard deviation of each number where it is there; 0 and 1 where it never differs."""
        numbers, rows = self.split(torch.from_numpy(packed).double())
        there = self.present(rows)
        count = there.sum(0).clamp(min=1)
        center = (numbers * there).sum(0) / count
        spread = (((numbers - center) * there).square().sum(0) / count).sqrt()
        return center.float(), torch.where(spread > 0, spread, 1.0).float()
