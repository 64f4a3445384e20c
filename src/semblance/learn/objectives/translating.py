"""Contests of which a translation between images draws: the same of the same."""

from __future__ import annotations

import numpy as np
import torch

from semblance.learn.nets.translate import Translation
from semblance.learn.objectives.gan import Adversarial


class Translating(Adversarial):
    """A contest over `there`, which leads from (n, given) to (n, numbers)."""

    there: Translation

    def sample(self, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, numbers) float32 of (n, given) numbers and (n,) classes: nothing is drawn."""
        return translated(self.there, given, labels)

    def complete(
        self, rows: np.ndarray, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """(n, numbers) `rows` with what is translated for every NaN."""
        made: np.ndarray = np.where(np.isnan(rows), self.sample(given, labels, rng=rng), rows)
        return made


@torch.no_grad()
def translated(net: Translation, given: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n, numbers) float32 of (n, given) numbers and (n,) classes."""
    made: np.ndarray = net(torch.from_numpy(np.float32(given)), torch.from_numpy(np.int64(labels))).numpy()
    return made
