"""A recurrent network that says the next value of a sequence: the predictor of TimeGAN (Yoon et al. 2019)."""

from __future__ import annotations

import numpy as np
import torch

from semblance.learn.objectives.telling import PART, WIDTH, Recurrent, Telling
from semblance.learn.rows import Rows
from semblance.learn.trainer import TrainPlan, train_to_end


class Ahead(Telling):
    """The mean absolute error of records (n, steps * channels): each value but the first, said from those before it."""

    def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) mean absolute errors."""
        x = batch.reshape(len(batch), -1, self.channels)
        said: torch.Tensor = self.net.last(self.net.units(x[:, :-1])[0])
        return (said - x[:, 1:]).abs().mean(dim=(1, 2))


def errors_ahead(x: np.ndarray, test: np.ndarray, *, plan: TrainPlan, rng: np.random.Generator) -> np.ndarray:
    """(m,) mean absolute errors one step ahead on (m, steps, channels) sequences, of a network that learned from x
    (n, steps, channels)."""
    channels = x.shape[2]
    net = Recurrent(channels, WIDTH, channels)
    net.start(rng=rng)
    objective = Ahead(net, channels)
    train_to_end(objective, Rows(x.reshape(len(x), -1).astype(np.float32), np.arange(len(x))), plan, rng=rng)
    net.eval()
    with torch.no_grad():
        parts = torch.from_numpy(np.ascontiguousarray(test, dtype=np.float32)).split(PART)
        return torch.cat([objective.loss(part, torch.Generator()) for part in parts]).numpy().astype(float)
