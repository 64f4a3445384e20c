"""Factor analysis of what is mostly missing: each stay by a few numbers, of which its means are linear functions.

Probabilistic principal components with missing values, fitted by EM (Roweis, NIPS 1998; Tipping & Bishop, JRSS B 1999),
the precision of a mean growing with how many measurements it is of. Where little was measured, a stay's numbers are
drawn from what that leaves open, so that those of all stays are normal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ROUNDS, LEARNED_FROM = 10, 2_000
ALIKE = 0.3
"""Share of the variance of a single measurement that the mean of many still has."""


@dataclass(frozen=True, eq=False)
class Factors:
    """`centre` (d,), `axes` (d, k) and `noise` (d,), the variance of one measurement around them."""

    centre: np.ndarray
    axes: np.ndarray
    noise: np.ndarray

    @classmethod
    def fit(cls, means: np.ndarray, count: np.ndarray, *, k: int, rng: np.random.Generator) -> Factors:
        """From (n, d) means of `count` (n, d) measurements each; those of no measurement count for nothing.

        A column without any measurement has the mean of what stands there as its centre.
        """
        some = rng.permutation(len(means))[:LEARNED_FROM]
        means, count = means[some], count[some]
        there = count > 0
        total = np.maximum(there.sum(0), 1)
        centre = np.where(there.any(0), np.where(there, means, 0).sum(0) / total, means.mean(0))
        x = np.where(there, means - centre, 0.0)
        k = min(k, max(min(x.shape) - 1, 1))
        axes = np.ascontiguousarray(np.linalg.svd(x, full_matrices=False)[2][:k].T)  # as saved ones are
        spread = x @ axes
        found = cls(centre, axes * np.maximum(spread.std(0), 1e-3), np.maximum((x**2).sum(0) / total, 1e-3))
        for _ in range(ROUNDS):
            found = found._better(x, count)
        return found

    def _better(self, x: np.ndarray, count: np.ndarray) -> Factors:
        """One round of EM."""
        weight = self._weights(count)
        mean, cover = self._posterior(x, weight)
        k = mean.shape[1]
        second = (cover + mean[:, :, None] * mean[:, None, :]).reshape(len(x), k * k)
        left = (weight.T @ second).reshape(x.shape[1], k, k) + np.eye(k)
        axes = np.linalg.solve(left, ((weight * x).T @ mean)[:, :, None])[:, :, 0]
        there = count > 0
        away = np.where(there, x - mean @ axes.T, 0.0) ** 2
        unsure = (there.T.astype(float) @ cover.reshape(len(x), k * k)).reshape(x.shape[1], k, k)
        noise = (away / _shares(count)).sum(0) + np.einsum("dk,dkl,dl->d", axes, unsure, axes)
        return Factors(self.centre, axes, np.maximum(noise / np.maximum(there.sum(0), 1), 1e-2))

    def _weights(self, count: np.ndarray) -> np.ndarray:
        made: np.ndarray = np.where(count > 0, 1 / (self.noise * _shares(count)), 0.0)
        return made

    def _posterior(self, x: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, k) means and (n, k, k) covariances of the numbers of each stay."""
        k = self.axes.shape[1]
        squares = (self.axes[:, :, None] * self.axes[:, None, :]).reshape(len(self.axes), k * k)
        cover = np.linalg.inv((weight @ squares).reshape(len(x), k, k) + np.eye(k))
        mean = np.einsum("nkl,nl->nk", cover, (weight * x) @ self.axes)
        return mean, cover

    def draw(self, means: np.ndarray, count: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, k) numbers of each stay, drawn from what its means leave open."""
        x = np.where(count > 0, means - self.centre, 0.0)
        mean, cover = self._posterior(x, self._weights(count))
        root = np.linalg.cholesky(cover + 1e-9 * np.eye(cover.shape[1]))
        made: np.ndarray = mean + np.einsum("nkl,nl->nk", root, rng.standard_normal(mean.shape))
        return made

    def means(self, numbers: np.ndarray) -> np.ndarray:
        """(n, d) means of (n, k) numbers."""
        made: np.ndarray = self.centre + numbers @ self.axes.T
        return made


def patients_of(there: np.ndarray, who: np.ndarray) -> np.ndarray:
    """(d,) how many of the patients (n,) have something, from whether their stays do (n, d)."""
    code = np.unique(who, return_inverse=True)[1]
    found = np.zeros((int(code.max(initial=-1)) + 1, there.shape[1]), dtype=bool)
    np.logical_or.at(found, code, there)
    made: np.ndarray = found.sum(0)
    return made


def _shares(count: np.ndarray) -> np.ndarray:
    """The variance of a mean of so many measurements, as a share of that of one."""
    made: np.ndarray = ALIKE + (1 - ALIKE) / np.maximum(count, 1)
    return made
