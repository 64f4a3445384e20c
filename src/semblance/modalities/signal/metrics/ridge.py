"""Ridge classifiers on many features, as MiniRocket wants them: closed form, penalty by leave-one-out error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

PENALTIES = np.geomspace(1e-3, 1e3, 7)  # times the number of records

Scores = Callable[[np.ndarray], np.ndarray]


def ridge(x: np.ndarray, y: np.ndarray, *, weight: np.ndarray | None = None) -> Scores:
    """A function from (m, d) features to (m, c) scores, fitted to x (n, d) and targets y (n, c); `weight` (n,) is of
    the records.

    Features are standardised. Of PENALTIES the one is taken whose leave-one-out error is least (Allen 1974), which one
    decomposition of the smaller square gives for all of them.
    """
    w = np.ones(len(x)) if weight is None else weight / weight.mean()
    centre = np.average(x, axis=0, weights=w)
    spread = np.sqrt(np.average((x - centre) ** 2, axis=0, weights=w))
    scale = np.where(spread > 1e-9, spread, np.inf)
    level = np.average(y, axis=0, weights=w)
    root = np.sqrt(w)[:, None]
    slope = _slope(((x - centre) / scale).astype(np.float32) * root.astype(np.float32), (y - level) * root)
    return lambda test: ((test - centre) / scale) @ slope + level


def _slope(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(d, c) in double precision."""
    n, d = x.shape
    if d <= n:
        size, axes = np.linalg.eigh((x.T @ x).astype(float))
        turned = x @ axes.astype(np.float32)  # (n, d); squares sum to size
        along = turned.T @ y
        leverage, chosen = turned.astype(float) ** 2, lambda a: axes @ (along / (_kept(size) + a)[:, None])
        shrunk = [1 / (_kept(size) + a) for a in PENALTIES * n]
    else:
        size, axes = np.linalg.eigh((x @ x.T).astype(float))
        turned, along = axes, axes.T @ y
        leverage, chosen = axes**2, lambda a: x.T @ (axes @ (along / (_kept(size) + a)[:, None]))
        shrunk = [_kept(size) / (_kept(size) + a) for a in PENALTIES * n]
    errors = [_left_out(turned, along, leverage, one, y) for one in shrunk]
    best: np.ndarray = chosen(float(PENALTIES[int(np.argmin(errors))]) * n)
    return best


def _kept(size: np.ndarray) -> np.ndarray:
    return np.maximum(size, 0.0)


def _left_out(turned: np.ndarray, along: np.ndarray, square: np.ndarray, shrunk: np.ndarray, y: np.ndarray) -> float:
    """The mean squared error of each record under the fit without it."""
    made = turned @ (along * shrunk[:, None])
    own = np.minimum(square @ shrunk, 1 - 1e-6)
    return float((((y - made) / (1 - own)[:, None]) ** 2).mean())
