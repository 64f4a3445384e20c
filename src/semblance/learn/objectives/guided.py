"""Diffusion of vectors of numbers, given a class and further numbers.

A record x and noise e are mixed as cos(a) x + sin(a) e. The network is asked for sin(a) x - cos(a) e, along which the
mixture moves as its angle falls from a quarter turn, pure noise, to 0 (v-prediction, Salimans & Ho, ICLR 2022;
TrigFlow, Lu & Song, ICLR 2025). That is the flow of Karras et al. (NeurIPS 2022) under their preconditioning,
written without it: normal records of variance 1 are drawn exactly, in any number of steps.

A share of the records is shown without what is given, and a sample may move away from what the network says of these
(classifier-free guidance; Ho & Salimans, 2022). At a guidance of 1 records are drawn as they are distributed; above,
they look more typical of what is given and vary less.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import torch
from torch.func import functional_call

from semblance.learn.nets.conditioned import Conditioned
from semblance.learn.noise import noise_of
from semblance.learn.rows import held_out
from semblance.learn.trainer import Turn

PART = 4096
BEND = 1.75
"""Angles grow with this power of time, so that more of it is spent at little noise, where fine detail is made."""


def angle(time: torch.Tensor) -> torch.Tensor:
    """The angle at a time from 0 (no noise) to 1 (nothing but noise)."""
    return math.pi / 2 * time**BEND


class Guided:
    """Loss and sampling, in `steps` steps, of a Conditioned network over numbers of mean 0 and variance about 1."""

    def __init__(
        self,
        net: Conditioned,
        *,
        steps: int = 16,
        drop: float = 0.1,
        even: bool = True,
        aside: torch.Tensor | None = None,
    ) -> None:
        """`drop` is the share of records whose class and numbers are not told.

        `even`: times are spread evenly over a batch; otherwise each record's is drawn apart from the others'.
        """
        self.net, self.parts, self.steps = net, net.parts, steps
        self.drop, self.even, self.aside = drop, even, aside

    def start(self, batch: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights; (n, width) rows say where numbers lie."""
        numbers, given, _ = np.split(batch, [self.parts.numbers, self.parts.width - 1], 1)
        self.net.start(given, numbers, rng=rng)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """One loss moves all weights."""
        return (Turn("records", self.loss, tuple(self.net.parameters())),)

    def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) loss of (n, width) rows, each at a noise of its own."""
        return self._loss(dict(self.net.named_parameters()), batch, noise)

    def _loss(self, weights: Mapping[str, torch.Tensor], batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        clean, given, labels = self.parts.split(batch)
        time = self._times(len(batch), noise)
        cos, sin = angle(time).cos()[:, None], angle(time).sin()[:, None]
        white = torch.randn(clean.shape, generator=noise)
        hidden = torch.rand(len(batch), generator=noise) < self.drop
        shown = torch.where(hidden, self.parts.classes, labels)
        found = functional_call(self.net, dict(weights), (cos * clean + sin * white, time, given, shown))
        return (found - (sin * clean - cos * white)).square().mean(1)

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
        self,
        given: np.ndarray,
        labels: np.ndarray,
        *,
        rng: np.random.Generator,
        guidance: float = 1.0,
        start: np.ndarray | None = None,
    ) -> np.ndarray:
        """(n, numbers) float32 for (n, given) numbers and (n,) classes, by the two-step method of Adams and Bashforth,
        from noise, which is drawn where none is given to `start` at.

        Each step looks at the network once (with guidance twice), and leans on what the step before saw. What ends
        beyond the network's reach is brought back to it (thresholding; Saharia et al., NeurIPS 2022).
        """
        noise, told = noise_of(rng), (torch.from_numpy(np.float32(given)), torch.from_numpy(np.int64(labels)))
        times = torch.linspace(1, 0, self.steps + 1)
        white = torch.randn((len(labels), self.parts.numbers), generator=noise)
        x = white if start is None else torch.from_numpy(np.float32(start))
        before, last = x, math.inf
        for time, (now, then) in zip(times, pairwise(angle(times).tolist()), strict=False):
            found, turn = self._found(x, time, *told, guidance), now - then
            x = x + turn * (found + (found - before) * (turn / (2 * last)))
            before, last = found, turn
        return x.clamp(-self.net.reach, self.net.reach).numpy()

    def _found(
        self, x: torch.Tensor, time: torch.Tensor, given: torch.Tensor, labels: torch.Tensor, guidance: float
    ) -> torch.Tensor:
        """(n, numbers) where `x` moves as the angle falls."""
        found: torch.Tensor = self.net(x, time.expand(len(x)), given, labels)
        if guidance != 1:
            free = self.net(x, time.expand(len(x)), given, torch.full_like(labels, self.parts.classes))
            found = free + guidance * (found - free)
        return found
