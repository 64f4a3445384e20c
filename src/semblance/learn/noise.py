"""Noise: torch's randomness from ours, so that a network's draws follow from a named stream and the global one is left
alone; and how noise and record are mixed on the way from one to the other."""

from __future__ import annotations

import math

import numpy as np
import torch

BEND = 1.75
"""Angles grow with this power of time, so that more of it is spent at little noise, where fine detail is made."""


def noise_of(rng: np.random.Generator) -> torch.Generator:
    """A torch generator seeded from `rng`."""
    return torch.Generator().manual_seed(int(rng.integers(2**62)))


def normal_like(x: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
    """Normal numbers of the shape of `x`, where it lies."""
    return torch.randn(x.shape, generator=noise).to(x.device)


def scatter(weight: torch.Tensor, spread: float, noise: torch.Generator) -> None:
    """Fill a weight, wherever it lies, with normal numbers of this spread."""
    weight.copy_(torch.empty(weight.shape).normal_(0, spread, generator=noise))


def angle(time: torch.Tensor) -> torch.Tensor:
    """The angle at a time from 0 (no noise) to 1 (nothing but noise): its cosine is the record's share, its sine the
    noise's."""
    return math.pi / 2 * time**BEND


def time_of(turn: torch.Tensor) -> torch.Tensor:
    """The time of an angle."""
    return (turn / (math.pi / 2)) ** (1 / BEND)
