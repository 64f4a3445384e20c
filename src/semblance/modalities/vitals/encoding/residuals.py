"""What is left of measurements around a stay's trajectory: a part that lasts and a part that does not, both of them
shared between channels that are measured together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix

LAGS = np.array([1, 3, 6, 11, 21, 41, 97])
"""Bins between a measurement and the next, where a class of distances begins."""
LASTING, SPANS = np.linspace(0, 0.95, 20), 2.0 ** np.arange(1, 8)
FEW = 50
"""Moments with two channels that count as much as the guess that they have nothing to do with each other."""


@dataclass(frozen=True, eq=False)
class Residuals:
    """How measurements lie around what is expected.

    `spread` (c,) is the standard deviation, `lasting` (c,) the share of its square that lasts, with a correlation
    exp(-bins / `span` (c,)); the square of `root` (c, c) is the correlation between channels. What does not last has
    the tails of a Student's t of `freedom` (1,) degrees, shared by a moment: a flushed line disturbs all pressures.
    """

    spread: np.ndarray
    lasting: np.ndarray
    span: np.ndarray
    root: np.ndarray
    freedom: np.ndarray

    @classmethod
    def fit(
        cls, left: np.ndarray, *, stay: np.ndarray, bins: np.ndarray, channel: np.ndarray, moment: np.ndarray, c: int
    ) -> Residuals:
        """From what is left (m,) of measurements in order of stay and time."""
        count = np.bincount(channel, minlength=c)
        spread = np.sqrt(np.maximum(np.bincount(channel, left**2, minlength=c) / np.maximum(count, 1), 1e-6))
        unit = left / spread[channel]
        fitted = [_lasting(unit[channel == k], stay[channel == k], bins[channel == k]) for k in range(c)]
        lasting, span = np.array(fitted).reshape(c, 2).T
        return cls(spread, lasting, span, _root(unit, channel, moment, c), _freedom(unit))

    def draw(self, n: int, bins: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, bins, c) float32 of variance 1."""
        c = len(self.spread)
        keep = np.exp(-1 / self.span)
        slow = rng.standard_normal((n, c), dtype=np.float32) @ self.root.T
        made = np.empty((n, bins, c), dtype=np.float32)
        free = float(self.freedom[0])
        loud = np.sqrt((free - 2) / rng.chisquare(free, (n, bins, 1))).astype(np.float32)  # of variance 1
        for b in range(bins):
            new = rng.standard_normal((2, n, c), dtype=np.float32) @ self.root.T.astype(np.float32)
            slow = keep * slow + np.sqrt(1 - keep**2) * new[0]
            made[:, b] = np.sqrt(self.lasting) * slow + np.sqrt(1 - self.lasting) * loud[:, b] * new[1]
        return made


def firsts(stay: np.ndarray, channel: np.ndarray, c: int) -> np.ndarray:
    """(m,) bool: which measurement is a stay's first one of its channel, of those in order of stay and time."""
    made = np.zeros(len(stay), dtype=bool)
    made[np.unique(stay * c + channel, return_index=True)[1]] = True
    return made


def _freedom(unit: np.ndarray) -> np.ndarray:
    """(1,) the degrees of freedom of a Student's t with the kurtosis of (m,) numbers of variance 1."""
    kurtosis = float((np.clip(unit, -8, 8) ** 4).mean()) if len(unit) else 3.0
    return np.array([4 + 6 / np.clip(kurtosis - 3, 0.1, 20)])


def _lasting(unit: np.ndarray, stay: np.ndarray, bins: np.ndarray) -> tuple[float, float]:
    """The share that lasts and its span, by least squares on the products of successive measurements."""
    same = stay[1:] == stay[:-1]
    apart = (bins[1:] - bins[:-1])[same]
    product = (unit[1:] * unit[:-1])[same]
    kept = apart > 0
    if kept.sum() < FEW:
        return 0.5, 16.0
    label = np.searchsorted(LAGS, apart[kept], side="right") - 1
    count = np.bincount(label, minlength=len(LAGS))
    far = np.bincount(label, apart[kept], minlength=len(LAGS)) / np.maximum(count, 1)
    seen = np.bincount(label, product[kept], minlength=len(LAGS)) / np.maximum(count, 1)
    guess = LASTING[:, None, None] * np.exp(-far / SPANS[:, None])
    loss = (count * (guess - seen) ** 2).sum(2)
    i, j = np.unravel_index(int(loss.argmin()), loss.shape)
    return float(LASTING[i]), float(SPANS[j])


def _root(unit: np.ndarray, channel: np.ndarray, moment: np.ndarray, c: int) -> np.ndarray:
    """(c, c) the root of the correlation of what is left at one moment."""
    shape = (int(moment[-1]) + 1 if len(moment) else 0, c)
    values = coo_matrix((np.clip(unit, -4, 4), (moment, channel)), shape=shape).tocsr()
    there = coo_matrix((np.ones(len(unit)), (moment, channel)), shape=shape).tocsr()
    count = np.asarray((there.T @ there).todense())
    made = np.asarray((values.T @ values).todense()) / np.maximum(count, 1) * (count / (count + FEW))
    np.fill_diagonal(made, 1.0)
    size, axes = np.linalg.eigh(np.clip(made, -0.99, 0.99) + 0.01 * np.eye(c)) if c else (np.zeros(0), made)
    fixed = (axes * np.sqrt(np.maximum(size, 1e-3))) @ axes.T
    root: np.ndarray = fixed / np.sqrt((fixed**2).sum(1, keepdims=True))
    return root
