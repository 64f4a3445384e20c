"""Diffusion that completes records of which some numbers are known.

At every noise the known numbers are put back, under as much noise, and what the network takes for the record keeps
them; so the others are drawn to fit. Each step is gone back and taken again some times, so that both sides agree
(RePaint; Lugmayr et al., CVPR 2022, algorithm 1).
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch

from semblance.learn.device import array_of, beside
from semblance.learn.noise import noise_of, normal_like
from semblance.learn.objectives.guided import Focused
from semblance.learn.trainer import threads

TURNS = 3
"""How often each step is taken."""


class Inpainting(Focused):
    """The same diffusion; it also draws what is missing."""

    @torch.no_grad()
    def complete(
        self, rows: np.ndarray, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """(n, numbers) float32: `rows` (n, numbers) with a draw for every NaN; the class `classes` is none."""
        noise, told = noise_of(rng), self._told(given, labels)
        known = beside(self.net, ~np.isnan(rows))
        whole = beside(self.net, np.nan_to_num(rows).astype(np.float32))
        with threads(1 if self.alone else torch.get_num_threads()):
            made = self._completed(whole, known, told, noise)
        return array_of(torch.where(known, whole, made.clamp(-self.net.reach, self.net.reach)))

    def _completed(
        self, whole: torch.Tensor, known: torch.Tensor, told: tuple[torch.Tensor, torch.Tensor], noise: torch.Generator
    ) -> torch.Tensor:
        def white() -> torch.Tensor:
            return normal_like(whole, noise)

        sigmas = self.sigmas()
        x, record, last = sigmas[0] * white(), whole, math.inf
        for now, then in pairwise(sigmas):
            before, step = record, math.log(now / then) if then > 0 else math.inf
            for turn in range(TURNS if then > 0 else 1):
                if turn:
                    x = x + math.sqrt(now**2 - then**2) * white()
                x = torch.where(known, whole + now * white(), x)
                record = torch.where(known, whole, self._record(x, now, told, self.guidance))
                final = turn == TURNS - 1
                ahead = record + (record - before) * (step / (2 * last)) if final else record
                x = then / now * x + (1 - then / now) * ahead
            last = step
        return record
