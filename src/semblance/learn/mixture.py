"""Of each class a mixture of Gaussians over numbers that are given and numbers to be drawn: exact, fitted in seconds.

McLachlan & Peel, Finite Mixture Models, 2000.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.special import logsumexp
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from semblance.learn.drawn import Learned, Sizes

LEARNED_FROM, CALM, FAR = 10_000, 1e-3, 2.0
PATIENTS = 10
"""How many patients there are for each Gaussian, at least."""


@dataclass(frozen=True, eq=False)
class Gaussians:
    """(m,) `weights`, (m, d) `means` and (m, d, d) `spreads` (covariances)."""

    weights: np.ndarray
    means: np.ndarray
    spreads: np.ndarray


def _mixture(rows: np.ndarray, whose: np.ndarray, *, most: int, rng: np.random.Generator) -> Gaussians:
    """Of few rows, or few patients, one Gaussian, whose covariance is drawn towards its diagonal: many records of one
    patient are no reason for a Gaussian of its own."""
    some = rng.permutation(len(rows))[:LEARNED_FROM]
    rows, behind = rows[some], len(np.unique(whose[some]))
    n, d = rows.shape
    count = int(np.clip(min(n // (10 * d), behind // PATIENTS), 1, most))
    if count == 1:
        calm = d / (n + d)
        spread = np.cov(rows.T).reshape(d, d) if n > 1 else np.zeros((d, d))
        spread = (1 - calm) * spread + (calm + CALM) * np.diag(np.maximum(np.diag(spread), CALM))
        return Gaussians(np.ones(1), rows.mean(0)[None], spread[None])
    mixture = GaussianMixture(count, reg_covar=CALM, max_iter=20, tol=1e-2, random_state=int(rng.integers(2**31)))
    with warnings.catch_warnings():  # a floor need not converge
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = mixture.fit(rows)
    return Gaussians(found.weights_, found.means_, found.covariances_)


@dataclass(frozen=True, eq=False)
class Mixtures:
    """A mixture for each kind over `given` numbers and then coefficients."""

    kinds: tuple[Gaussians, ...]
    given: int

    @classmethod
    def fit(cls, learned: Learned, *, most: int, rng: np.random.Generator) -> Mixtures:
        """One mixture of at most so many Gaussians for each class; fewer where a class has few patients."""
        both = np.concatenate([learned.given, learned.coefficients], 1).astype(np.float64)
        of = [learned.labels == k for k in range(learned.kinds)]
        kinds = [_mixture(both[rows], learned.subjects[rows], most=most, rng=rng) for rows in of]
        return cls(tuple(kinds), learned.given.shape[1])

    @classmethod
    def restored(cls, sizes: Sizes, arrays: Mapping[str, np.ndarray]) -> Mixtures:
        """The inverse of `arrays`."""
        parts = ("weights", "means", "spreads")
        kinds = (Gaussians(*(arrays[f"{k}.{part}"] for part in parts)) for k in range(sizes.kinds))
        return cls(tuple(kinds), sizes.given)

    def draw(self, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) numbers, exactly from the mixtures' conditional distributions."""
        width = self.kinds[0].means.shape[1] - self.given
        made = np.zeros((len(labels), width), dtype=np.float32)
        for kind, mixture in enumerate(self.kinds):
            rows = np.flatnonzero(labels == kind)
            made[rows] = _drawn(mixture, given[rows].astype(np.float64), rng=rng)
        return made

    def arrays(self) -> dict[str, np.ndarray]:
        """The mixtures, by kind."""
        return {f"{k}.{part}": value for k, one in enumerate(self.kinds) for part, value in vars(one).items()}


def _drawn(mixture: Gaussians, known: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """(n, d) draws given (n, c) numbers: first which Gaussian, then the rest of it."""
    c = known.shape[1]
    chosen, noise = _chosen(mixture, known, rng=rng), rng.standard_normal((len(known), mixture.means.shape[1] - c))
    for m in np.unique(chosen):
        rows, mean, spread = chosen == m, mixture.means[m], mixture.spreads[m]
        unit = cholesky(spread[:c, :c], lower=True) if c else np.zeros((0, 0))
        pull = solve_triangular(unit, spread[:c, c:], lower=True)
        root = cholesky(spread[c:, c:] - pull.T @ pull + 1e-9 * np.eye(len(mean) - c), lower=True)
        away = _near(solve_triangular(unit, (known[rows] - mean[:c]).T, lower=True).T)
        noise[rows] = mean[c:] + away @ pull + noise[rows] @ root.T
    return noise


def _near(away: np.ndarray) -> np.ndarray:
    """(n, c) whitened distances, none longer than FAR of the usual: beyond it a Gaussian of few records, in which what
    is given hardly varies, would take something new for its direction to anywhere."""
    usual = FAR * np.sqrt(max(away.shape[1], 1))
    drawn_in: np.ndarray = away * np.minimum(1, usual / np.maximum(np.linalg.norm(away, axis=1), 1e-9))[:, None]
    return drawn_in


def _chosen(mixture: Gaussians, known: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """(n,) which Gaussian, by its share given what is known."""
    c = known.shape[1]
    logs = np.tile(np.log(mixture.weights), (len(known), 1))
    for m in range(len(mixture.weights) if c else 0):
        root = cholesky(mixture.spreads[m, :c, :c], lower=True)
        apart = known - mixture.means[m, :c]
        distance = (apart * cho_solve((root, True), apart.T).T).sum(1)
        logs[:, m] -= 0.5 * distance + np.log(np.diag(root)).sum()
    shares = np.exp(logs - logsumexp(logs, 1, keepdims=True)).cumsum(1)
    return np.minimum((rng.random((len(known), 1)) > shares).sum(1), shares.shape[1] - 1)
