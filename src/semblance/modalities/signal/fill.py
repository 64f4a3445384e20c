"""Gaps of recordings filled: samples that are missing in some leads or in all, given those that are there.

What is missing is drawn as a new recording's is: first which beats there are, then their shape. Where nothing was
measured the rhythm goes on as it was; the style of the recording is what its measured samples say of it, beside what
the cohort says; and of each piece that has measured samples a draw is moved to agree with them (Matheron's rule;
Hoffman & Ribak, ApJ 1991). So one function fills short gaps, forecasts what follows, and reconstructs leads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from semblance.core.rng import stream
from semblance.modalities.signal.code import Code
from semblance.modalities.signal.data import Marks, Recording
from semblance.modalities.signal.pieces import Cut, resampled, wander

SAMPLED = 400
"""Pieces of a kind that are drawn to see how they vary."""
CALM = 1e-3
"""The part of the mean variance of numbers that is added to each, so that none is taken to be known."""
FEW = 5.0
"""Pieces by which what strays in a recording is drawn towards what does in others."""
EDGE = 0.02
"""Seconds at the ends of a gap over which levels are compared."""
SOLVED = 4096
"""Measured samples of a piece that are used at most, evenly, where there are more."""


@dataclass(frozen=True, eq=False)
class Linear:
    """A code as the linear function that it nearly is: waves = `offset` (m,) + numbers @ `rows` (d, m), and noise of
    variance `noise` (m,)."""

    rows: np.ndarray
    offset: np.ndarray
    noise: np.ndarray

    @classmethod
    def of(cls, code: Code, label: str, *, rng: np.random.Generator) -> Linear:
        """Found by decoding: zeros, and each unit beside a zero with the same noise."""
        d, seeds = code.width, rng.integers(2**31, size=2)

        def waves(numbers: np.ndarray, seed: int) -> np.ndarray:
            of = np.full(len(numbers), label, dtype=object)
            return code.decode(numbers.astype(np.float32), of, rng=stream(seed, "noise")).reshape(len(numbers), -1)

        zeros = waves(np.zeros((max(SAMPLED, d), d)), seeds[0])
        one, other = (waves(np.eye(d), seed) - waves(np.zeros((d, d)), seed) for seed in seeds.tolist())
        # What differs with the noise only says how strong it is.
        moves = np.square(one - other).sum(1) < 0.01 * np.square(one).sum(1)
        rows, offset, noise = np.where(moves[:, None], one, 0.0), zeros.mean(0), zeros.var(0)
        return cls(rows, offset, np.maximum(noise, 1e-4 * np.square(rows).sum(0).mean() + 1e-12))

    def moved(
        self, drawn: np.ndarray, inverse: np.ndarray, y: np.ndarray, known: np.ndarray, noise: np.ndarray
    ) -> np.ndarray:
        """(n, d) `drawn` numbers, whose covariance has the `inverse` (d, d), moved to agree with (n, m) waves `y` where
        they are `known` (m,), up to `noise` (m,)."""
        where = np.flatnonzero(known)
        where = where[:: max(len(where) // SOLVED, 1)]
        rows = self.rows[:, where]
        weighed = rows / noise[where]
        left = y[:, where] - self.offset[where] - drawn @ rows
        found: np.ndarray = drawn + np.linalg.solve(inverse + weighed @ rows.T, weighed @ left.T).T
        return found


def precision(rows: np.ndarray) -> np.ndarray:
    """(d, d) inverse of the covariance of (n, d) numbers, none of them taken to be known."""
    moved = rows - rows.mean(0)
    together = moved.T @ moved / max(len(rows) - 1, 1)
    calm = CALM * max(np.trace(together) / len(together), 1e-12)
    inverse: np.ndarray = np.linalg.inv(together + calm * np.eye(len(together)))
    return inverse


def agreeing(
    line: Linear,
    drawn: np.ndarray,
    inverse: np.ndarray,
    waves: np.ndarray,
    measured: np.ndarray,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """(n, d) `drawn` numbers of pieces, moved to agree with what was measured of their (n, leads, size) waves; the
    covariance of the numbers has the `inverse`."""
    flat, known = (part.reshape(len(drawn), -1) for part in (waves, measured))
    patterns, which = np.unique(np.packbits(known, axis=1), axis=0, return_inverse=True)
    made = drawn.astype(float)
    for i in range(len(patterns)):
        rows = np.flatnonzero(which.ravel() == i)
        seen = known[rows[0]]
        if seen.any():
            noisy = flat[rows] + np.sqrt(line.noise) * rng.standard_normal((len(rows), flat.shape[1]))
            made[rows] = line.moved(made[rows], inverse, noisy, seen, line.noise)
    return made


def centred(line: Linear, people: np.ndarray, spread: float, waves: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """(d,) the centre of a recording's pieces of a kind, from what was measured of their waves and from the centres of
    other `people` (m, d); pieces stray from it by `spread`."""
    usual, count = people.mean(0), measured.sum(0).ravel()
    if not count.any():
        return usual
    mean = np.where(measured, waves, 0).sum(0).ravel() / np.maximum(count, 1)
    noise = (line.noise + spread**2 * np.square(line.rows).sum(0)) / np.maximum(count, 1)
    found: np.ndarray = line.moved(usual[None], precision(people), mean[None], count > 0, noise)[0]
    return found


def strayed(line: Linear, centre: np.ndarray, usual: float, waves: np.ndarray, measured: np.ndarray) -> float:
    """How far pieces stray from the centre of their kind, by their measured samples; of few pieces drawn to `usual`."""
    known = measured.reshape(len(measured), len(line.offset))
    left = (waves.reshape(known.shape) - line.offset - centre @ line.rows)[known]
    expected = np.broadcast_to(np.square(line.rows).sum(0), known.shape)[known].sum()
    noise = np.broadcast_to(line.noise, known.shape)[known].sum()
    share = expected / max(np.square(line.rows).sum(), 1e-12)  # how many whole pieces the samples are worth
    found = max(np.square(left).sum() - noise, 0.0) / max(expected, 1e-12)
    return float(np.sqrt((share * found + FEW * usual**2) / (share + FEW)))


def plotted(values: np.ndarray, first: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, leads, size) waves and what of them was measured, of (samples, leads) values from each `first` sample on."""
    place = first[:, None] + np.arange(size)
    inside = (place >= 0) & (place < len(values))
    waves = np.moveaxis(values[np.clip(place, 0, len(values) - 1)], 2, 1)
    measured = np.isfinite(waves) & inside[:, None, :]
    return np.where(measured, waves, 0.0), measured


