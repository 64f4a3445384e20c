"""A mixture of products that has given shares of single columns and of pairs: what noisy counts are fitted with.

Pairs are given within strata of the records (the values of a target, say; all records may be one stratum), and every
component belongs to one of them. The pairwise shares of a stratum are S' diag(w) S for the weights w and the shares S
of all codes in its components, so one product of matrices gives them all. Their weighted squares are brought down by
Adam (Kingma & Ba 2015) over softmax parameters. Mixtures of products as the answer to noisy marginals: Liu, Vietri &
Wu (NeurIPS 2021); fits of relaxed data sets: Aydore et al. (ICML 2021).

Components start at codes: each is what the pairs say of the records that have one code, so that a rare one need not be
found. What keeps them from following the noise is a prior: parameters are normal around their mean in the stratum, and
these means around that of all, so that where counts say nothing columns are independent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from semblance.core.model import Tick, Watch
from semblance.modalities.table.generators.products import Products

PACE, DECAY = 0.05, (0.9, 0.999)
PRIOR = 3.0
"""Variance of the parameters (logarithms of shares) around their mean."""
SPREAD = 0.3
"""Standard deviation of the parameters around where they start, so that no two components are the same."""
SURE = 0.0
"""Standard deviations above what noise alone would make of its pairs from which on a code has a component."""
FEWEST = 4
"""Components of a stratum, at least."""
OWN, COMMON = 0.995, 0.01
"""At the start, the share of its code in a component, and how much of the rest is as in the whole stratum."""
TINY = 1e-8
TOLD = 50


@dataclass(frozen=True)
class Moments:
    """Noisy shares, all of all records: of each stratum (strata,), of the codes of each column within strata
    (strata, size), and of pairs of columns within strata (strata, size, size); and how large the noise is of the share
    of each code (size,), and of one of a pair: of all pairs, or of each."""

    strata: np.ndarray
    single: Sequence[np.ndarray]
    pairs: Mapping[tuple[int, int], np.ndarray]
    single_noise: Sequence[np.ndarray]
    pair_noise: float | Mapping[tuple[int, int], float]

    def fitted(
        self, *, components: int, steps: int, rng: np.random.Generator, watch: Watch | None = None
    ) -> tuple[Products, np.ndarray]:
        """The mixture after `steps` steps, of at most `components` or FEWEST a stratum, and the stratum of each one."""
        work, values = _Work.of(self).begun(components, rng=rng)
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
    """All columns side by side: `single` (strata, codes) and `pairs` (strata, codes, codes) shares, and what their
    errors weigh: by their noise, over how many of them are `known`. The `stratum` (components,) of each component, none
    before `begun`. `columns` (codes, columns) says which codes are those of a column."""

    sizes: np.ndarray
    strata: np.ndarray
    single: np.ndarray
    single_weight: np.ndarray
    pairs: np.ndarray
    pair_weight: np.ndarray
    known: np.float32
    columns: np.ndarray
    stratum: np.ndarray

    @classmethod
    def of(cls, moments: Moments) -> _Work:
        strata = np.maximum(moments.strata, TINY).astype(np.float32)
        sizes = np.array([shares.shape[1] for shares in moments.single], dtype=np.int64)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        total = int(starts[-1])
        pairs, weight = np.zeros((len(strata), total, total), np.float32), np.zeros((total, total), np.float32)
        for (i, j), shares in moments.pairs.items():
            one, two = slice(starts[i], starts[i + 1]), slice(starts[j], starts[j + 1])
            pairs[:, one, two], pairs[:, two, one] = shares, shares.transpose(0, 2, 1)
            noise = moments.pair_noise[i, j] if isinstance(moments.pair_noise, Mapping) else moments.pair_noise
            weight[one, two] = weight[two, one] = noise**-2
        # Divided by how many shares are known, so that the loss says the same of few and of many columns.
        known = np.float32(max(int(np.count_nonzero(weight)) * len(strata), 1))
        columns = np.repeat(np.eye(len(sizes), dtype=np.float32), sizes, axis=0)
        single = np.concatenate(moments.single, axis=1).astype(np.float32)
        light = np.concatenate(moments.single_noise).astype(np.float32) ** -2
        none = np.zeros(0, dtype=np.int64)
        return cls(sizes, strata, single, light / known, pairs, weight / known, known, columns, none)

    def begun(self, components: int, *, rng: np.random.Generator) -> tuple[_Work, list[np.ndarray]]:
        """The same with a stratum for each component, and the parameters to start from: logarithms of the shares
        (components, codes) and of the weights (components,)."""
        most = max(components // len(self.strata), FEWEST)
        found = [self._started(level, most) for level in range(len(self.strata))]
        stratum = np.repeat(np.arange(len(found)), [len(weights) for _, weights in found])
        shares, weights = (np.log(np.concatenate(each)).astype(np.float32) for each in zip(*found, strict=True))
        shares += np.float32(SPREAD) * rng.standard_normal(shares.shape, dtype=np.float32)
        return replace(self, stratum=stratum), [shares, weights]

    def _started(self, level: int, most: int) -> tuple[np.ndarray, np.ndarray]:
        """Of a stratum, (components, codes) what the pairs say of the records that have a code, for those codes of
        which they say most, and (components,) the shares of these codes.

        Of each column, what they say is as far from the whole stratum as it stands out of the noise (Efron & Morris,
        JASA 1973).
        """
        alone = np.maximum(self.single[level], np.float32(1e-6))
        alone = alone / self._over(alone)  # within its column
        beyond = self.pairs[level] - self.single[level][:, None] * alone
        told = (beyond**2 * (self.pair_weight * self.known)) @ self.columns
        count = (self.pair_weight > 0) @ self.columns
        sure = (told.sum(1) - count.sum(1)) / np.sqrt(2 * np.maximum(count.sum(1), 1))
        kept = np.argsort(-sure, kind="stable")[: min(max(int((sure > SURE).sum()), FEWEST), most)]
        share = np.maximum(self.single[level][kept], np.float32(1e-6))
        by = np.where(told[kept] > count[kept], 1 - count[kept] / np.maximum(told[kept], 1e-12), 0) @ self.columns.T
        rows = np.maximum(share[:, None] * alone + by * beyond[kept], 0)
        rows = (1 - COMMON) * rows / np.maximum(self._over(rows), 1e-12) + COMMON * alone
        own = self.columns[kept] @ self.columns.T > 0
        others = (own.sum(1) - 1).clip(1)
        rows = np.where(own, (1 - OWN) / others[:, None], rows)
        rows[np.arange(len(kept)), kept] = OWN
        return np.maximum(rows, np.float32(1e-4)), share

    def _over(self, values: np.ndarray) -> np.ndarray:
        """(..., codes) sums over the codes of the same column."""
        found: np.ndarray = (values @ self.columns) @ self.columns.T
        return found

    def shares(self, values: np.ndarray) -> np.ndarray:
        """(components, codes) softmax over the codes of each column."""
        raised = np.exp(values - values.max(1, keepdims=True))
        found: np.ndarray = raised / (self._over(raised) + np.float32(1e-30))
        return found

    def weights(self, logits: np.ndarray) -> np.ndarray:
        """(components,) softmax over the components of each stratum, times its share."""
        found = np.empty_like(logits)
        for level, share in enumerate(self.strata):
            found[self.stratum == level] = share * _softmax(logits[self.stratum == level])
        return found

    def gradients(self, values: np.ndarray, logits: np.ndarray) -> tuple[float, list[np.ndarray]]:
        """The weighted squared error and that of the prior, and its gradient by the parameters of the shares and of the
        weights."""
        shares, weights = self.shares(values), self.weights(logits)
        loss = 0.0
        of_shares, of_logits = np.empty_like(shares), np.empty_like(logits)
        for level, share in enumerate(self.strata):
            mine = self.stratum == level
            own, weight = shares[mine], weights[mine]
            alone = weight @ own - self.single[level]
            light = 2 * self.single_weight * alone
            loss += float((self.single_weight * alone**2).sum())
            apart = own.T @ (weight[:, None] * own) - self.pairs[level]
            pulled = self.pair_weight * apart
            loss += float((pulled * apart).sum()) / 2
            # By the shares of a component, but for its weight. Each pair stands twice in `apart`, hence the halves.
            ahead = 2 * (own @ pulled)
            slope = ahead + light
            of_weight = ((ahead / 2 + light) * own).sum(1)
            inner = self._over(slope * own)
            of_shares[mine] = weight[:, None] * own * (slope - inner)
            of_logits[mine] = weight * (of_weight - (weight @ of_weight) / share)
        lost, pulled = self._prior(values)
        return loss + lost, [of_shares + pulled, of_logits]

    def _prior(self, values: np.ndarray) -> tuple[float, np.ndarray]:
        """Squares of the parameters around their mean in the stratum and of these means around their own, by PRIOR, and
        their gradient."""
        members = (self.stratum == np.arange(len(self.strata))[:, None]).astype(np.float32)
        count = members.sum(1, keepdims=True)
        means = members @ values / count
        apart, between = values - means[self.stratum], means - means.mean(0)
        weight = np.float32(1 / PRIOR) / self.known
        loss = float(weight * ((apart**2).sum() + (between**2).sum()))
        return loss, 2 * weight * (apart + (between / count)[self.stratum])


def _softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max())
    found: np.ndarray = raised / raised.sum()
    return found
