"""The floor: of each kind a mixture of Gaussians over coefficients and what they are given. Anything that is trained
longer must beat it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from semblance.core.model import Card
from semblance.learn.drawn import Learned, Sizes
from semblance.learn.mixture import Mixtures
from semblance.modalities.signal.code import Code
from semblance.modalities.signal.data import Pieces
from semblance.modalities.signal.encode import Encoding
from semblance.modalities.signal.generators.recorder import Fitting, RecorderSpec, Waves

CARD = Card(
    name="floor",
    conditional=True,
    summary="of each kind of piece a mixture of Gaussians over its principal components: fitted in seconds, the floor",
    paper="McLachlan & Peel, Finite Mixture Models, 2000",
)


@dataclass(frozen=True)
class Floor(RecorderSpec):
    """Class-wise Gaussian mixtures."""

    components: int = 64
    """Coefficients by which a piece is told, over all leads."""
    mixture: int = 4
    """At most so many Gaussians for each kind; fewer where a kind has few pieces."""
    card: ClassVar[Card] = CARD

    def coded(self, pieces: Pieces, *, rng: np.random.Generator) -> Code:
        """Principal components."""
        return Encoding.fit(pieces, components=self.components, rng=rng)

    def learn(self, learned: Learned, how: Fitting) -> Waves:
        """One mixture for each kind."""
        return Mixtures.fit(learned, most=self.mixture, rng=how.rng)

    @classmethod
    def waves(cls, options: Mapping[str, Any], sizes: Sizes, arrays: Mapping[str, np.ndarray]) -> Waves:
        """The saved mixtures."""
        return Mixtures.restored(sizes, arrays)
