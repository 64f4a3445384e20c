"""Torch's randomness from ours: a network's draws follow from a named stream, and the global one is left alone."""

from __future__ import annotations

import numpy as np
import torch


def noise_of(rng: np.random.Generator) -> torch.Generator:
    """A torch generator seeded from `rng`."""
    return torch.Generator().manual_seed(int(rng.integers(2**62)))
