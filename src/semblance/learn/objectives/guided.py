"""Diffusion of vectors of numbers, given a class and further numbers.

The preconditioning, the weights of the loss and the sampler are those of Karras et al. (NeurIPS 2022); a share of the
records is shown without what is given, and a sample may move away from what the network says of these (classifier-free
guidance; Ho & Salimans, 2022). At a guidance of 1 records are drawn as they are distributed; above, they look more
typical of what is given and vary less.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import torch
from torch.func import functional_call

from semblance.learn.nets.conditioned import Conditioned
from semblance.learn.noise import noise_of
from semblance.learn.objectives.edm import Scales, Schedule
from semblance.learn.rows import held_out
from semblance.learn.trainer import Turn

PART = 4096
SCHEDULE = Schedule(least=0.01, most=20.0)


class Guided:
    """Loss and sampling, in `steps` steps, of a Conditioned network over numbers of mean 0 and variance about 1."""

    def __init__(
        self,
        net: Conditioned,
        *,
        steps: int = 18,
        schedule: Schedule = SCHEDULE,
        drop: float = 0.1,
        even: bool = True,
        aside: torch.Tensor | None = None,
    ) -> None:
        """`drop` is the share of records whose class and numbers are not told.

        `even`: times are spread evenly over a batch; otherwise each record's is drawn apart from the others'.
        """
        self.net, self.parts, self.steps, self.schedule = net, net.parts, steps, schedule
        self.drop, self.even, self.aside = drop, even, aside

    def start(self, batch: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights; (n, width) rows say where given numbers lie."""
        self.net.start(batch[:, self.parts.numbers : -1], rng=rng)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """One loss moves all weights."""
        return (Turn("records", self.loss, tuple(self.net.parameters())),)

    def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) loss of (n, width) rows, each at a noise of its own."""
        return self._loss(dict(self.net.named_parameters()), batch, noise)

    def _loss(self, weights: Mapping[str, torch.Tensor], batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        clean, given, labels = self.parts.split(batch)
        sigma = self.schedule.sigma(self._times(len(batch), noise))[:, None]
        scales = Scales.at(sigma)
        noisy = clean + sigma * torch.randn(clean.shape, generator=noise)
        hidden = torch.rand(len(batch), generator=noise) < self.drop
        shown = torch.where(hidden, self.parts.classes, labels)
        raw = functional_call(self.net, dict(weights), (scales.scaled * noisy, scales.level[:, 0], given, shown))
        # Weighted by 1 / c_out^2, the error of the clean record is that of the raw output (Karras et al. 2022, eq. 8).
        return (raw - (clean - scales.skip * noisy) / scales.out).square().mean(1)

    def _times(self, n: int, noise: torch.Generator) -> torch.Tensor:
        """(n,) times in [0, 1). Spread evenly, they tell how many records there are."""
        if not self.even:
            return torch.rand(n, generator=noise)
        return (torch.rand(1, generator=noise) + torch.randperm(n, generator=noise) / n) % 1

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """Mean loss on the records kept aside, under the same noise at every look."""
        return held_out(self.aside, lambda rows, noise: self._loss(weights, rows, noise), part=PART)

    @torch.no_grad()
    def sample(
        self, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator, guidance: float = 1.0
    ) -> np.ndarray:
        """(n, numbers) float32 for (n, given) numbers and (n,) classes, by Heun's method (Karras et al., algorithm 1).

        The last step, from the least noise to none, is Euler's.
        """
        noise, told = noise_of(rng), (torch.from_numpy(np.float32(given)), torch.from_numpy(np.int64(labels)))
        sigmas = [*self.schedule.sigma(torch.linspace(1, 0, self.steps)).tolist(), 0.0]
        x = sigmas[0] * torch.randn((len(labels), self.parts.numbers), generator=noise)
        for now, then in pairwise(sigmas):
            slope = self._slope(x, now, *told, guidance)
            ahead = x + (then - now) * slope
            if then > 0:
                ahead = x + (then - now) * (slope + self._slope(ahead, then, *told, guidance)) / 2
            x = ahead
        return x.numpy()

    def _slope(
        self, x: torch.Tensor, sigma: float, given: torch.Tensor, labels: torch.Tensor, guidance: float
    ) -> torch.Tensor:
        """dx/dsigma of the probability flow."""
        scales = Scales.at(torch.tensor(sigma))
        scaled, level = scales.scaled * x, scales.level.expand(len(x))
        raw = self.net(scaled, level, given, labels)
        if guidance != 1:
            free = self.net(scaled, level, given, torch.full_like(labels, self.parts.classes))
            raw = free + guidance * (raw - free)
        slope: torch.Tensor = (x - (scales.skip * x + scales.out * raw)) / sigma
        return slope
