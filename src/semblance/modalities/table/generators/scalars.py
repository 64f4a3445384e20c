"""One column of numbers <-> one state and one real number, for networks over real vectors.

The state is the missing value, a spike (a value so frequent that it stands for itself; Zhao et al., CTAB-GAN, ACML
2021) or a mode; the real number places the value within it. Only shares of codes and moments of the k-anonymous
distribution function are kept, so no patient's value stands in the JSON.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from scipy.special import ndtr, ndtri

from semblance.modalities.table.codes import Numbers, snapped

Kind = Literal["scores", "modes"]
KINDS: tuple[Kind, ...] = ("scores", "modes")
TAIL = 1e-4
"""Shares of the distribution function are kept this far from 0 and 1, so scores lie within about 3.7."""
MODES, LIGHTEST, POINTS = 10, 0.005, 2000
"""At most so many modes, each at least so heavy, found on so many equally likely values (Xu et al. 2019)."""


@dataclass(frozen=True)
class Line:
    """A distribution function: straight between `points`, which may stand one above the other (a jump at a token)."""

    points: np.ndarray
    shares: np.ndarray

    @classmethod
    def of(cls, tokens: np.ndarray, heights: np.ndarray, knots: np.ndarray, mass: np.ndarray) -> Line:
        """Tokens jump by `heights`; the knots share what is left, from `mass[i]` to `mass[i + 1]` each."""
        rest = max(1.0 - float(heights.sum()), 0.0)
        at, below = (knots, mass[:1]) if not len(knots) else (knots[[0, *range(len(knots)), -1]], _borders(mass))
        jumped = np.concatenate([[0.0], np.cumsum(heights)])
        smooth = np.interp(tokens, at, below, left=0.0, right=1.0) if len(knots) else np.zeros(len(tokens))
        feet = rest * smooth + jumped[:-1]
        slope = rest * below[: len(at)] + jumped[np.searchsorted(tokens, at)]
        points, shares = np.concatenate([tokens, tokens, at]), np.concatenate([feet, feet + heights, slope])
        order = np.lexsort((points, shares))
        return cls(np.maximum.accumulate(points[order]), shares[order].clip(0, 1))

    def share_of(self, values: np.ndarray) -> np.ndarray:
        """The share of the distribution below each value; in a jump, its middle."""
        low = np.searchsorted(self.points, values, side="left")
        high = np.searchsorted(self.points, values, side="right") - 1
        middle = (self.shares[low.clip(max=len(self.shares) - 1)] + self.shares[high.clip(0)]) / 2
        share: np.ndarray = np.where(high > low, middle, np.interp(values, self.points, self.shares))
        return share

    def value_at(self, shares: np.ndarray) -> np.ndarray:
        """The inverse of `share_of`."""
        return np.interp(shares, self.shares, self.points)


def _borders(mass: np.ndarray) -> np.ndarray:
    """The share at the middle of each knot, and 0 and 1 at the ends."""
    return np.concatenate([[0.0], (mass[:-1] + mass[1:]) / 2, [1.0]])


@dataclass(frozen=True)
class Scalar:
    """How numbers of one column become (state, real number).

    States are the missing value (where the codes hold it), then the spikes, then the modes; `shares` (size,) are those
    of the codes, `spikes` indexes the codes' tokens, and `modes` (m, 2) holds means and standard deviations. None: all
    numbers are one mode, and the real number is their normal score.
    """

    codes: Numbers
    shares: np.ndarray
    spikes: np.ndarray
    modes: np.ndarray | None

    @classmethod
    def fit(cls, codes: Numbers, values: np.ndarray, *, kind: Kind, spike: float) -> Scalar:
        """A value that a share `spike` of all records holds, or an infinite one, becomes a spike."""
        shares = np.bincount(codes.encode(values), minlength=codes.size) / max(len(values), 1)
        of_tokens = shares[int(codes.missing) :][: len(codes.tokens)]
        spikes = np.flatnonzero((of_tokens >= spike) | ~np.isfinite(codes.tokens))
        plain = cls(codes, shares, spikes, None)
        return plain if kind == "scores" else cls(codes, shares, spikes, _modes(plain))

    @cached_property
    def line(self) -> Line:
        """The distribution of the numbers that are no spikes."""
        smooth = np.setdiff1d(np.arange(len(self.codes.tokens)), self.spikes)
        of_tokens = self.shares[int(self.codes.missing) :][smooth]
        binned = self.shares[int(self.codes.missing) + len(self.codes.tokens) :].sum()
        heights = of_tokens / max(of_tokens.sum() + binned, 1e-300)
        if not len(self.codes.knots) and heights.sum() == 0:
            heights = np.full(len(smooth), 1 / max(len(smooth), 1))
        return Line.of(self.codes.tokens[smooth], heights, self.codes.knots, self.codes.mass)

    @property
    def first(self) -> int:
        """The first state that is a mode."""
        return int(self.codes.missing) + len(self.spikes)

    @property
    def states(self) -> int:
        """How many states there are."""
        return self.first + (len(self.modes) if self.modes is not None else int(len(self.line.points) > 0))

    @property
    def scalar(self) -> bool:
        """Whether any state needs a real number."""
        return self.states > self.first

    def encode(self, values: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """(n,) states and (n,) real numbers, 0 where the state is no mode."""
        code = self.codes.encode(values)
        missing, tokens = int(self.codes.missing), len(self.codes.tokens)
        exact = (code >= missing) & (code < missing + tokens)
        known = np.where(np.isfinite(values), values, self.codes.middles[code])
        if len(self.codes.knots):
            known = known.clip(self.codes.knots[0], self.codes.knots[-1])
        known[exact] = self.codes.tokens[code[exact] - missing]
        state_of = np.full(self.codes.size, self.first)
        state_of[:missing] = 0
        state_of[missing + self.spikes] = missing + np.arange(len(self.spikes))
        state, real = state_of[code], np.zeros(len(values))
        inner = state == self.first
        if inner.any():
            mode, real[inner] = self._place(known[inner], rng)
            state[inner] += mode
        return state, real

    def decode(self, state: np.ndarray, real: np.ndarray) -> np.ndarray:
        """(n,) values: exact at spikes and tokens, in the column's own unit elsewhere."""
        fixed = np.concatenate([[np.nan] * self.codes.missing, self.codes.tokens[self.spikes]])
        values, inner = np.full(len(state), np.nan), state >= self.first
        values[~inner] = fixed[state[~inner]]
        if inner.any():
            values[inner] = self._snapped(self._value(state[inner] - self.first, real[inner]))
        return values

    def _place(self, values: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        if self.modes is None:
            return np.zeros(len(values), dtype=np.int64), ndtri(self.line.share_of(values).clip(TAIL, 1 - TAIL))
        values = values.clip(self.line.points[0], self.line.points[-1])
        mean, std = self.modes.T
        density = -0.5 * ((values[:, None] - mean) / std) ** 2 - np.log(std)
        weight = np.exp(density - density.max(1, keepdims=True)).cumsum(1)
        mode = (weight < rng.random((len(values), 1)) * weight[:, -1:]).sum(1)
        return mode, ((values - mean[mode]) / (4 * std[mode])).clip(-1, 1)

    def _value(self, mode: np.ndarray, real: np.ndarray) -> np.ndarray:
        if self.modes is None:
            return self.line.value_at(ndtr(real))
        mean, std = self.modes.T
        drawn: np.ndarray = (mean[mode] + 4 * std[mode] * real).clip(self.line.points[0], self.line.points[-1])
        return drawn

    def _snapped(self, values: np.ndarray) -> np.ndarray:
        if len(self.codes.starts) > 1:
            return snapped(values, self.codes.unit)
        return self.codes.middles[self.codes.encode(values)]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        modes = None if self.modes is None else self.modes.tolist()
        return {"shares": self.shares.tolist(), "spikes": self.spikes.tolist(), "modes": modes}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], codes: Numbers) -> Scalar:
        """The inverse of `to_json`, given the codes of the column."""
        modes = None if data["modes"] is None else np.array(data["modes"], dtype=float).reshape(-1, 2)
        return cls(codes, np.array(data["shares"]), np.array(data["spikes"], dtype=np.int64), modes)


def _modes(column: Scalar) -> np.ndarray:
    """(m, 2) means and standard deviations of a variational Gaussian mixture (Bishop 2006, section 10.2).

    It is fitted to equally likely values of the k-anonymous distribution function, never to the records.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import BayesianGaussianMixture

    if not column.scalar:
        return np.zeros((0, 2))
    values = column.line.value_at((np.arange(POINTS) + 0.5) / POINTS)
    center, scale = values.mean(), values.std()
    if scale == 0:
        return np.array([[center, 1.0]])
    mixture = BayesianGaussianMixture(
        n_components=min(MODES, len(np.unique(values))),
        weight_concentration_prior_type="dirichlet_process",
        weight_concentration_prior=0.001,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(((values - center) / scale)[:, None])
    kept = mixture.weights_ > LIGHTEST
    std = np.sqrt(mixture.covariances_[kept].reshape(-1)) * scale
    return np.column_stack([mixture.means_[kept, 0] * scale + center, std])
