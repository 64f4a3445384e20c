"""A mixture of products of categoricals: within a component, columns are independent.

Every question about it has a closed form, since what a component says of a column is one number: the weights of the
components given the evidence are w_k times the product over columns of the mass that component k gives what is known
(Lazarsfeld & Henry 1968; Dunson & Xing 2009, eq. 2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from semblance.modalities.table.generators.leaves import Groups

BLOCK = 2048
TINY = 1e-30


@dataclass(frozen=True)
class Evidence:
    """What is known of n records. Pattern p of column j gives code c the weight `patterns[j][p, c]` in [0, 1].

    `which` (n, d) is the pattern of each record and column. A row of ones says nothing, a row with a single one names
    the code, a set or range has several.
    """

    patterns: tuple[np.ndarray, ...]
    which: np.ndarray

    def free(self, column: int) -> Evidence:
        """The same, with nothing known of a column."""
        patterns = list(self.patterns)
        patterns[column] = np.ones_like(patterns[column])
        return Evidence(tuple(patterns), self.which)


@dataclass(frozen=True)
class Products:
    """`weights` (components,), and `shares` (codes, components): the codes of one column after those of another."""

    weights: np.ndarray
    shares: np.ndarray
    sizes: np.ndarray

    @cached_property
    def offsets(self) -> np.ndarray:
        """(columns + 1,) where the codes of each column begin."""
        return np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.int64)

    def column(self, j: int) -> np.ndarray:
        """(size, components) the shares of a column's codes."""
        return self.shares[self.offsets[j] : self.offsets[j + 1]]

    @cached_property
    def marginals(self) -> tuple[np.ndarray, ...]:
        """Per column (size,) probabilities."""
        return tuple(self.column(j).astype(float) @ self.weights for j in range(len(self.sizes)))

    def log_joint(self, rows: sparse.csr_matrix) -> np.ndarray:
        """(n, components) log of weight times shares of what `rows`, an indicator of codes, holds."""
        joint: np.ndarray = rows @ self._logs
        joint += np.log(self.weights + TINY).astype(np.float32)
        return joint

    @cached_property
    def _logs(self) -> np.ndarray:
        logs: np.ndarray = np.log(self.shares + np.float32(TINY))
        return logs

    def log_prob(self, codes: np.ndarray) -> np.ndarray:
        """(n,) natural log-likelihood of (n, columns) codes."""
        parts = [_log_sum(self.log_joint(rows)) for rows in blocks(codes, self.offsets)]
        return np.concatenate([*parts, np.zeros(0)])

    def posterior(self, evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
        """(n, components) the weights of the components given the evidence, and (n,) its log-probability."""
        masses = [p @ self.column(j) for j, p in enumerate(evidence.patterns)]
        sizes = np.array([len(p) for p in evidence.patterns], dtype=np.int64)
        told = Products(self.weights, np.concatenate([*masses, self.shares[:0]]).astype(np.float32), sizes)
        joint = np.concatenate([told.log_joint(rows) for rows in blocks(evidence.which, told.offsets)])
        total = _log_sum(joint)
        return np.exp(joint - total[:, None]), total

    def conditional(self, evidence: Evidence, column: int) -> np.ndarray:
        """(n, size) probabilities of a column's codes given the evidence, that of the column itself included."""
        weights, _ = self.posterior(evidence.free(column))
        shares = (weights @ self.column(column).T) * evidence.patterns[column][evidence.which[:, column]]
        total = shares.sum(1, keepdims=True)
        return np.where(total > 0, shares, 1 / shares.shape[1]) / np.where(total > 0, total, 1)

    # Draws

    def draw(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes."""
        component = np.sort(_pick(self.weights, rng.random(n)))
        return self._mixed([self._groups[j].draw for j in range(len(self.sizes))], component, rng)

    def choose(self, allowed: tuple[np.ndarray, ...], n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes of records that each column accepts with the weight allowed[j] (size,) of its code."""
        weights, _ = self.posterior(self.one(allowed))
        component = np.sort(_pick(weights[0].astype(float), rng.random(n)))
        limited = [self._groups[j] if (a == 1).all() else Groups(self.column(j).T * a) for j, a in enumerate(allowed)]
        return self._mixed([groups.draw for groups in limited], component, rng)

    def probability(self, allowed: tuple[np.ndarray, ...]) -> float:
        """The probability that a record is accepted."""
        return float(np.exp(self.posterior(self.one(allowed))[1][0]))

    def one(self, allowed: tuple[np.ndarray, ...]) -> Evidence:
        """The evidence of a single record."""
        return Evidence(tuple(a[None].astype(float) for a in allowed), np.zeros((1, len(allowed)), dtype=np.int64))

    def complete(self, evidence: Evidence, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes drawn given the evidence."""
        n = len(evidence.which)
        component = _pick_each(self.posterior(evidence)[0], rng.random(n))
        codes = np.empty(evidence.which.shape, dtype=np.int64)
        for j, patterns in enumerate(evidence.patterns):
            uniform = rng.random(n)
            for p in np.unique(evidence.which[:, j]):
                rows = np.flatnonzero(evidence.which[:, j] == p)
                codes[rows, j] = self._drawn(j, patterns[p], component[rows], uniform[rows])
        return codes

    def _drawn(self, j: int, pattern: np.ndarray, component: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        held = np.flatnonzero(pattern)
        if len(held) == 1:
            return np.full(len(component), held[0])
        if (pattern == 1).all():
            return self._groups[j].draw(component, uniform)
        used, place = np.unique(component, return_inverse=True)
        return Groups(self.column(j)[:, used].T * pattern).draw(place, uniform)

    def _mixed(
        self, draws: list[Callable[..., np.ndarray]], component: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Columns drawn for sorted components, whose tables then lie in the cache; the records shuffled at the end."""
        codes = np.empty((len(component), len(draws)), dtype=np.int64)
        for j, draw in enumerate(draws):
            codes[:, j] = draw(component, rng.random(len(component)))
        return codes[rng.permutation(len(component))]

    @cached_property
    def _groups(self) -> tuple[Groups, ...]:
        return tuple(Groups(self.column(j).T) for j in range(len(self.sizes)))


def blocks(codes: np.ndarray, offsets: np.ndarray, *, size: int = BLOCK) -> Iterator[sparse.csr_matrix]:
    """Indicators (rows, all codes) of consecutive rows of (n, columns) codes; one empty block where there is no row."""
    for start in range(0, max(len(codes), 1), size):
        part = codes[start : start + size] + offsets[:-1]
        ends = np.arange(len(part) + 1) * part.shape[1]
        yield sparse.csr_matrix(
            (np.ones(part.size, dtype=np.float32), part.ravel(), ends), shape=(len(part), int(offsets[-1]))
        )


def _log_sum(joint: np.ndarray) -> np.ndarray:
    top = joint.max(1, keepdims=True)
    total: np.ndarray = top[:, 0] + np.log(np.exp(joint - top).sum(1, dtype=np.float64))
    return total


def _pick(weights: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    ends = np.cumsum(weights, dtype=np.float64)
    return np.minimum(np.searchsorted(ends / ends[-1], uniform, side="right"), len(ends) - 1)


def _pick_each(weights: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    ends = np.cumsum(weights, axis=1, dtype=np.float64)
    chosen: np.ndarray = (ends <= uniform[:, None] * ends[:, -1:]).sum(1)
    return np.minimum(chosen, weights.shape[1] - 1)
