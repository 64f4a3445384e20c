"""One continuous column of all samples on one line: for distances and for ranks.

Distances are exact. Without each block of patients they are taken at no more than MOST points (of equal mass and of
equal distance), and moved to the exact value: the jackknife needs differences, and a finer line does not change them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from semblance.core.dataset import Part
from semblance.core.schema import Column
from semblance.modalities.table.grid import finite
from semblance.modalities.table.metrics.places import places
from semblance.modalities.table.metrics.samples import Measured, samples

MOST = 1024
FAR = 10.0


@dataclass(frozen=True)
class Line:
    """The known values of a column.

    `scaled` (u,): the distinct values of all samples, rising, as multiples of train's q95 - q05 from its median, cut at
    FAR: no absurd value, infinite or not, outweighs all others. `place` (n,): where each record stands, u if missing.
    `cuts`: the points at which blocks are counted; `below` (cuts, 1 + blocks): records up to each, of all and then
    without each block; `records` (1 + blocks,): all records, missing or not.
    """

    scaled: np.ndarray
    cuts: np.ndarray
    place: Mapping[Part, np.ndarray]
    below: Mapping[Part, np.ndarray]
    records: Mapping[Part, np.ndarray]

    def kolmogorov(self, a: Part, b: Part) -> np.ndarray:
        """(1 + blocks,) the largest difference of cumulative shares, missing being one more value at the right end."""
        if not len(self.cuts):
            return np.zeros(len(self.records[a]))
        gap = np.abs(self.below[a] / self.records[a] - self.below[b] / self.records[b]).max(axis=0)
        fine = self._share(a, self.records[a][0]) - self._share(b, self.records[b][0])
        return _settled(gap, float(np.abs(fine).max()))

    def wasserstein(self, a: Part, b: Part) -> np.ndarray:
        """(1 + blocks,) distance W1 of the known values; 1 where only one side has any, 0 where none has."""
        known = [self.known(part) for part in (a, b)]
        if not len(self.cuts) or min(k[0] for k in known) == 0:
            return np.full(len(self.records[a]), float(max((k[0] for k in known), default=0) > 0))
        shares = [self.below[part] / np.maximum(k, 1) for part, k in zip((a, b), known, strict=True)]
        gap = np.abs(shares[0] - shares[1])[:-1].T @ np.diff(self.scaled[self.cuts])
        fine = self._share(a, known[0][0]) - self._share(b, known[1][0])
        return _settled(gap, float(np.abs(fine[:-1]) @ np.diff(self.scaled)))

    def known(self, part: Part) -> np.ndarray:
        """(1 + blocks,) records that are not missing."""
        return self.below[part][-1] if len(self.cuts) else np.zeros_like(self.records[part])

    def values(self, part: Part) -> np.ndarray:
        """(n,) scaled values, missing as NaN."""
        return _looked_up(self.scaled, self.place[part])

    def ranks(self, part: Part) -> np.ndarray:
        """(n,) mid-ranks among the part's own known values, from 0 to 1; missing as NaN."""
        held = _held(self.place[part], len(self.scaled))
        return _looked_up((np.cumsum(held) - (held - 1) / 2) / max(held.sum(), 1), self.place[part])

    def _share(self, part: Part, total: float) -> np.ndarray:
        share: np.ndarray = np.cumsum(_held(self.place[part], len(self.scaled))) / total
        return share


def _settled(coarse: np.ndarray, exact: float) -> np.ndarray:
    """The coarse statistics, moved so that the first is exact."""
    return np.concatenate([[exact], np.maximum(coarse[1:] + (exact - coarse[0]), 0)])


def _held(place: np.ndarray, size: int) -> np.ndarray:
    return np.bincount(place, minlength=size + 1)[:-1].astype(float)


def _looked_up(known: np.ndarray, place: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.append(known, np.nan)[place]
    return found


def line(evidence: Measured, column: Column) -> Line:
    """The line of a column."""
    return evidence.once(("line", column.name), lambda: _line(evidence, column))


def _line(evidence: Measured, column: Column) -> Line:
    found = places(evidence, column)
    scaled = _scaled(found.values, evidence.train.frame[column.name].to_numpy())
    cuts = _cuts(scaled, _held(np.concatenate(list(found.at.values())), len(scaled)))
    cell = np.append(np.searchsorted(cuts, np.arange(len(scaled)), side="left"), len(cuts))
    # Records from cut to cut, and missing ones last.
    count = {part: sample.count(cell[found.at[part]], len(cuts) + 1) for part, sample in samples(evidence).items()}
    return Line(
        scaled,
        cuts,
        found.at,
        {part: np.cumsum(c[:-1], axis=0) for part, c in count.items()},
        {part: c.sum(axis=0) for part, c in count.items()},
    )


def _scaled(points: np.ndarray, reference: np.ndarray) -> np.ndarray:
    known = finite(reference)
    low, middle, high = np.quantile(known, [0.05, 0.5, 0.95]) if len(known) else (0.0, 0.0, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(known.std()) if len(known) else 0.0
        scale = next((s for s in (float(high - low), spread) if 0 < s < np.inf), 1.0)
        moved: np.ndarray = np.clip((points - middle) / scale, -FAR, FAR)
    return moved


def _cuts(scaled: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Positions at most MOST of the points, the last among them: half of them equal in mass, half in distance."""
    if len(scaled) <= MOST:
        return np.arange(len(scaled))
    mass = np.searchsorted(np.cumsum(held), np.linspace(0, held.sum(), MOST // 2))
    distance = np.searchsorted(scaled, np.linspace(scaled[0], scaled[-1], MOST // 2))
    return np.unique(np.minimum(np.concatenate([mass, distance, [len(scaled) - 1]]), len(scaled) - 1))
