"""A mixture of products that has given shares of single columns and of pairs: what noisy counts are fitted with.

Pairs are given within strata of the records (the values of a target, say; all records may be one stratum), and every
component belongs to one of them. The pairwise shares of a stratum are S' diag(w) S for the weights w and the shares S
of all codes in its components, so one product of matrices gives them all. Their weighted squares are brought down by
Adam (Kingma & Ba 2015) over softmax parameters. Mixtures of products as the answer to noisy marginals: Liu, Vietri &
Wu (NeurIPS 2021); fits of relaxed data sets: Aydore et al. (ICML 2021).
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
    """Noisy shares, all of all records: of each stratum (strata,), of the codes of each column (size,), and of pairs of
    columns within strata (strata, size, size); and how large the noise of a single share and of one of a pair is, one
    for all or one for each column and pair."""

    strata: np.ndarray
    single: Sequence[np.ndarray]
    pairs: Mapping[tuple[int, int], np.ndarray]
    single_noise: float | Sequence[float]
    pair_noise: float | Mapping[tuple[int, int], float]

    def fitted(
        self, *, components: int, steps: int, rng: np.random.Generator, watch: Watch | None = None
    ) -> tuple[Products, np.ndarray]:
        """The mixture after `steps` steps, and the stratum of each component."""
        work = _Work.of(self, components)
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
        shares, weights = work.shares(values[0]), work.weights(values[1]).astype(float)
        return Products(weights / weights.sum(), np.ascontiguousarray(shares.T), work.sizes), work.stratum


@dataclass(frozen=True)
class _Work:
    """All columns side by side: `single` (codes,) and `pairs` (strata, codes, codes) shares, what their errors weigh,
    and the `stratum` (components,) of each component."""

    sizes: np.ndarray
    strata: np.ndarray
    stratum: np.ndarray
    single: np.ndarray
    single_weight: np.ndarray
    pairs: np.ndarray
    pair_weight: np.ndarray
    columns: np.ndarray

    @classmethod
    def of(cls, moments: Moments, components: int) -> _Work:
        strata = np.maximum(moments.strata, TINY).astype(np.float32)
        sizes = np.array([len(shares) for shares in moments.single], dtype=np.int64)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        total = int(starts[-1])
        pairs, measured = np.zeros((len(strata), total, total), np.float32), np.zeros((total, total), np.float32)
        for (i, j), shares in moments.pairs.items():
            one, two = slice(starts[i], starts[i + 1]), slice(starts[j], starts[j + 1])
            pairs[:, one, two], pairs[:, two, one] = shares, shares.transpose(0, 2, 1)
            noise = moments.pair_noise[i, j] if isinstance(moments.pair_noise, Mapping) else moments.pair_noise
            measured[one, two] = measured[two, one] = noise**-2
        known = max(int(np.count_nonzero(measured)) * len(strata), 1)
        stratum = np.sort(np.arange(components) % len(strata))
        columns = np.repeat(np.eye(len(sizes), dtype=np.float32), sizes, axis=0)
        single = np.concatenate(moments.single).astype(np.float32)
        alone = np.repeat(np.broadcast_to(moments.single_noise, len(sizes)), sizes) ** -2.0
        light, weight = (alone / known).astype(np.float32), measured / np.float32(known)
        return cls(sizes, strata, stratum, single, light, pairs, weight, columns)

    def shares(self, values: np.ndarray) -> np.ndarray:
        """(components, codes) softmax over the codes of each column."""
        raised = np.exp(values - values.max(1, keepdims=True))
        found: np.ndarray = raised / ((raised @ self.columns) @ self.columns.T + np.float32(1e-30))
        return found

    def weights(self, logits: np.ndarray) -> np.ndarray:
        """(components,) softmax over the components of each stratum, times its share."""
        found = np.empty_like(logits)
        for level, share in enumerate(self.strata):
            found[self.stratum == level] = share * _softmax(logits[self.stratum == level])
        return found

    def gradients(self, values: np.ndarray, logits: np.ndarray) -> tuple[float, list[np.ndarray]]:
        """The weighted squared error, and its gradient by the parameters of the shares and of the weights."""
        shares, weights = self.shares(values), self.weights(logits)
        alone = weights @ shares - self.single
        light = 2 * self.single_weight * alone
        loss = float((self.single_weight * alone**2).sum())
        of_shares, of_logits = np.empty_like(shares), np.empty_like(logits)
        for level, share in enumerate(self.strata):
            mine = self.stratum == level
            own, weight = shares[mine], weights[mine]
            apart = own.T @ (weight[:, None] * own) - self.pairs[level]
            pulled = self.pair_weight * apart
            loss += float((pulled * apart).sum()) / 2
            # By the shares of a component, but for its weight. Each pair stands twice in `apart`, hence the halves.
            ahead = 2 * (own @ pulled)
            slope = ahead + light
            of_weight = ((ahead / 2 + light) * own).sum(1)
            inner = ((slope * own) @ self.columns) @ self.columns.T
            of_shares[mine] = weight[:, None] * own * (slope - inner)
            of_logits[mine] = weight * (of_weight - (weight @ of_weight) / share)
        return loss, [of_shares, of_logits]


def _softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max())
    found: np.ndarray = raised / raised.sum()
    return found
