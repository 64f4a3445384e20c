"""MiniRocket (Dempster, Schmidt and Webb 2021): waves as shares of time in which convolutions exceed a bias.

The 84 kernels of length 9 with weights -1 and three 2's, at several dilations. Each kernel and dilation looks at a few
leads together, as in the multivariate variant, and its biases are quantiles of what it gives on reference waves.
Nothing is trained: the features are a frozen space in which classifiers and distances stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from semblance.core.dataset import Part
from semblance.core.rng import stream
from semblance.modalities.signal.metrics.samples import Measured, Sample

LENGTH = 9
BIASES = 2  # of each kernel at each dilation
DILATIONS = 4
TAUGHT = 100  # reference waves that give the biases
CHUNK = 100  # waves at a time: what fits a cache
WEIGHTS = np.array([[2 if i in three else -1 for i in range(LENGTH)] for three in combinations(range(LENGTH), 3)])


@dataclass(frozen=True)
class Kernels:
    """`centre`, `spread` (leads,) of the reference; per dilation: its step, (84, leads) which leads, (84, biases)."""

    centre: np.ndarray
    spread: np.ndarray
    steps: tuple[int, ...]
    leads: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    def of(self, waves: np.ndarray) -> np.ndarray:
        """(n, dilations * 84 * biases) float32 shares of positive values of (n, leads, samples) waves."""
        chunks = (self._scaled(waves[i : i + CHUNK]) for i in range(0, len(waves), CHUNK))
        made = [
            np.concatenate(list(map(self._shares, [x] * len(self.steps), range(len(self.steps)))), 1) for x in chunks
        ]
        width = len(self.steps) * len(WEIGHTS) * BIASES
        return np.concatenate(made) if made else np.empty((0, width), dtype=np.float32)

    def _scaled(self, waves: np.ndarray) -> np.ndarray:
        moved: np.ndarray = (waves - self.centre[:, None]) / self.spread[:, None]
        return np.nan_to_num(moved).astype(np.float32)

    def _shares(self, x: np.ndarray, at: int) -> np.ndarray:
        """(n, 84 * biases) of one dilation."""
        made = convolved(x, self.steps[at], self.leads[at])
        above = [positive(made, bias) for bias in self.biases[at].T]
        return np.stack(above, axis=2).reshape(len(x), -1)


def positive(made: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """(n, kernels) shares of the time in which (kernels, n, samples) values exceed (kernels,) biases.

    Bits are counted eight at a time.
    """
    bits = np.packbits(made > bias[:, None, None], axis=2)
    shares: np.ndarray = np.bitwise_count(bits).sum(axis=2, dtype=np.uint16).T / np.float32(made.shape[2])
    return shares.astype(np.float32)


def convolved(x: np.ndarray, step: int, leads: np.ndarray) -> np.ndarray:
    """(84, n, samples) float32: (n, leads, samples) waves under each kernel, summed over its leads; zeros beyond."""
    n, count, length = x.shape
    reach = step * (LENGTH // 2)
    wide = np.pad(x, ((0, 0), (0, 0), (reach, reach)))
    moved = np.stack([wide[:, :, i * step : i * step + length] for i in range(LENGTH)])
    taps = np.moveaxis(moved, 2, 0).reshape(count * LENGTH, n * length)
    weights = (leads[:, :, None] * WEIGHTS[:, None]).reshape(len(WEIGHTS), count * LENGTH).astype(np.float32)
    made: np.ndarray = (weights @ taps).reshape(len(WEIGHTS), n, length)
    return made


def kernels(reference: np.ndarray, *, rng: np.random.Generator) -> Kernels:
    """Kernels for waves like (n, leads, samples) reference ones."""
    some = reference[np.linspace(0, len(reference) - 1, min(len(reference), TAUGHT)).astype(int)].astype(float)
    centre, spread = np.nanmean(some, axis=(0, 2)), np.nanstd(some, axis=(0, 2))
    spread = np.where(spread > 0, spread, 1.0)
    longest = max((reference.shape[2] - 1) / (LENGTH - 1), 1)
    steps = tuple(dict.fromkeys(np.geomspace(1, longest, DILATIONS + 1)[:-1].round().astype(int).tolist()))
    leads = tuple(_chosen(reference.shape[1], rng) for _ in steps)
    bare = Kernels(np.nan_to_num(centre), np.nan_to_num(spread, nan=1.0), steps, leads, ())
    x = bare._scaled(some)
    shares = (np.arange(BIASES) + 0.5) / BIASES
    biases = tuple(
        np.quantile(convolved(x, step, which).reshape(len(WEIGHTS), -1)[:, ::7], shares, axis=1).T
        for step, which in zip(steps, leads, strict=True)
    )
    return Kernels(bare.centre, bare.spread, steps, leads, tuple(b.astype(np.float32) for b in biases))


def _chosen(leads: int, rng: np.random.Generator) -> np.ndarray:
    """(84, leads) 0 or 1: few leads of each kernel, one more often than two, two more often than four."""
    most = np.minimum(2 ** rng.integers(0, min(int(np.log2(leads)) + 1, 4), len(WEIGHTS)), leads)
    rank = rng.random((len(WEIGHTS), leads)).argsort(axis=1).argsort(axis=1)
    return (rank < most[:, None]).astype(int)


def frozen(evidence: Measured) -> Kernels:
    """The kernels of this evidence, their biases from train."""
    rng = stream(evidence.seed, "kernels")
    return evidence.once("kernels", lambda: kernels(evidence.train.waves, rng=rng))


def shares(evidence: Measured, part: Part, sample: Sample, key: object) -> np.ndarray:
    """(n, d) features of a sample of a part, made once for all metrics that name the sample by the same key."""
    return evidence.once(("shares", part, key), lambda: frozen(evidence).of(sample.pieces.waves))
