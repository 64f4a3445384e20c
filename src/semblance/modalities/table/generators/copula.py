"""Gaussian copula over codes: every column keeps its own distribution, and one correlation matrix ties them.

Codes are ordered (numbers by value, categories by frequency), mapped to normal scores at the middle of their step of
the distribution function, and sampled back through it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from semblance.core.model import Card
from semblance.modalities.table.codes import Numbers
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.coded import CodedModel, CodedSpec, saved
from semblance.modalities.table.generators.marginals import pick, shares_of, split_by_sizes

CARD = Card(
    name="copula",
    summary="Gaussian copula: exact marginals and linear rank correlations; fits in a second",
    paper="Sklar 1959; Patki et al., The Synthetic Data Vault, DSAA 2016",
)


@dataclass(frozen=True)
class Copula(CodedSpec):
    """Correlated normal scores, one per column."""

    card: ClassVar[Card] = CARD

    def learn(self, encoding: Encoding, codes: np.ndarray) -> CopulaModel:
        """Count the codes of each column and correlate their normal scores."""
        shares = shares_of(codes, encoding.sizes)
        ranks = tuple(rank_of(column, share) for column, share in zip(encoding.columns, shares, strict=True))
        scores = np.column_stack(
            [_scores(c, r, s) for c, r, s in zip(codes.T, ranks, shares, strict=True)] or [np.zeros(0)]
        )
        return CopulaModel(encoding, self.to_json(), shares, ranks, _factor(scores))

    @staticmethod
    def load(folder: Path) -> CopulaModel:
        """The inverse of `save`."""
        encoding, options, arrays = saved(folder)
        shares, ranks = (split_by_sizes(arrays[name], encoding.sizes) for name in ("shares", "ranks"))
        return CopulaModel(encoding, options, shares, ranks, arrays["factor"])


@dataclass(frozen=True)
class CopulaModel(CodedModel):
    """`shares` and `ranks` per column, and `factor` (d, d), the Cholesky factor of the correlation."""

    shares: tuple[np.ndarray, ...]
    ranks: tuple[np.ndarray, ...]
    factor: np.ndarray
    card: ClassVar[Card] = CARD

    def draw(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes."""
        from scipy.special import ndtr

        uniform = ndtr(rng.standard_normal((n, len(self.factor))) @ self.factor.T)[:, : len(self.shares)]
        ordered = tuple(share[rank] for share, rank in zip(self.shares, self.ranks, strict=True))
        places = pick(ordered, uniform)
        return np.column_stack(
            [rank[places[:, j]] for j, rank in enumerate(self.ranks)] or [np.zeros((n, 0), dtype=np.int64)]
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Shares and ranks one column after the other, and the factor."""
        flat = {name: np.concatenate([*getattr(self, name), np.zeros(0)]) for name in ("shares", "ranks")}
        return {"shares": flat["shares"], "ranks": flat["ranks"].astype(np.int64), "factor": self.factor}


def rank_of(column: object, share: np.ndarray) -> np.ndarray:
    """The codes in the order in which the copula sees them: numbers by value, categories by frequency."""
    if not isinstance(column, Numbers):
        return np.argsort(-share, kind="stable")
    return np.argsort(np.nan_to_num(column.middles, nan=-np.inf, posinf=np.inf, neginf=-np.inf), kind="stable")


def _scores(codes: np.ndarray, rank: np.ndarray, share: np.ndarray) -> np.ndarray:
    from scipy.special import ndtri

    upper = np.cumsum(share[rank])
    middle = np.empty(len(rank))
    middle[rank] = np.clip(upper - share[rank] / 2, 1e-6, 1 - 1e-6)
    scores: np.ndarray = ndtri(middle)[codes]
    return scores


def _factor(scores: np.ndarray) -> np.ndarray:
    """Cholesky factor of the scores' correlation, made positive definite by clipping its eigenvalues."""
    d = scores.shape[1]
    if len(scores) < 2 or d == 0:
        return np.eye(d)
    centred = scores - scores.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    unit = centred / np.where(spread > 0, spread, 1)
    correlation = unit.T @ unit / len(scores)
    values, vectors = np.linalg.eigh(correlation)
    fixed = (vectors * np.maximum(values, 1e-6)) @ vectors.T + np.diag((spread == 0).astype(float))
    scale = np.sqrt(np.diag(fixed))
    return np.linalg.cholesky(fixed / np.outer(scale, scale))
