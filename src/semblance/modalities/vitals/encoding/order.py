"""Channels of which one is never below the other where both are measured: systolic, mean and diastolic pressure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.encoding.groups import together

ALWAYS, FEWEST = 0.99, 100
"""The share of moments with both that must keep the order, and how many these are at least."""
NEAR, ALIKE = 0.5, 0.5
"""Channels of which one is measured at less than this share of the other's moments, or whose values correlate less, are
no family: that one is rarely below the other then says nothing."""


def found(stays: Stays) -> tuple[tuple[int, ...], ...]:
    """Chains of channels of one unit, the highest first, that the data keep."""
    c = len(stays.channels)
    keeps = np.zeros((c, c), dtype=bool)
    both = together(stays)
    alone = np.diag(both)
    for high in range(c):
        for low in range(c):
            enough = both[high, low] >= max(FEWEST, NEAR * min(alone[high], alone[low]))
            if high != low and enough and stays.channels[high].unit == stays.channels[low].unit:
                keeps[high, low] = _keeps(stays, high, low)
    return _chains(keeps)


def _keeps(stays: Stays, high: int, low: int) -> bool:
    upper, lower = pairs(stays, high, low)
    if (upper >= lower).mean() < ALWAYS or (upper > lower).mean() < NEAR:
        return False
    return bool(min(upper.std(), lower.std()) > 0 and np.corrcoef(upper, lower)[0, 1] >= ALIKE)


def pairs(stays: Stays, one: int, other: int) -> tuple[np.ndarray, np.ndarray]:
    """The values of two channels at all moments that have both."""
    a, b = np.flatnonzero(stays.channel == one), np.flatnonzero(stays.channel == other)
    _, i, j = np.intersect1d(stays.moment[a], stays.moment[b], return_indices=True)
    return stays.value[a[i]], stays.value[b[j]]


def _chains(keeps: np.ndarray) -> tuple[tuple[int, ...], ...]:
    """The longest chains of a relation, each channel in one of them."""
    chains, left = [], set(np.flatnonzero(keeps.any(0) | keeps.any(1)).tolist())
    for top in sorted(left, key=lambda k: (-keeps[k].sum(), k)):
        if top not in left:
            continue
        chain = [top]
        for k in sorted(left - {top}, key=lambda k: (-keeps[k].sum(), k)):
            if all(keeps[above, k] for above in chain):
                chain.append(k)
        if len(chain) > 1:
            chains.append(tuple(chain))
            left -= set(chain)
    return tuple(chains)


def named(chains: Sequence[Sequence[str]], stays: Stays) -> tuple[tuple[int, ...], ...]:
    """Chains by name as chains of codes; channels that there are none of are left out."""
    code = {name: k for k, name in enumerate(stays.names)}
    made = (tuple(code[name] for name in chain if name in code) for chain in chains)
    return tuple(chain for chain in made if len(chain) > 1)


def kept(moment: np.ndarray, channel: np.ndarray, value: np.ndarray, chains: Sequence[Sequence[int]]) -> np.ndarray:
    """(m,) the values, those of a chain at one moment in falling order."""
    value = value.copy()
    for chain in chains:
        rank = np.full(int(channel.max(initial=0)) + 1, -1)
        inside = [k for k in chain if k < len(rank)]
        rank[inside] = np.arange(len(inside))
        at = np.flatnonzero(rank[channel] >= 0)
        by_place = at[np.lexsort((rank[channel[at]], moment[at]))]
        by_value = at[np.lexsort((-value[at], moment[at]))]
        value[by_place] = value[by_value]
    return value
