"""How strongly two columns are related, from sums over records that are kept per block of patients.

Every function takes sums with a last axis of (1 + blocks) and gives the coefficient for each: of everything, then
without each block. A column that does not vary is related to nothing (0).
"""

from __future__ import annotations

import numpy as np

FLAT = 1e-9  # of a variance, relative to its column's own


def phi(both: np.ndarray, records: np.ndarray) -> np.ndarray:
    """(c, c, s) Pearson's correlation of flags, from how many records (c, c, s) have both and how many there are."""
    rate = np.moveaxis(np.diagonal(both), -1, 0) / records
    spread = np.sqrt(rate * (1 - rate))
    product = spread[:, None] * spread[None, :]
    return _ratio(both / records - rate[:, None] * rate[None, :], product)


def pearson(count: np.ndarray, total: np.ndarray, square: np.ndarray, product: np.ndarray) -> np.ndarray:
    """(c, c, s) correlations over the records that know both columns.

    Of those records: how many there are, and for the row's column the sum of its values and of their squares, and the
    sum of products. Values are centred and scaled to about 1 beforehand.
    """
    n = np.maximum(count, 1)
    mean = total / n
    turned = mean.swapaxes(0, 1)
    variance = square / n - mean**2
    variance = np.where(variance > FLAT, variance, 0)
    return _ratio(product / n - mean * turned, np.sqrt(variance * variance.swapaxes(0, 1)))


def correlation_ratio(count: np.ndarray, total: np.ndarray, square: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """(categorical, c, s) eta of a number given a category, with the bias of small categories taken out.

    From (codes, c, s) sums of numbers per code: records that know the number, its values, their squares; column j's
    codes begin at starts[j]. The square is epsilon squared (Kelley 1935): the share of variance between the categories,
    less what categories without any meaning would show.
    """
    n, levels = np.add.reduceat(count, starts), np.add.reduceat(count > 0, starts, dtype=float)
    centre = np.add.reduceat(total, starts) ** 2 / np.maximum(n, 1)
    between = np.add.reduceat(total**2 / np.maximum(count, 1), starts) - centre
    whole = np.add.reduceat(square, starts) - centre
    within = np.maximum(whole - between, 0) / np.maximum(n - levels, 1)
    known = (whole > FLAT * n) & (n > levels)
    share = 1 - within / np.where(known, whole / np.maximum(n - 1, 1), 1)
    return np.where(known, np.sqrt(np.clip(share, 0, 1)), 0)


def cramers_v(both: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """(c, c) V of all pairs of columns, bias-corrected (Bergsma 2013).

    From (codes, codes) records that hold both codes; column j's codes begin at starts[j]. Every record holds a code of
    each column, so the diagonal has the margins.
    """
    held = np.diagonal(both).astype(float)
    levels = np.add.reduceat(held > 0, starts, dtype=float)
    n = float(np.add.reduceat(held, starts)[0])
    scale = 1 / np.sqrt(np.maximum(held, 1))
    cells = (both * scale[:, None] * scale[None, :]) ** 2
    square = np.add.reduceat(np.add.reduceat(cells, starts, axis=0), starts, axis=1) - 1
    spare = max(n - 1, 1)
    corrected = np.maximum(square - np.outer(levels - 1, levels - 1) / spare, 0)
    fewest = levels - 1 - (levels - 1) ** 2 / spare
    return np.sqrt(np.minimum(_ratio(corrected, np.minimum.outer(fewest, fewest)), 1))


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, between -1 and 1; 0 where nothing varies."""
    ratio = np.divide(above, below, out=np.zeros_like(above), where=below > FLAT)
    return np.clip(ratio, -1, 1)
