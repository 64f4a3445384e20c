"""What a new recording is made of before it has any samples, and how its pieces become a recording."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from semblance.modalities.signal.data import Marks
from semblance.modalities.signal.knobs import Knobs

NONE = Knobs()


@dataclass(frozen=True, eq=False)
class Part:
    """A recording to be: `frame` (one row, what is known of it as a whole), its pieces' `kinds` (n,) and what they are
    `given` (n, numbers), the samples `at` (n,) at which they stand, and its `length`, both at the rate of pieces.

    What is learned of a piece is relative to the `centre` (kinds, d) of its kind, in units of its `spread` (kinds,).
    `slow` (m, leads) is the wander of its baseline, evenly over the recording; no rows for none. `knobs` bend the shape
    of beats.
    """

    frame: pd.DataFrame
    kinds: np.ndarray
    given: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    at: np.ndarray
    length: int
    slow: np.ndarray
    knobs: Knobs = NONE

    def coefficients(self, drawn: np.ndarray) -> np.ndarray:
        """(n, d) numbers of the pieces, from what was drawn for them."""
        return self.centre[self.kinds] + self.spread[self.kinds, None] * drawn


@dataclass(frozen=True, eq=False)
class Strip:
    """A recording that has become: `values` (length, leads) float32 at the rate of pieces, and its marks there."""

    values: np.ndarray
    beats: Marks = field(default_factory=Marks)
    states: Marks = field(default_factory=Marks)


@dataclass(frozen=True, eq=False)
class Conditions:
    """Under what real pieces came about: their kinds `labels` (n,), what they are `given` (n, numbers), and the style
    of their recordings: what is learned of a piece is relative to its `centre` (n, d), in units of its `spread` (n,).
    """

    labels: np.ndarray
    given: np.ndarray
    centre: np.ndarray
    spread: np.ndarray

    def relative(self, coefficients: np.ndarray) -> np.ndarray:
        """(n, d) float32, of what is learned."""
        moved: np.ndarray = ((coefficients - self.centre) / self.spread[:, None]).astype(np.float32)
        return moved

    def absolute(self, drawn: np.ndarray) -> np.ndarray:
        """(n, d) float32 coefficients: the inverse of `relative`."""
        moved: np.ndarray = (self.centre + self.spread[:, None] * drawn).astype(np.float32)
        return moved
