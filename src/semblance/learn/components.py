"""Records of classes around their means, along the directions in which most of them differ (probabilistic principal
components; Tipping & Bishop, JRSS B 1999): what is Gaussian about them, in a few numbers of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.utils.extmath import randomized_svd

FITTED, NUMBERS = 4_000, 100_000_000
"""Records, at most, by which the directions are found, and numbers that these have together."""


@dataclass(frozen=True, eq=False)
class Components:
    """`means` (kinds, d), `axes` (k, d) orthonormal rows, `spreads` (kinds, k) standard deviations along them, and
    `rest` (d,) standard deviations of what they leave over."""

    means: np.ndarray
    axes: np.ndarray
    spreads: np.ndarray
    rest: np.ndarray

    @classmethod
    def fit(
        cls, rows: np.ndarray, labels: np.ndarray, *, kinds: int, most: int, rng: np.random.Generator
    ) -> Components:
        """Of (n, d) rows of classes (n,), at most so many components; a class without any row is like all."""
        means = np.tile(rows.mean(0, dtype=float), (kinds, 1)).astype(np.float32)
        for kind in np.unique(labels):
            means[kind] = rows[labels == kind].mean(0, dtype=float)
        some = np.sort(rng.permutation(len(rows))[: max(2, min(FITTED, NUMBERS // rows.shape[1]))])
        left = rows[some] - means[labels[some]]
        count = min(most, len(some) - 1, rows.shape[1])
        if count < 1 or not left.any():
            return cls(means, np.empty((0, rows.shape[1]), np.float32), np.empty((kinds, 0)), left.std(0))
        axes = randomized_svd(left, count, random_state=int(rng.integers(2**31)))[2].astype(np.float32)
        along = left @ axes.T
        spreads = np.tile(along.std(0), (kinds, 1))
        for kind in np.unique(labels[some]):
            spreads[kind] = np.sqrt((along[labels[some] == kind] ** 2).mean(0))
        return cls(means, axes, spreads.astype(np.float32), (left - along @ axes).std(0))

    def along(self, rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """(n, k) coordinates of (n, d) rows of classes (n,)."""
        made: np.ndarray = rows @ self.axes.T - (self.means @ self.axes.T)[labels]
        return made

    def rows(self, along: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) float32 rows of coordinates (n, k); what they leave over is drawn."""
        noise = rng.standard_normal((len(along), self.means.shape[1]), dtype=np.float32)
        made: np.ndarray = self.means[labels] + along.astype(np.float32) @ self.axes + noise * self.rest
        return made.astype(np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it."""
        return {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in vars(self).items()}

    @classmethod
    def restored(cls, arrays: Mapping[str, np.ndarray]) -> Components:
        """The inverse of `arrays`."""
        return cls(**{name: arrays[name] for name in ("means", "axes", "spreads", "rest")})
