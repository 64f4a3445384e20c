"""Diffusion of numbers and choices together.

Numbers follow the probability-flow equation with the preconditioning of Karras et al. (NeurIPS 2022, table 1);
choices are masked one after the other and revealed again (masked diffusion; Shi et al., TabDiff, ICLR 2025). Time t
from 1 to 0 drives both: the noise falls along Karras' schedule (eq. 5) while, in its first half, choices are revealed.
As which choices are known is seen in the input, one network serves every order in which they are revealed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch.func import functional_call

from semblance.learn.nets.denoiser import Denoiser
from semblance.learn.noise import noise_of
from semblance.learn.packed import Layout
from semblance.learn.rows import held_out
from semblance.learn.trainer import Turn

PART = 4096


@dataclass(frozen=True)
class Schedule:
    """Noise from `most` to `least` standard deviations of the data, denser towards the end by the power `rho`."""

    least: float = 0.01
    most: float = 20.0
    rho: float = 7.0
    known: float = 0.5
    """The time by which all choices are known. The numbers still are noise then and cannot contradict a choice."""

    def sigma(self, t: torch.Tensor) -> torch.Tensor:
        """The noise at time `t` in [0, 1] (Karras et al. 2022, eq. 5)."""
        low, high = self.least ** (1 / self.rho), self.most ** (1 / self.rho)
        return (low + t * (high - low)) ** self.rho

    def masked(self, t: torch.Tensor) -> torch.Tensor:
        """The share of choices that are masked at time `t`."""
        return ((t - self.known) / (1 - self.known)).clamp(0, 1)


SCHEDULE = Schedule()


@dataclass(frozen=True)
class Scales:
    """c_skip, c_out, c_in and c_noise for data of variance 1 (Karras et al. 2022, table 1)."""

    skip: torch.Tensor
    out: torch.Tensor
    scaled: torch.Tensor
    level: torch.Tensor

    @classmethod
    def at(cls, sigma: torch.Tensor) -> Scales:
        """The four at noise `sigma`."""
        spread = (1 + sigma**2).sqrt()
        return cls(1 / spread**2, sigma / spread, 1 / spread, sigma.log() / 4)


class Diffusion:
    """Loss and sampling, in `steps` steps, of a Denoiser over packed records."""

    def __init__(
        self,
        net: Denoiser,
        layout: Layout,
        *,
        steps: int,
        schedule: Schedule = SCHEDULE,
        even: bool = True,
        aside: torch.Tensor | None = None,
    ) -> None:
        """`even`: times are spread evenly over a batch; otherwise each record's is drawn apart from the others'."""
        self.even = even
        self.net, self.layout, self.steps, self.schedule, self.aside = net, layout, steps, schedule, aside
        self.unknown = torch.arange(layout.total, layout.total + layout.choices)

    def start(self, packed: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights; what is known of the marginals of (n, spans) records is where they start."""
        self.net.start(self.layout.log_shares(packed), rng=rng)
        center, scale = self.layout.moments(packed)
        self.net.center.copy_(center)
        self.net.scale.copy_(scale)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """One loss moves all weights."""
        return (Turn("records", self.loss, tuple(self.net.parameters())),)

    def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) loss of (n, spans) packed records, each at a time of its own."""
        return self._loss(dict(self.net.named_parameters()), batch, noise)

    def _loss(self, weights: Mapping[str, torch.Tensor], batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        numbers, rows = self.layout.split(batch)
        t = self._times(len(batch), noise)
        # A number that is not there is noise, so that no trace of it tells the choice that it depends on.
        clean = (numbers - self.net.center) / self.net.scale
        clean = torch.where(self.layout.present(rows), clean, torch.randn(clean.shape, generator=noise))
        sigma = self.schedule.sigma(t)[:, None]
        scales = Scales.at(sigma)
        noisy = clean + sigma * torch.randn(clean.shape, generator=noise)
        masked = self._masks(t, noise)
        shown = torch.where(masked, self.unknown, rows)
        raw, logits = functional_call(self.net, dict(weights), (scales.scaled * noisy, shown, scales.level[:, 0]))
        # Weighted by 1 / c_out^2, the error of the clean record is that of the raw output (Karras et al. 2022, eq. 8).
        error = (raw - (clean - scales.skip * noisy) / scales.out).square().sum(1)
        surprise = (self.layout.surprise(logits, rows) * masked).sum(1) / masked.sum(1).clamp(min=1)
        return (error + surprise * self.layout.choices) / max(batch.shape[1], 1)

    def _times(self, n: int, noise: torch.Generator) -> torch.Tensor:
        """(n,) times in [0, 1). Spread evenly, they tell how many records there are."""
        if not self.even:
            return torch.rand(n, generator=noise)
        return (torch.rand(1, generator=noise) + torch.randperm(n, generator=noise) / n) % 1

    def _masks(self, t: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n, k) bool: the choices of each record that are masked at its time."""
        k = self.layout.choices
        rank = torch.rand((len(t), k), generator=noise).argsort(1).argsort(1)
        return rank < (self.schedule.masked(t) * (k + 1)).floor()[:, None]

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """Mean loss on the records kept aside, under the same noise at every look."""
        return held_out(self.aside, lambda rows, noise: self._loss(weights, rows, noise), part=PART)

    @torch.no_grad()
    def sample(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, spans) packed records by Heun's method (Karras et al. 2022, algorithm 1).

        Each of the 2 `steps` - 1 evaluations of the network also reveals its share of the choices.
        """
        noise = noise_of(rng)
        times = torch.linspace(1, 0, self.steps)
        sigmas, left = ([*at.tolist(), 0.0] for at in (self.schedule.sigma(times), self.schedule.masked(times)))
        x = sigmas[0] * torch.randn((n, self.layout.numbers), generator=noise)
        hidden = _Hidden(self.layout, self.unknown, n, noise=noise)
        for i, (now, then) in enumerate(pairwise(sigmas)):
            slope = self._slope(x, now, hidden, (left[i] + left[i + 1]) / 2 if then > 0 else 0.0)
            ahead = x + (then - now) * slope
            if then > 0:
                ahead = x + (then - now) * (slope + self._slope(ahead, then, hidden, left[i + 1])) / 2
            x = ahead
        return self.layout.join(x * self.net.scale + self.net.center, hidden.rows).numpy()

    def _slope(self, x: torch.Tensor, sigma: float, hidden: _Hidden, left: float) -> torch.Tensor:
        """dx/dsigma of the probability flow; on the way, choices are revealed until the share `left` is masked."""
        scales = Scales.at(torch.tensor(sigma))
        raw, logits = self.net(scales.scaled * x, hidden.rows, scales.level.expand(len(x)))
        hidden.reveal(logits, left)
        slope: torch.Tensor = (x - (scales.skip * x + scales.out * raw)) / sigma
        return slope


class _Hidden:
    """The choices of n records, revealed bit by bit, each record's in its own random order."""

    def __init__(self, layout: Layout, unknown: torch.Tensor, n: int, *, noise: torch.Generator) -> None:
        self.layout, self.noise, self.left = layout, noise, layout.choices
        self.rows = unknown.expand(n, -1).clone()
        self.rank = torch.rand((n, layout.choices), generator=noise).argsort(1).argsort(1)

    def reveal(self, logits: torch.Tensor, left: float) -> None:
        """Draw choices from their logits until about the share `left` of them is masked."""
        keep = min(self.left, round(left * self.layout.choices))
        due = (self.rank >= keep) & (self.rank < self.left)
        for j in range(self.layout.choices if keep < self.left else 0):
            of = due[:, j].nonzero()[:, 0]
            if len(of):
                self.rows[of, j] = self.layout.draw(logits[of], j, self.noise)
        self.left = keep
