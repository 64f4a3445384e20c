"""Vectors of stays as series in time, and back: how often each group of channels is measured in each part of a stay and
how its values lie there, beside all that has no time (flags, ends, facts).

Factors are a linear code of these series, so the way back is that of least squares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import block_diag

from semblance.modalities.vitals.encoding.encoding import Encoding


@dataclass(frozen=True, eq=False)
class Paths:
    """`axes` (channels * blocks, k): series of variance about 1, one channel after the other, of the numbers (k,) that
    stand at `timed` (d,) in a vector; `channels` are groups of channels first, then channels."""

    axes: np.ndarray
    timed: np.ndarray
    channels: int

    @classmethod
    def of(cls, encoding: Encoding) -> Paths:
        """Of an encoding's factors; a single series at rest where no channel is known."""
        blocks = encoding.when.blocks
        ways = [_ways(part.factors.axes, blocks) for part in (encoding.when, encoding.what)]
        timed = np.zeros(encoding.sizes.numbers, dtype=bool)
        for first, way in zip((0, encoding.when.width), ways, strict=True):
            timed[first : first + way.shape[1]] = True
        axes: np.ndarray = block_diag(*ways) if encoding.channels else np.zeros((blocks, int(timed.sum())))
        return cls(axes, timed, len(axes) // blocks)

    def split(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, channels * blocks) series of (n, d) vectors, and (n, rest) what is no series, both float32."""
        series = numbers[:, self.timed] @ self.axes.T
        return series.astype(np.float32), numbers[:, ~self.timed].astype(np.float32)

    def join(self, series: np.ndarray, rest: np.ndarray) -> np.ndarray:
        """(n, d) float32 vectors: the inverse of `split` for series that factors can tell, else the nearest."""
        made = np.zeros((len(series), len(self.timed)), dtype=np.float32)
        made[:, self.timed] = np.linalg.lstsq(self.axes, series.T.astype(float))[0].T
        made[:, ~self.timed] = rest
        return made


def _ways(axes: np.ndarray, blocks: int) -> np.ndarray:
    """(channels * blocks, k) of (blocks * channels, k), each channel brought to variance 1 over its blocks."""
    by_channel = axes.reshape(blocks, len(axes) // blocks, axes.shape[1]).swapaxes(0, 1)
    scale = np.sqrt(np.square(by_channel).sum(2).mean(1))
    made: np.ndarray = by_channel / np.where(scale > 1e-6, scale, 1.0)[:, None, None]
    return made.reshape(axes.shape)
