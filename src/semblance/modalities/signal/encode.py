"""Pieces <-> the few numbers that are learned of them.

Each lead is brought to one scale, whatever its unit: otherwise a lead in microvolts had all components. The principal
components of all leads together hold nearly all of a piece; what they leave over is small noise, but a judge misses it
at once. Of this rest only its strength in each lead is kept, as one more number a lead; it is drawn
anew from the spectrum and the course in time that it has in pieces of its label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from sklearn.utils.extmath import randomized_svd

from semblance.modalities.signal.data import Pieces

FITTED = 3000
"""Pieces of each label, at most, by which components and the rest are fitted: rare shapes count as much as common."""
LEAST, NUMBERS = 200, 50_000_000
"""But no fewer of them than LEAST, and otherwise no more than fill so many numbers."""
WHITE = 0.5
"""How far the components are brought to one variance: at 1 an error in the largest would count no more than one in the
smallest, and in a wave it is the larger by far; at 0 the smallest would hardly count."""
FEW = 5.0
"""Pieces by which the rest of a label is drawn towards that of all labels."""
FAR = 3.0
"""Standard deviations beyond which a rest is no fainter and no stronger."""
TINY = 1e-12
FAINT = 1e-5
"""Strength of a rest, as a part of what its lead moves, below which there is none."""
STILL = 1e-6
"""A lead that moves by less than this part of its level does not move."""


@dataclass(frozen=True, eq=False)
class Encoding:
    """`center` (leads, samples) and `scale` (leads,) in physical units; `basis` (components, leads * samples) of
    orthonormal rows, of waves in units of these; `spread` (components,).

    `strength` (2, leads) are mean and spread of the logarithm of the rest's root mean square; `spectrum` (labels,
    leads, samples // 2 + 1) its power at each frequency and `course` (labels, leads, samples) its amplitude in time.
    """

    labels: tuple[str, ...]
    center: np.ndarray
    scale: np.ndarray
    basis: np.ndarray
    spread: np.ndarray
    strength: np.ndarray
    spectrum: np.ndarray
    course: np.ndarray

    @classmethod
    def fit(cls, pieces: Pieces, *, components: int, rng: np.random.Generator) -> Self:
        """Components of pieces of all labels, alike in number where there are enough.

        There are fewer than `components` where there are fewer pieces or samples.
        """
        names, some = tuple(sorted(set(pieces.labels))), pieces.take(_balanced(pieces, rng))
        center = some.waves.mean(0)
        scale = _scale(some.waves, center)
        flat = _flat(some.waves, center, scale)
        most = min(components, *flat.shape)
        basis = randomized_svd(flat, most, random_state=int(rng.integers(2**31)))[2]
        basis = np.ascontiguousarray(basis, dtype=np.float32)  # as a saved one is: products differ by their layout
        found = flat @ basis.T
        rest = (flat - found @ basis).reshape(some.waves.shape)
        strength = _strength(rest)
        moments = np.stack([strength.mean(0), np.maximum(strength.std(0), 1e-6)])
        spectrum, course = _rests(rest / np.exp(strength)[:, :, None], some.labels, names)
        return cls(names, center, scale, basis, _spread(found), moments, spectrum, course)

    @property
    def width(self) -> int:
        """How many numbers stand for a piece."""
        return len(self.spread) + len(self.center)

    def encode(self, pieces: Pieces) -> np.ndarray:
        """(n, width) float32: the components, and the strength of the rest in each lead."""
        flat = _flat(pieces.waves, self.center, self.scale)
        found = flat @ self.basis.T
        strength = _strength((flat - found @ self.basis).reshape(pieces.waves.shape))
        mean, spread = self.strength
        return np.column_stack([found / self.spread, (strength - mean) / spread]).astype(np.float32)

    def decode(self, numbers: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, leads, samples) float32 waves of (n, width) numbers; the rest is drawn as that of each of the `labels`.

        `labels` (n,) text.
        """
        count = len(self.spread)
        waves = (numbers[:, :count] * self.spread) @ self.basis
        mean, spread = self.strength
        rest = self._rest(labels, rng)
        rest *= np.exp(numbers[:, count:].clip(-FAR, FAR) * spread + mean)[:, :, None]
        return ((waves.reshape(rest.shape) + rest) * self.scale[:, None] + self.center).astype(np.float32)

    def _rest(self, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(n, leads, samples) noise of strength 1 in every lead, of which the components see nothing."""
        code = np.searchsorted(self.labels, labels)
        white = rng.standard_normal((len(labels), *self.center.shape), dtype=np.float32)
        colored = np.fft.irfft(np.fft.rfft(white) * np.sqrt(self.spectrum[code]), n=white.shape[-1])
        flat = (colored * self.course[code]).reshape(len(labels), -1)
        rest = (flat - (flat @ self.basis.T) @ self.basis).reshape(white.shape)
        return rest / np.exp(_strength(rest))[:, :, None]

    def arrays(self) -> dict[str, np.ndarray]:
        """All but the names of the labels."""
        return {name: np.ascontiguousarray(getattr(self, name)) for name in ARRAYS}

    @classmethod
    def from_arrays(cls, labels: tuple[str, ...], arrays: Mapping[str, np.ndarray]) -> Self:
        """The inverse of `arrays`."""
        return cls(labels, **{name: arrays[name] for name in ARRAYS})


ARRAYS = ("center", "scale", "basis", "spread", "strength", "spectrum", "course")


def _scale(waves: np.ndarray, center: np.ndarray) -> np.ndarray:
    """(leads,) float32: how far each lead moves; 1 for one that does not."""
    moves = np.sqrt(np.square(waves - center, dtype=float).mean((0, 2)))
    return np.where(moves > np.maximum(STILL * np.abs(center).max(1), TINY), moves, 1.0).astype(np.float32)


def _flat(waves: np.ndarray, center: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(n, leads * samples) waves about their center, each lead in units of its scale."""
    made: np.ndarray = ((waves - center) / scale[:, None]).reshape(len(waves), -1)
    return made


def _balanced(pieces: Pieces, rng: np.random.Generator) -> np.ndarray:
    """Positions of up to FITTED pieces of each label, fewer where pieces are large."""
    labels, order = pieces.labels, rng.permutation(len(pieces))
    names = sorted(set(labels))
    most = min(FITTED, max(LEAST, NUMBERS // (pieces.waves[0].size * len(names))))
    return np.sort(np.concatenate([order[labels[order] == name][:most] for name in names]))


def _spread(found: np.ndarray) -> np.ndarray:
    """(components,) divisors that bring the mean of the variances to 1, and each WHITE of the way in its logarithm."""
    spread = np.maximum(found.std(0), TINY) ** WHITE
    scaled: np.ndarray = spread * np.sqrt(np.square(found / spread).mean())
    return scaled


def _strength(rest: np.ndarray) -> np.ndarray:
    """(n, leads) logarithm of the root mean square in time."""
    found: np.ndarray = np.log(np.maximum(np.sqrt(np.square(rest).mean(2)), FAINT))
    return found


def _rests(rest: np.ndarray, labels: np.ndarray, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The spectrum and the course of each label's rest, all of strength 1; those of rare labels lean on all."""
    course = _shrunk(np.square(rest), labels, names) ** 0.5
    flat = rest / course[np.searchsorted(names, labels)].clip(min=1e-3)
    spectrum = _shrunk(np.abs(np.fft.rfft(flat)) ** 2, labels, names)
    return spectrum.astype(np.float32), course.astype(np.float32)


def _shrunk(values: np.ndarray, labels: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """(labels, ...) means of each label, their logarithms drawn towards that of the mean of all."""
    every = np.log(values.mean(0) + TINY)
    own = [values[labels == name] for name in names]
    return np.exp(np.stack([(len(x) * np.log(x.mean(0) + TINY) + FEW * every) / (len(x) + FEW) for x in own]))