def at_rate(one: Recording, cut: Cut) -> tuple[np.ndarray, np.ndarray]:
    """(samples, leads) values at the rate of pieces, NaN in gaps, and the baseline's wander, drawn over gaps."""
    raw = one.values()
    straight = np.stack([_over(lead) for lead in raw.T], 1)
    values, slow = resampled(straight, one.rate, cut.rate), None
    if cut.beats:
        slow = wander(values, cut.rate)
        values = values - slow
    place = np.minimum(np.round(np.arange(len(values)) * one.rate / cut.rate).astype(np.int64), len(raw) - 1)
    return np.where(np.isfinite(raw[place]), values, np.nan), np.zeros_like(values) if slow is None else slow


def _over(lead: np.ndarray) -> np.ndarray:
    """A lead with straight lines over its gaps; of a lead that was never measured, zeros."""
    known = np.flatnonzero(np.isfinite(lead))
    if not len(known):
        return np.zeros_like(lead)
    line: np.ndarray = np.interp(np.arange(len(lead)), known, lead[known]).astype(np.float32)
    return line


def pasted(one: Recording, made: np.ndarray, cut: Cut, beats: Marks, states: Marks) -> Recording:
    """The recording with (samples, leads) `made` at the rate of pieces in its gaps, which meet their edges."""
    raw = one.values()
    found = resampled(made.astype(np.float32), cut.rate, one.rate)
    found = np.pad(found, ((0, max(len(raw) - len(found), 0)), (0, 0)), mode="edge")[: len(raw)]
    near = max(round(EDGE * one.rate), 1)
    whole = np.stack([_joined(raw[:, i], found[:, i], near) for i in range(raw.shape[1])], 1).astype(np.float32)
    return replace(one, values=lambda: whole, beats=beats, states=states)


def _joined(lead: np.ndarray, made: np.ndarray, near: int) -> np.ndarray:
    """A lead with what was made in its gaps, brought to the level of what stands on either side."""
    gone = ~np.isfinite(lead)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], gone, [False]]).astype(int)))
    joined = np.where(gone, made, lead)
    for begin, end in edges.reshape(-1, 2):
        sides = [slice(max(begin - near, 0), begin), slice(end, min(end + near, len(lead)))]
        apart = [_mean(lead[side] - made[side]) for side in sides]
        left, right = (0.0 if np.isnan(step) else step for step in apart)
        joined[begin:end] += np.linspace(left, right, end - begin)
    return joined


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def windows_of(values: np.ndarray, size: int, shared: int) -> np.ndarray:
    """(n,) first samples of windows that cover (samples, leads) values, neighbours sharing so many samples."""
    step = size - shared
    return np.arange(max(-(-(len(values) - shared) // step), 1)) * step
