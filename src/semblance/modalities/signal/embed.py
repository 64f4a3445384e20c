"""Pieces as shared judges want them: `features` for classifiers, `embed` for distances, both coded on a reference.

A wave becomes its principal components in the reference (Pearson 1901), all leads together and each lead in units of
its own spread: 64 of them hold over 99 % of what a beat is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semblance.core import coded
from semblance.core.coded import WIDTH, kept, narrow, number, one_hot, unit
from semblance.core.dataset import Features
from semblance.modalities.signal.data import AFTER, BEFORE, Pieces

__all__ = ["WIDTH", "Basis", "basis", "embed", "features", "of_reference"]
COMPONENTS = 64
FITTED = 2_000  # pieces of the reference that the components are found on


@dataclass(frozen=True)
class Basis:
    """Principal components: `centre` (leads, samples), `spread` (leads,), `axes` (leads * samples, k) orthonormal.

    `unit` is the move of the first component from its 5th to its 95th percentile.
    """

    centre: np.ndarray
    spread: np.ndarray
    axes: np.ndarray
    unit: float

    def of(self, waves: np.ndarray) -> np.ndarray:
        """(n, k) float32 components of (n, leads, samples) waves, the largest first.

        Sums are taken in double precision, so that a piece has the same components in any company.
        """
        made = [self._of(waves[i : i + FITTED]) for i in range(0, len(waves), FITTED)]
        return np.concatenate(made) if made else np.empty((0, self.axes.shape[1]), dtype=np.float32)

    def _of(self, waves: np.ndarray) -> np.ndarray:
        return (_scaled(waves, self.centre, self.spread) @ self.axes).astype(np.float32)


def basis(waves: np.ndarray, k: int = COMPONENTS) -> Basis:
    """The first `k` components (fewer, if there are no more) of (n, leads, samples) waves."""
    some = waves[np.linspace(0, len(waves) - 1, min(len(waves), FITTED)).astype(int)].astype(float)
    known = ~np.isnan(some)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, some, 0).sum(axis=0) / count
    moved = np.where(known, some - centre, 0)
    spread = np.sqrt((moved**2).mean(axis=(0, 2)))
    spread[spread == 0] = 1.0
    axes = _axes((moved / spread[:, None]).reshape(len(some), -1), k)
    low, high = np.quantile(moved.reshape(len(some), -1) / np.repeat(spread, waves.shape[2]) @ axes[:, 0], [0.05, 0.95])
    return Basis(centre, spread, axes, float(high - low) if high > low else 1.0)


@kept
def of_reference(reference: Pieces) -> Basis:
    """That of all waves of a reference."""
    return basis(reference.waves)


def _axes(x: np.ndarray, k: int) -> np.ndarray:
    """(d, min(k, d)) orthonormal directions of largest variance of x (n, d), from the smaller of both squares."""
    n, d = x.shape
    if d <= n:
        return np.ascontiguousarray(np.linalg.eigh(x.T @ x)[1][:, ::-1][:, :k])
    size, left = np.linalg.eigh(x @ x.T)
    left, size = left[:, ::-1][:, : min(k, n)], size[::-1][: min(k, n)]
    axes: np.ndarray = x.T @ (left / np.sqrt(np.maximum(size, 1e-12 * max(size[0], 1e-300))))
    return axes


def _scaled(waves: np.ndarray, centre: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """(n, leads * samples): what is missing lies on the centre."""
    moved = (waves - centre) / spread[:, None]
    return np.nan_to_num(moved).reshape(len(waves), -1)


def features(pieces: Pieces, reference: Pieces) -> Features:
    """The columns of the frame, then 'wave 01' .. 'wave 64': the components of the wave on the reference's axes.

    Numbers as they are; categories as frequency ranks in the reference, its top 20, then one code for all others.
    Missing is NaN.
    """
    waves = of_reference(reference).of(pieces.waves).astype(float)
    named = [f"wave {i + 1:02d}" for i in range(waves.shape[1])]
    return coded.features(pieces.schema, pieces.frame, reference.frame, waves, named)


def embed(pieces: Pieces, reference: Pieces) -> np.ndarray:
    """(n, d) float32, d at most 128: a Euclidean space in which another category, a number's move from the 5th to the
    95th percentile of the reference and the same move of the wave's first component all have length 1.

    Of beats, the intervals enter relative to each other: the logarithms of their ratio and of their mean. Numbers are
    centred on the median and cut at 4 such ranges; what the reference does not know stands at the origin of its column.
    """
    found = of_reference(reference)
    parts = [found.of(pieces.waves) / np.float32(found.unit)]
    mine, theirs = _numbers(pieces), _numbers(reference)
    parts += [unit(mine[name], theirs[name])[:, None] for name in mine]
    parts += [one_hot(pieces.frame[c.name], reference.frame[c.name]) for c in pieces.schema.learned if not c.continuous]
    return narrow(np.concatenate(parts, axis=1, dtype=np.float32))


def _numbers(pieces: Pieces) -> dict[str, np.ndarray]:
    """The continuous columns, both intervals of a beat as they relate to each other."""
    made = {c.name: number(pieces.frame[c.name]) for c in pieces.schema.learned if c.continuous}
    if BEFORE in made and AFTER in made:
        before, after = np.log(np.maximum(made[BEFORE], 1e-3)), np.log(np.maximum(made[AFTER], 1e-3))
        made[BEFORE], made[AFTER] = before - after, (before + after) / 2
    return made
