"""Bounds and means of numbers that tell of no single patient."""

from __future__ import annotations

import numpy as np


def ends(values: np.ndarray, who: np.ndarray, *, rare: int) -> tuple[float, float]:
    """What the lowest and the highest values of patients are cut at: a mean over `rare` patients, with nearly as many
    beyond it; the mean of all patients where there are too few to tell two ends, 0 where there are none."""
    if not len(values):
        return 0.0, 0.0
    code = np.unique(who, return_inverse=True)[1]
    count, rare = int(code.max()) + 1, max(rare, 1)
    if count < 2 * rare:
        return (between_patients(values, who),) * 2
    top, bottom = np.full(count, -np.inf), np.full(count, np.inf)
    np.maximum.at(top, code, values)
    np.minimum.at(bottom, code, values)
    some = slice(rare - 1, 2 * rare - 1)
    return float(np.sort(bottom)[some].mean()), float(np.sort(top)[::-1][some].mean())


def between_patients(values: np.ndarray, who: np.ndarray) -> float:
    """The mean over patients of their means."""
    code = np.unique(who, return_inverse=True)[1]
    return float((np.bincount(code, values) / np.bincount(code)).mean())


def reach(values: np.ndarray, who: np.ndarray, *, rare: int) -> np.ndarray:
    """(k,) how far from 0 each column of (n, k) goes in patients: a mean over `rare` of them, with nearly as many
    beyond it; the mean over all where there are too few to tell an end."""
    order = np.argsort(who, kind="stable")
    first = np.unique(who[order], return_index=True)[1]
    farthest = np.sort(np.maximum.reduceat(np.abs(values)[order], first, axis=0), axis=0)[::-1]
    rare = max(rare, 1)
    some = farthest[rare - 1 : 2 * rare - 1] if len(farthest) >= 2 * rare else farthest
    found: np.ndarray = some.mean(0)
    return found
