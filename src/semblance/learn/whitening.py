"""Vectors of each class around its mean, turned and scaled to have no covariance: what is left to learn is what is not
normal. A class of few records borrows from the covariance of all (as in Friedman's regularised discriminants, 1989)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from semblance.learn.drawn import Drawer, Learned

CALM = 0.02
"""Of the variance of each number that is kept beside its covariances: directions without any are not blown up."""


@dataclass(frozen=True, eq=False)
class Whitening:
    """`means` (k, d) and `roots` (k, d, d), symmetric square roots of covariances, of k classes."""

    means: np.ndarray
    roots: np.ndarray

    @classmethod
    def fit(cls, learned: Learned) -> Whitening:
        """From vectors of classes; a class without any is like all."""
        x = learned.coefficients.astype(np.float64)
        d = x.shape[1]
        means = np.tile(x.mean(0) if len(x) else np.zeros(d), (learned.kinds, 1))
        for k in np.unique(learned.labels):
            means[k] = x[learned.labels == k].mean(0)
        within = x - means[learned.labels]
        pooled = _calmed(within)
        roots = []
        for k in range(learned.kinds):
            own = within[learned.labels == k]
            share = len(own) / (len(own) + d)
            roots.append(_root(share * _calmed(own) + (1 - share) * pooled))
        return cls(means, np.array(roots).reshape(learned.kinds, d, d))

    def whitened(self, learned: Learned) -> Learned:
        """The vectors as they are to be learned."""
        made = np.zeros_like(learned.coefficients)
        for k in np.unique(learned.labels):
            rows = learned.labels == k
            made[rows] = np.linalg.solve(self.roots[k], (learned.coefficients[rows] - self.means[k]).T).T
        return replace(learned, coefficients=made)

    def coloured(self, numbers: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """(n, d) float32: the inverse, for (n,) classes."""
        made = np.zeros_like(numbers, dtype=np.float32)
        for k in np.unique(labels):
            rows = labels == k
            made[rows] = self.means[k] + numbers[rows] @ self.roots[k]
        return made


def _calmed(x: np.ndarray) -> np.ndarray:
    """(d, d) the covariance of centred rows, drawn a little towards its diagonal."""
    cover = x.T @ x / max(len(x), 1)
    made: np.ndarray = (1 - CALM) * cover + CALM * np.diag(np.maximum(np.diag(cover), CALM))
    return made


def _root(cover: np.ndarray) -> np.ndarray:
    size, axes = np.linalg.eigh(cover)
    made: np.ndarray = (axes * np.sqrt(np.maximum(size, 1e-6))) @ axes.T
    return made


@dataclass(frozen=True, eq=False)
class Coloured:
    """What draws whitened vectors, and how they become vectors again."""

    inner: Drawer
    whitening: Whitening

    def draw(self, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) numbers of records."""
        return self.whitening.coloured(self.inner.draw(labels, given, rng=rng), labels)

    def arrays(self) -> dict[str, np.ndarray]:
        """Those of both."""
        return {**self.inner.arrays(), f"{WHITE}means": self.whitening.means, f"{WHITE}roots": self.whitening.roots}


WHITE = "whitening."


def parted(arrays: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], Whitening]:
    """The arrays of what draws, and the whitening: the inverse of `Coloured.arrays`."""
    inner = {name: array for name, array in arrays.items() if not name.startswith(WHITE)}
    return inner, Whitening(arrays[f"{WHITE}means"], arrays[f"{WHITE}roots"])
