"""A board of any size: columns of every kind that depend on a few hidden numbers, from a seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.modalities.table.data import Table, from_frame

HIDDEN = 6


def simulated(*, rows: int, columns: int, seed: int = 0) -> Table:
    """`rows` records of as many patients; the last column is the target."""
    rng = stream(seed, "simulated", rows, columns)
    hidden = rng.normal(size=(rows, HIDDEN))
    made = {f"x{j:02d}": _KINDS[j % len(_KINDS)](_score(hidden, rng), rng) for j in range(columns - 1)}
    target = _score(hidden, rng) + rng.logistic(size=rows) > 1
    return from_frame(pd.DataFrame({**made, "outcome": target.astype(int)}), ReadOptions(target="outcome"))[0]


def _score(hidden: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A noisy mixture of the hidden numbers, about standard normal."""
    weights = rng.normal(size=HIDDEN)
    score: np.ndarray = hidden @ weights / np.linalg.norm(weights) * 0.8 + rng.normal(size=len(hidden)) * 0.6
    return score


def _laboratory(score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.exp(0.5 * score).round(2)


def _measured_seldom(score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.where(rng.random(len(score)) < 1 / (1 + np.exp(1 - score)), score.round(3), np.nan)


def _count(score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.poisson(np.exp(0.7 * score))


def _stage(score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.array(["none", "mild", "moderate", "severe"])[np.digitize(score, [-0.5, 0.7, 1.6])]


def _code(score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """40 codes, most of them rare."""
    place = np.clip(np.abs(score * 4 + rng.exponential(3, len(score))), 0, 39).astype(int)
    return np.array([f"C{i:02d}" for i in range(40)])[place]


_KINDS: tuple[Callable[[np.ndarray, np.random.Generator], np.ndarray], ...] = (
    _laboratory,
    _stage,
    _count,
    _code,
    _measured_seldom,
)
