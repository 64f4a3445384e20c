"""A recurrent network that tells two kinds of sequences apart: the judge of TimeGAN (Yoon et al. 2019)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from semblance.learn.nets.mlp import linear
from semblance.learn.noise import noise_of
from semblance.learn.rows import Rows
from semblance.learn.trainer import TrainPlan, Turn, train_to_end

WIDTH = 32
PART = 1_024


class Recurrent(nn.Module):
    """Two layers of gated recurrent units (Cho et al. 2014), and `out` numbers from what they say."""

    def __init__(self, channels: int, width: int = WIDTH, out: int = 1) -> None:
        super().__init__()
        # Made empty: torch would draw the weights from its global generator.
        self.units = nn.GRU(channels, width, num_layers=2, batch_first=True, device="meta").to_empty(device="cpu")
        self.last = linear(width, out)

    def start(self, *, rng: np.random.Generator) -> None:
        """Draw the first weights, without the global generator."""
        noise = noise_of(rng)
        bound = 1 / math.sqrt(self.units.hidden_size)
        with torch.no_grad():
            for weight in self.parameters():
                weight.uniform_(-bound, bound, generator=noise)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n,) scores of (n, steps, channels) sequences, above 0 for the first kind."""
        scores: torch.Tensor = self.last(self.units(x)[0].mean(dim=1))[:, 0]
        return scores


class Telling:
    """The logistic loss of records (n, 1 + steps * channels): 1 or 0 for the kind, then the sequence."""

    def __init__(self, net: Recurrent, channels: int) -> None:
        self.net, self.channels = net, channels

    @property
    def turns(self) -> tuple[Turn, ...]:
        """One loss moves all weights."""
        return (Turn("records", self.loss, tuple(self.net.parameters())),)

    def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) logistic losses."""
        scores = self.net(batch[:, 1:].reshape(len(batch), -1, self.channels))
        return nn.functional.binary_cross_entropy_with_logits(scores, batch[:, 0], reduction="none")

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """Nothing is kept aside: the steps are few."""
        return None


def told_apart(
    x: np.ndarray, made: np.ndarray, test: np.ndarray, *, plan: TrainPlan, rng: np.random.Generator
) -> np.ndarray:
    """(m,) scores, above 0 for 'made', of (m, steps, channels) sequences, by a network that learned from x (n, ...) of
    which `made` (n,) marks one kind."""
    net = Recurrent(x.shape[2])
    net.start(rng=rng)
    records = np.column_stack([made, x.reshape(len(x), -1)]).astype(np.float32)
    train_to_end(Telling(net, x.shape[2]), Rows(records, np.arange(len(x))), plan, rng=rng)
    net.eval()
    with torch.no_grad():
        parts = torch.from_numpy(np.ascontiguousarray(test, dtype=np.float32)).split(PART)
        return torch.cat([net(part) for part in parts]).numpy().astype(float)
