"""Channels that are nearly always measured together are one group: pressures in threes, a panel of the laboratory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from semblance.modalities.vitals.data import Stays

TOGETHER = 0.9
"""The share of moments with either channel that must have both."""


@dataclass(frozen=True, eq=False)
class Groups:
    """`of` (c,) the group of each channel, the most frequent first, and `share` (c,) of its moments that have it."""

    of: np.ndarray
    share: np.ndarray

    @classmethod
    def find(cls, stays: Stays) -> Groups:
        """The groups of the channels of stays."""
        c = len(stays.channels)
        count = together(stays)
        alone = np.diag(count)
        either = alone[:, None] + alone - count
        linked = count / np.maximum(either, 1) >= TOGETHER
        label = connected_components(coo_matrix(linked), directed=False)[1]
        moments = int(stays.moment[-1]) + 1 if len(stays.moment) else 0
        there = np.zeros((moments, label.max() + 1 if c else 0), dtype=bool)
        there[stays.moment, label[stays.channel]] = True
        often = there.sum(0)
        rank = np.argsort(np.argsort(-often, kind="stable"), kind="stable")
        return cls(rank[label], alone / np.maximum(often[label], 1))

    def __len__(self) -> int:
        return int(self.of.max()) + 1 if len(self.of) else 0


def together(stays: Stays) -> np.ndarray:
    """(c, c) at how many moments two channels are measured."""
    c = len(stays.channels)
    moments = int(stays.moment[-1]) + 1 if len(stays.moment) else 0
    there = coo_matrix((np.ones(len(stays.moment)), (stays.moment, stays.channel)), shape=(moments, c)).tocsr()
    return np.asarray((there.T @ there).todense())
