"""Records that fit into memory as a source of batches, and those that are kept aside to stop by."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch

from semblance.core.rng import stream
from semblance.learn.device import CPU

Loss = Callable[[torch.Tensor, torch.Generator], torch.Tensor]


def held_out(aside: torch.Tensor | None, loss: Loss, *, part: int, device: torch.device = CPU) -> float | None:
    """Mean `loss(records, noise)` of the records kept aside, `part` at a time, on a device; None where there are none.

    The noise is the same at every look, so that looks can be compared.
    """
    if aside is None:
        return None
    noise = torch.Generator().manual_seed(0)
    with torch.no_grad():
        return sum(float(loss(records.to(device), noise).sum()) for records in aside.split(part)) / len(aside)


class Rows:
    """(n, ...) values as one contiguous tensor, and the patient of each record."""

    def __init__(self, values: np.ndarray, subjects: np.ndarray) -> None:
        self.values, self.subjects = torch.from_numpy(np.ascontiguousarray(values)), subjects

    def __len__(self) -> int:
        return len(self.values)

    def batch(self, index: np.ndarray) -> torch.Tensor:
        """The records of `index`."""
        return self.values[torch.from_numpy(index)]


def kept_aside(subjects: np.ndarray, *, share: float, rng: np.random.Generator) -> np.ndarray:
    """(n,) bool: the records of a random share of patients; in a small cohort of 50 patients or a fifth of them.

    Fewer than 20 patients are all learned from: too few would remain to judge by.
    """
    patients = np.unique(subjects)
    count = round(max(share * len(patients), min(50, 0.2 * len(patients)))) if len(patients) >= 20 else 0
    return np.isin(subjects, rng.permutation(patients)[:count])


def batch_at(n: int, size: int, step: int, seed: int, *, turn: int = 0) -> np.ndarray:
    """Indices of the batch of a step: epochs of fresh permutations, cut into equal batches; each turn has its own."""
    size = min(size, n)
    per_epoch = n // size
    epoch, place = divmod(step, per_epoch)
    return _permutation(n, seed, epoch, turn)[place * size : (place + 1) * size]


@lru_cache(maxsize=8)
def _permutation(n: int, seed: int, epoch: int, turn: int) -> np.ndarray:
    name = (epoch,) if turn == 0 else (epoch, turn)
    return stream(seed, "epoch", *name).permutation(n)
