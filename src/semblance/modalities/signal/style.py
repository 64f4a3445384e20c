"""The style of a recording: the shape that its beats of a kind have in common, and how far they stray from it.

Pieces are learned relative to the style of their recording, and a new recording has a style of its own: the usual
kind's is drawn with the rest of the person, another kind's by how it differs from the usual one in the cohort. What
few pieces tell is drawn towards the cohort, so that no style is that of a single beat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from semblance.core.arrays import under, within

PRIOR = 5.0
"""With how many pieces of the cohort's mean each style begins."""
SHOWN = 12
"""Directions in which usual styles differ most: what else is learned or drawn is told these numbers of a style."""
FAR = 2.0
"""Standard deviations beyond which no number of a style is drawn: the tails of few recordings are not known."""


@dataclass(frozen=True, eq=False)
class Styles:
    """Of each recording and kind: `centre` (n, k, d), and `spread` (n, k) the log root mean square around it."""

    centre: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, numbers: np.ndarray, labels: np.ndarray, source: np.ndarray, n: int, k: int) -> Self:
        """From (pieces, d) numbers, their kinds and their recordings, of which there are `n`."""
        place, d = source * k + labels, numbers.shape[1]
        count = np.bincount(place, minlength=n * k).reshape(n, k, 1)
        sums = _summed(numbers, place, n * k).reshape(n, k, d)
        usual = sums[:, :1].sum(0) / max(count[:, :1].sum(), 1)
        first = (sums[:, :1] + PRIOR * usual) / (count[:, :1] + PRIOR)
        apart = sums - count * first
        typical = apart.sum(0) / np.maximum(count.sum(0), 1)
        centre = first + (apart + PRIOR * typical) / (count + PRIOR)
        centre[:, :1] = first
        stray = ((numbers - centre.reshape(-1, d)[place]) ** 2).mean(1)
        squares = _summed(stray[:, None], place, n * k).reshape(n, k)
        normal = squares.sum(0) / np.maximum(count[..., 0].sum(0), 1)
        spread = 0.5 * np.log((squares + PRIOR * normal) / (count[..., 0] + PRIOR) + 1e-6)
        return cls(centre, spread)


def _summed(values: np.ndarray, place: np.ndarray, size: int) -> np.ndarray:
    made = np.zeros((size, values.shape[1]))
    np.add.at(made, place, values)
    return made


@dataclass(frozen=True, eq=False)
class Fashion:
    """How styles differ between recordings.

    `mean` (d,) is the usual kind's mean style and `axes` (SHOWN, d) the directions in which it varies; `besides` (d,)
    the standard deviation of what these leave. `apart` (k, d) and `reach` (k, SHOWN, d) are the mean and the variation
    of the other kinds' difference from it, and `loose` (k, 2) mean and standard deviation of the log spread's.
    """

    mean: np.ndarray
    axes: np.ndarray
    besides: np.ndarray
    apart: np.ndarray
    reach: np.ndarray
    loose: np.ndarray

    @classmethod
    def of(cls, styles: Styles) -> Self:
        """From the styles of recordings."""
        usual, rest = styles.centre[:, 0], styles.centre - styles.centre[:, :1]
        axes, besides = _axes(usual)
        reach = np.stack([_axes(rest[:, k], scaled=True)[0] for k in range(rest.shape[1])])
        loose = styles.spread - styles.spread[:, :1]
        return cls(usual.mean(0), axes, besides, rest.mean(0), reach, np.stack([loose.mean(0), loose.std(0)], 1))

    @property
    def numbers(self) -> int:
        """How many numbers of a style are drawn with the person."""
        return len(self.axes) + 1

    def told(self, styles: Styles) -> np.ndarray:
        """(n, numbers) what is drawn with the person: the usual style along the axes, and its log spread."""
        return np.column_stack([(styles.centre[:, 0] - self.mean) @ self.axes.T, styles.spread[:, 0]])

    def shown(self, centre: np.ndarray, spread: np.ndarray) -> np.ndarray:
        """(..., numbers) what pieces are given of styles (..., d) and log spreads (...)."""
        return np.concatenate([(centre - self.mean) @ self.axes.T, spread[..., None]], -1)

    def draw(self, told: np.ndarray, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """(k, d) styles and (k,) log spreads of a new recording whose person was drawn with `told` (numbers,)."""
        usual = self.mean + told[:-1] @ self.axes + self.besides * _within(rng, len(self.mean))
        moved = np.einsum("kr,krd->kd", _within(rng, self.reach.shape[:2]), self.reach)
        spread = told[-1] + self.loose[:, 0] + self.loose[:, 1] * _within(rng, len(self.loose))
        return usual + self.apart + moved, spread

    def arrays(self) -> dict[str, np.ndarray]:
        """What is saved as tensors."""
        return within(PART, vars(self))

    @classmethod
    def restored(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The inverse of `arrays`."""
        return cls(**under(arrays, PART))


PART = "fashion"


def _axes(rows: np.ndarray, *, scaled: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """(SHOWN, d) principal directions of (n, d) rows, and (d,) the standard deviation that they leave over.

    With `scaled` a direction is as long as the rows' standard deviation along it. Missing directions are zero.
    """
    moved = rows - rows.mean(0)
    _, size, vectors = np.linalg.svd(moved, full_matrices=False)
    axes = np.zeros((SHOWN, rows.shape[1]))
    few = min(SHOWN, len(vectors), max(len(rows) - 1, 0))
    axes[:few] = vectors[:few] * (size[:few, None] / np.sqrt(len(rows)) if scaled else 1.0)
    left = moved - (moved @ vectors[:few].T) @ vectors[:few]
    return axes, left.std(0)


def _within(rng: np.random.Generator, shape: int | tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape).clip(-FAR, FAR)
