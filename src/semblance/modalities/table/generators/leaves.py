"""Smoothed shares of codes in small groups of records, and very fast draws from many such groups at once.

A group of a few records knows little about a column. Its counts are spread along the order of the codes by a kernel
whose steps are shares of the records, so that a spike keeps its height, and pulled toward the whole table's shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from semblance.modalities.table.generators.marginals import shares_of

BALANCING = 60


@dataclass(frozen=True)
class Smoother:
    """How counts of the codes of one column become shares: `marginal` (size,), `kernel` (size, size) or None.

    A group of N records with counts c has the shares (kernel c + weight marginal) / (N + weight): a Dirichlet prior of
    `weight` records, after the kernel has spread the counts.
    """

    marginal: np.ndarray
    kernel: np.ndarray | None
    weight: float

    def shares(self, counts: np.ndarray, size: np.ndarray) -> np.ndarray:
        """(codes, groups) float32 shares of (codes, groups) counts in groups of (groups,) records."""
        prior = np.float32(self.weight) * self.marginal.astype(np.float32)[:, None]
        spread = counts if self.kernel is None else self.kernel @ counts
        shares: np.ndarray = (spread + prior) / np.maximum(size + np.float32(self.weight), np.float32(1e-9))
        return shares.astype(np.float32, copy=False)


def smoothers(
    codes: np.ndarray, sizes: np.ndarray, positions: list[np.ndarray], *, weight: float, width: float
) -> tuple[Smoother, ...]:
    """One per column of (n, d) codes. `width` is the kernel's standard deviation as a share of the records; 0: none."""
    marginals = (_positive(share, len(codes)) for share in shares_of(codes, sizes))
    return tuple(
        Smoother(share, kernel(share, position, width=width) if width > 0 else None, weight)
        for share, position in zip(marginals, positions, strict=True)
    )


def kernel(marginal: np.ndarray, positions: np.ndarray, *, width: float) -> np.ndarray | None:
    """(size, size) float32: column c says where a record of code c goes. None where codes have no order.

    A Gaussian in the distance of mid-ranks, balanced (Sinkhorn & Knopp 1967) so that columns sum to 1 and the marginal
    shares stay as they are. Codes without a position, such as the missing value, keep their records.
    """
    ordered = np.flatnonzero(~np.isnan(positions))
    ordered = ordered[np.argsort(positions[ordered], kind="stable")]
    if len(ordered) < 2:
        return None
    share = marginal[ordered] / marginal[ordered].sum()
    rank = np.cumsum(share) - share / 2
    near = np.exp(-0.5 * ((rank[:, None] - rank) / width) ** 2)
    scale = np.ones(len(share))
    for _ in range(BALANCING):
        scale = np.sqrt(scale / (near @ (scale * share)))
    moved = (scale * share)[:, None] * near * scale
    found = np.eye(len(positions))
    found[np.ix_(ordered, ordered)] = moved / moved.sum(0)
    return found.astype(np.float32)


def _positive(share: np.ndarray, records: int) -> np.ndarray:
    """Shares with half a record spread over all codes, so that none is impossible."""
    return (share * records + 0.5 / len(share)) / (records + 0.5)


@dataclass(frozen=True)
class Groups:
    """The shares (groups, size) of the codes of one column in many groups."""

    shares: np.ndarray

    @cached_property
    def ends(self) -> np.ndarray:
        """(groups * size,) the distribution functions one after the other, that of group g between g and g + 1."""
        ends = np.cumsum(self.shares, axis=1, dtype=np.float64)
        ends /= np.maximum(ends[:, -1:], 1e-300)
        return (ends + np.arange(len(ends))[:, None]).ravel()

    def draw(self, group: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """(n,) codes of (n,) groups by inverse distribution function, all in one search. Fastest where sorted."""
        size = self.shares.shape[1]
        found = np.searchsorted(self.ends, group + uniform, side="right") - group * size
        return np.clip(found, 0, size - 1)
