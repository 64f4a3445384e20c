"""Records of classes around their means, along the directions in which most of them differ (probabilistic principal
components; Tipping & Bishop, JRSS B 1999): what is Gaussian about them, in a few numbers of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.utils.extmath import randomized_svd

from semblance.core import large
from semblance.core.bounds import reach
from semblance.learn.drawn import Learned

FITTED = 4_000
"""Records, at most, by which the directions are found, and no more than `large.LARGE` bytes of them, or
`large.FEWEST` however large these are."""
ROUNDS = 3
"""How often the directions are looked for once more, after what single patients have too much of them is taken away."""


@dataclass(frozen=True, eq=False)
class Components:
    """`means` (kinds, d), `axes` (k, d) orthonormal rows, `spreads` (kinds, k) standard deviations along them, `limits`
    (k,) how far records go, and `rest` (d,) standard deviations of what they leave over.

    None of it stands for fewer than `rare` patients: along each direction, and in each number that is left over, nobody
    goes farther than so many do.
    """

    means: np.ndarray
    axes: np.ndarray
    spreads: np.ndarray
    limits: np.ndarray
    rest: np.ndarray

    @classmethod
    def fit(cls, learned: Learned, *, most: int, rare: int, rng: np.random.Generator) -> Components:
        """Of records, in which all patients count alike: at most so many components, and no more than have `rare`
        patients behind each. A class without any record is like all."""
        rows, labels, whose, kinds = learned.coefficients, learned.labels, learned.subjects, learned.kinds
        each = _weights(whose)
        means = np.tile((_sum(rows, each, np.arange(len(rows))) / each.sum()).astype(np.float32), (kinds, 1))
        for kind in np.unique(labels):
            of = np.flatnonzero(labels == kind)
            means[kind] = _sum(rows, each, of) / each[of].sum()
        most_rows = max(large.FEWEST, min(FITTED, large.LARGE // (4 * rows.shape[1])))
        some = np.sort(rng.permutation(len(rows))[:most_rows])
        left, who, of = rows[some] - means[labels[some]], whose[some], labels[some]
        weights, behind = _weights(who), len(np.unique(whose)) // rare
        count = min(most, behind, len(some) - 1, rows.shape[1])
        if count < 1 or not left.any():
            none = np.empty((0, rows.shape[1]), np.float32), np.empty((kinds, 0)), np.empty(0)
            return cls(means, *none, _spread(_tempered(left, who, rare), weights))
        for _ in range(ROUNDS if rare > 1 else 0):
            axes = _axes(left, weights, count, rng)
            along = left @ axes.T
            left = left - (along - _tempered(along, who, rare)) @ axes
        axes = _axes(left, weights, count, rng)
        along = left @ axes.T
        limits = reach(along, who, rare=rare)
        spreads = np.tile(_spread(along, weights), (kinds, 1))
        for kind in np.unique(of):
            if len(np.unique(who[of == kind])) >= rare:
                spreads[kind] = _spread(along[of == kind], weights[of == kind])
        rest = _spread(_tempered(left - along @ axes, who, rare), weights)
        return cls(means, axes, spreads.astype(np.float32), limits.astype(np.float32), rest)

    def along(self, rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """(n, k) coordinates of (n, d) rows of classes (n,), within the limits."""
        made: np.ndarray = rows @ self.axes.T - (self.means @ self.axes.T)[labels]
        return made.clip(-self.limits, self.limits)

    def rows(self, along: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) float32 rows of coordinates (n, k); what they leave over is drawn."""
        noise = rng.standard_normal((len(along), self.means.shape[1]), dtype=np.float32)
        made: np.ndarray = self.means[labels] + along.astype(np.float32) @ self.axes + noise * self.rest
        return made.astype(np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it."""
        return {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in vars(self).items()}

    @classmethod
    def restored(cls, arrays: Mapping[str, np.ndarray]) -> Components:
        """The inverse of `arrays`."""
        return cls(**{name: arrays[name] for name in ("means", "axes", "spreads", "limits", "rest")})


def _sum(rows: np.ndarray, weights: np.ndarray, of: np.ndarray) -> np.ndarray:
    """(d,) the weighted sum of some `of` (n, d) rows."""
    parts = large.slices(len(of), rows.itemsize * rows.shape[1])
    found: np.ndarray = np.add.reduce([weights[of[part]] @ rows[of[part]] for part in parts])
    return found


def _weights(whose: np.ndarray) -> np.ndarray:
    """(n,) float32 of which those of each patient's records sum to 1."""
    code, count = np.unique(whose, return_inverse=True, return_counts=True)[1:]
    made: np.ndarray = (1 / count[code]).astype(np.float32)
    return made


def _axes(left: np.ndarray, weights: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    heavy, seed = left * np.sqrt(weights)[:, None], int(rng.integers(2**31))
    axes = randomized_svd(heavy, count, random_state=seed)[2]
    return np.ascontiguousarray(axes, dtype=np.float32)  # as saved ones are: products differ by their layout


def _spread(left: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(k,) standard deviations of (n, k) numbers around 0."""
    found: np.ndarray = np.sqrt(weights @ left**2 / weights.sum())
    return found


def _tempered(values: np.ndarray, who: np.ndarray, rare: int) -> np.ndarray:
    """(n, k) numbers around 0 in which nobody goes farther than `rare` patients do."""
    if rare <= 1 or not values.size:
        return values
    ends = reach(values, who, rare=rare).astype(values.dtype)
    made: np.ndarray = values.clip(-ends, ends)
    return made
