"""A mixture of products that has given shares of single columns and of pairs: what noisy counts are fitted with.

The pairwise shares of a mixture are S' diag(w) S for the weights w and the shares S of all codes, so one product of
matrices gives them all. Their weighted squares are brought down by Adam (Kingma & Ba 2015) over softmax parameters.
Mixtures of products as the answer to noisy marginals: Liu, Vietri & Wu (NeurIPS 2021); fits of relaxed data sets:
Aydore et al. (ICML 2021).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from semblance.core.model import Tick, Watch
from semblance.modalities.table.generators.products import Products

PACE, DECAY, SPREAD = 0.05, (0.9, 0.999), 0.8
TINY = 1e-8
TOLD = 50


@dataclass(frozen=True)
class Moments:
    """Noisy shares of each column (size,) and of pairs (size, size), and how large the noise of each is."""

    single: Sequence[np.ndarray]
    single_noise: float
    pairs: Mapping[tuple[int, int], np.ndarray]
    pair_noise: Mapping[tuple[int, int], float]

    def fitted(self, *, components: int, steps: int, rng: np.random.Generator, watch: Watch | None = None) -> Products:
        """The mixture after `steps` steps."""
        work = _Work.of(self)
        begun = np.log(np.maximum(work.single, 1e-4)) + SPREAD * rng.standard_normal((components, len(work.single)))
        values = [begun.astype(np.float32), np.zeros(components, dtype=np.float32)]
        means, squares = ([np.zeros_like(v) for v in values] for _ in range(2))
        for step in range(1, steps + 1):
            loss, gradients = work.gradients(*values)
            pace = PACE * (1 + np.cos(np.pi * (step - 1) / steps)) / 2
            for value, gradient, mean, square in zip(values, gradients, means, squares, strict=True):
                mean += (1 - DECAY[0]) * (gradient - mean)
                square += (1 - DECAY[1]) * (gradient**2 - square)
                scale = np.sqrt(square / (1 - DECAY[1] ** step)) + TINY
                value -= pace * mean / (1 - DECAY[0] ** step) / scale
            if watch is not None and (step % TOLD == 0 or step == steps):
                watch(Tick(step, steps, loss))
        shares, weights = work.shares(values[0]), _softmax(values[1])
        return Products(weights.astype(float) / weights.sum(), np.ascontiguousarray(shares.T), work.sizes)


@dataclass(frozen=True)
class _Work:
    """All columns side by side: `single` (codes,) and `pairs` (codes, codes) shares, and what their errors weigh."""

    sizes: np.ndarray
    single: np.ndarray
    single_weight: float
    pairs: np.ndarray
    pair_weight: np.ndarray
    columns: np.ndarray

    @classmethod
    def of(cls, moments: Moments) -> _Work:
        sizes = np.array([len(shares) for shares in moments.single], dtype=np.int64)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        total = int(starts[-1])
        pairs, weight = np.zeros((total, total), np.float32), np.zeros((total, total), np.float32)
        for (i, j), shares in moments.pairs.items():
            at = np.ix_(np.arange(starts[i], starts[i + 1]), np.arange(starts[j], starts[j + 1]))
            pairs[at], weight[at] = shares, moments.pair_noise[i, j] ** -2
            pairs[at[1].T, at[0].T], weight[at[1].T, at[0].T] = shares.T, moments.pair_noise[i, j] ** -2
        known = max(int(np.count_nonzero(weight)), 1)
        columns = np.repeat(np.eye(len(sizes), dtype=np.float32), sizes, axis=0)
        single = np.concatenate(moments.single).astype(np.float32)
        return cls(sizes, single, moments.single_noise**-2 / known, pairs, weight / np.float32(known), columns)

    def shares(self, values: np.ndarray) -> np.ndarray:
        """(components, codes) softmax over the codes of each column."""
        raised = np.exp(values - values.max(1, keepdims=True))
        found: np.ndarray = raised / ((raised @ self.columns) @ self.columns.T + np.float32(1e-30))
        return found

    def gradients(self, values: np.ndarray, logits: np.ndarray) -> tuple[float, list[np.ndarray]]:
        """The weighted squared error, and its gradient by the parameters of the shares and of the weights."""
        shares, weights = self.shares(values), _softmax(logits)
        weighted = weights[:, None] * shares
        apart, alone = shares.T @ weighted - self.pairs, weights @ shares - self.single
        pulled, light = self.pair_weight * apart, np.float32(2 * self.single_weight)
        loss = self.single_weight * float((alone**2).sum()) + float((pulled * apart).sum()) / 2
        # By the shares of a component, but for its weight. Each pair stands twice in `apart`, hence the halves.
        ahead = 2 * (shares @ pulled)
        slope = ahead + light * alone
        of_weight = ((ahead / 2 + light * alone) * shares).sum(1)
        inner = ((slope * shares) @ self.columns) @ self.columns.T
        return loss, [weighted * (slope - inner), weights * (of_weight - weights @ of_weight)]


def _softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max())
    found: np.ndarray = raised / raised.sum()
    return found
