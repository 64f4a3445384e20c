"""A line that gives every value of one number from another, rounding included."""

from __future__ import annotations

import numpy as np

from semblance.modalities.table.codes import snapped

ROUNDS, SUPPORT, ADDED = 6, 200, 100
DIGITS = 13


def line(x: np.ndarray, y: np.ndarray, *, unit: float, whole: bool = False) -> tuple[float, float] | None:
    """(slope, offset) with y == slope * x + offset for all (n,) pairs, rounded to `unit` (0: to a billionth of y).

    `whole` allows only the slope 1. Of those that do, the ones with the fewest digits are taken; None where none does.
    """
    if whole:
        apart = y - x
        return (1.0, float(apart[0])) if len(x) and (apart == apart[0]).all() else None
    rough = _least_squares(x, y)
    if rough is None or np.abs(rough[0] * x + rough[1] - y).max() > max(1.5 * unit, 1e-9 * np.abs(y).max()):
        return None
    return _settled(x, y, rough, unit=unit if unit else 2e-9 * float(np.abs(y).max()), exact=unit > 0)


def _least_squares(x: np.ndarray, y: np.ndarray) -> tuple[float, float] | None:
    spread = float(((x - x.mean()) ** 2).sum()) if len(x) else 0.0
    if spread == 0.0:
        return None
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / spread)
    return slope, float(y.mean() - slope * x.mean())


def _settled(
    x: np.ndarray, y: np.ndarray, rough: tuple[float, float], *, unit: float, exact: bool
) -> tuple[float, float] | None:
    """Look for a line through a few records' rounding intervals; records that it misses are added, a few times."""
    rows = np.unique(np.concatenate([_extremes(x), np.linspace(0, len(x) - 1, SUPPORT).astype(np.int64)]))
    for _ in range(ROUNDS):
        kept = x[rows], y[rows]
        found = _plainest(*kept, rough[0], unit) or _plainest(*kept, _middle(*kept, unit), unit)
        if found is None:
            return None
        made = found[0] * x + found[1]
        wrong = np.flatnonzero(snapped(made, unit) != y if exact else np.abs(made - y) > unit / 2)
        if not len(wrong):
            return found
        rows = np.union1d(rows, wrong[:: max(1, len(wrong) // ADDED)])
    return None


def _extremes(x: np.ndarray) -> np.ndarray:
    order = np.argsort(x, kind="stable")
    return np.concatenate([order[:20], order[-20:]])


def _middle(x: np.ndarray, y: np.ndarray, unit: float) -> float:
    """The slope of the line whose largest distance from the records is least (Chebyshev), by linear programming."""
    from scipy.optimize import linprog

    at, scale = float(x.mean()), float(x.std()) or 1.0
    z, w, one = (x - at) / scale, (y - y.mean()) / unit, np.ones(len(x))
    sides = np.vstack([np.column_stack([z, one, -one]), np.column_stack([-z, -one, -one])])
    solved = linprog([0, 0, 1], A_ub=sides, b_ub=np.concatenate([w, -w]), bounds=[(None, None)] * 3, method="highs")
    return float(solved.x[0]) * unit / scale if solved.status == 0 else 0.0


def _plainest(x: np.ndarray, y: np.ndarray, slope: float, unit: float) -> tuple[float, float] | None:
    """The slope and the offset with the fewest digits for which every value rounds right."""
    half = unit / 2 * (1 - 1e-9)
    for digits in range(1, DIGITS):
        tried = float(f"{slope:.{digits}g}")
        low, high = float((y - half - tried * x).max()), float((y + half - tried * x).min())
        if tried and low <= high:
            middles = (round((low + high) / 2, decimals) for decimals in range(DIGITS))
            return tried, next((m for m in middles if low <= m <= high), (low + high) / 2)
    return None
