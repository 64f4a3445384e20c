"""Flow matching: noise becomes a record along a straight line (Lipman et al., ICLR 2023; Liu, Gong & Liu, Rectified
Flow, ICLR 2023).

At time t a record x and noise e are mixed as (1 - t) x + t e, and what is learned is the velocity e - x, alike at all
times. The network is the one of `guided`, and is asked as there: up to its length the mixture is cos(a) x + sin(a) e
where tan(a) = t / (1 - t), and e - x follows from what the network says of it. So its errors count by
(cos(a) + sin(a))^2, and whatever completes records by this network does so unchanged.
"""

from __future__ import annotations

import math

import torch

from semblance.learn.noise import time_of
from semblance.learn.objectives.guided import Told
from semblance.learn.objectives.inpainting import Inpainting


class Flow(Inpainting):
    """The same network, learned and asked along straight lines."""

    def weight(self, turn: torch.Tensor) -> torch.Tensor:
        """(n,) how much an error of the network counts in that of the velocity."""
        return (turn.cos() + turn.sin()).square()

    def _times(self, n: int, noise: torch.Generator) -> torch.Tensor:
        """(n,) times of the network at which t is spread evenly."""
        t = super()._times(n, noise)
        return time_of(torch.atan2(t, 1 - t))

    def _sampled(self, x: torch.Tensor, told: Told, guidance: float) -> torch.Tensor:
        before, step = x, 1 / self.steps
        for now in torch.linspace(1, step, self.steps).tolist():
            mixed = x / math.hypot(now, 1 - now)
            record = self._unmixed(mixed, math.atan2(now, 1 - now), told, guidance)
            found = (x - record) / now
            x = x - step * (found if now == 1 else 1.5 * found - 0.5 * before)
            before = found
        return x
