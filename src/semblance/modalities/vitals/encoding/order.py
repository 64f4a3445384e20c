"""Channels of which one is never below the other where both are measured: systolic, mean and diastolic pressure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.declare import joined
from semblance.modalities.vitals.encoding.groups import together

ALWAYS, FEWEST = 0.99, 100
"""The share of moments with both that must keep the order, and how many these are at least."""
NEAR, ALIKE = 0.5, 0.5
"""Channels of which one is measured at less than this share of the other's moments, or whose values correlate less, are
no family: that one is rarely below the other then says nothing."""
SCALE = 3.0
"""How many times larger one's median or spread may be than the other's, if both are to measure one quantity: systolic
and diastolic pressure do, a heart rate is always above a lactate and does not."""


def found(stays: Stays) -> tuple[tuple[int, ...], ...]:
    """Chains of channels of one unit and scale, the highest first, that the data keep."""
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
    if not min(upper.std(), lower.std()) > 0 or np.corrcoef(upper, lower)[0, 1] < ALIKE:
        return False
    sizes = np.abs([[f(upper), f(lower)] for f in (np.median, np.std)])
    return bool((sizes.max(1) <= SCALE * sizes.min(1)).all())


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
    """Chains by name as chains of codes, those that share channels joined; channels that there are none of are left
    out."""
    code = {name: k for k, name in enumerate(stays.names)}
    made = ([code[name] for name in chain if name in code] for chain in chains)
    return joined([chain for chain in made if len(chain) > 1])


def kept(
    moment: np.ndarray, channel: np.ndarray, value: np.ndarray, chains: Sequence[Sequence[int]], decimals: np.ndarray
) -> np.ndarray:
    """(m,) the values, those of a chain at one moment in falling order, each with the `decimals` (c,) of its channel.

    Values change places; where chains share channels, and where the decimals differ, the lower ones come down.
    """
    value = value.copy()
    for chain in chains:
        rank = _ranks(channel, chain)
        at = np.flatnonzero(rank >= 0)
        by_place = at[np.lexsort((rank[at], moment[at]))]
        by_value = at[np.lexsort((-value[at], moment[at]))]
        value[by_place] = value[by_value]
    before = np.full(len(value), np.nan)
    while not np.array_equal(before, value, equal_nan=True):
        before = value.copy()
        for chain in chains:
            _lower(moment, channel, value, chain, decimals)
    return value


def _ranks(channel: np.ndarray, chain: Sequence[int]) -> np.ndarray:
    """(m,) the place of each channel in a chain, -1 where it has none."""
    rank = np.full(max(int(channel.max(initial=0)), *chain) + 1, -1)
    rank[list(chain)] = np.arange(len(chain))
    made: np.ndarray = rank[channel]
    return made


def _lower(
    moment: np.ndarray, channel: np.ndarray, value: np.ndarray, chain: Sequence[int], decimals: np.ndarray
) -> None:
    """Round the values of a chain, and bring down, in place, each that is above a higher one of its moment."""
    cap = np.full(int(moment.max(initial=-1)) + 1, np.inf)
    for code in chain:
        at = np.flatnonzero(channel == code)
        step = 10.0 ** decimals[code]
        rounded, most = np.round(value[at], decimals[code]), cap[moment[at]]
        under = np.round(np.floor(np.where(np.isfinite(most), most, 0.0) * step + 1e-6) / step, decimals[code])
        value[at] = np.where(rounded > most, under, rounded)
        cap[moment[at]] = value[at]
