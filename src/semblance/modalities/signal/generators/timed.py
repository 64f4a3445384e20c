"""What generators of waves in time share: a network is shown samples, not components, and what it draws is told to
styles as cosines. Comparators with the literature are of this kind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from semblance.learn.drawn import Learned, Sizes
from semblance.learn.nets.series import Series
from semblance.learn.network import Drawn
from semblance.modalities.signal.code import Code
from semblance.modalities.signal.data import Pieces
from semblance.modalities.signal.generators.network import NetworkSpec
from semblance.modalities.signal.generators.recorder import Waves
from semblance.modalities.signal.waveform import Waveform, cosines, in_time


@dataclass(frozen=True)
class TimedSpec(NetworkSpec):
    """A network over the samples of pieces. Its objective names what draws, the `maker`."""

    code: ClassVar[type[Code]] = Waveform

    def coded(self, pieces: Pieces, *, rng: np.random.Generator) -> Code:
        """Samples, each lead to its own scale."""
        return Waveform.fit(pieces)

    def parts(self, sizes: Sizes) -> Series:
        """Samples of one lead after the other, and what is told of them."""
        return Series(sizes.numbers, sizes.given, sizes.kinds, sizes.channels)

    def seen(self, learned: Learned) -> Learned:
        """Waves in time."""
        waves = in_time(learned.coefficients, leads=learned.channels)
        return replace(learned, coefficients=waves.reshape(learned.coefficients.shape))

    @staticmethod
    def told(drawn: Drawn, leads: int) -> Waves:
        """Waves as their cosines."""
        return InTime(drawn, leads)


@dataclass(frozen=True, eq=False)
class InTime:
    """Waves that are drawn in time, as the numbers of a Waveform."""

    drawn: Drawn
    leads: int

    @property
    def noise(self) -> int:
        """How many normal numbers a piece is made of."""
        return self.drawn.noise

    def draw(self, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) numbers of pieces."""
        return self._cosines(self.drawn.draw(labels, given, rng=rng))

    def draw_from(self, start: np.ndarray, labels: np.ndarray, given: np.ndarray) -> np.ndarray:
        """The same from (n, noise) normal numbers."""
        return self._cosines(self.drawn.draw_from(start, labels, given))

    def _cosines(self, waves: np.ndarray) -> np.ndarray:
        return cosines(waves.reshape(len(waves), self.leads, -1))

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights."""
        return self.drawn.arrays()
