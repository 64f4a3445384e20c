"""Choices as normal numbers, and back: a choice is where a number lies between cuts at normal quantiles of the shares.

Which number stands for a choice is drawn, so that they are normal as they are and no small error of a network makes
many choices of a rare one (latent variables of an ordered probit; McKelvey & Zavoina, J. Math. Sociology 1975).
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

LEAST = 1e-6
"""A number lies at least so far, as a share, from the ends."""


def hidden(codes: np.ndarray, shares: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """(n,) numbers of choices (n,) of so many `shares` (k,); any number for one below 0, which is none.

    >>> from semblance.core.rng import stream
    >>> choices = np.array([0, 1, 2, 1])
    >>> seen(hidden(choices, np.array([0.2, 0.5, 0.3]), rng=stream(0, "choices")), np.array([0.2, 0.5, 0.3])).tolist()
    [0, 1, 2, 1]
    """
    ends = _ends(shares)
    low, high = np.where(codes < 0, 0.0, ends[codes]), np.where(codes < 0, 1.0, ends[np.maximum(codes, 0) + 1])
    made: np.ndarray = ndtri(np.clip(low + rng.random(len(codes)) * (high - low), LEAST, 1 - LEAST))
    return made


def seen(numbers: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """(n,) the choices of numbers."""
    made: np.ndarray = np.searchsorted(_ends(shares)[1:-1], ndtr(numbers), side="right").astype(np.int64)
    return made


def _ends(shares: np.ndarray) -> np.ndarray:
    made = np.concatenate([[0.0], np.cumsum(shares)])
    return made / made[-1]
