"""The floor: of each outcome a mixture of Gaussians over the vectors of stays. Longer training must beat it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from semblance.core.model import Card
from semblance.learn.drawn import Drawer, Fitting, Learned
from semblance.learn.mixture import Mixtures
from semblance.modalities.vitals.encoding.code import Code
from semblance.modalities.vitals.encoding.encoding import Encoding
from semblance.modalities.vitals.generators.nurse import StaySpec

CARD = Card(
    name="floor",
    conditional=True,
    summary="of each outcome a mixture of Gaussians over what is measured and when: fitted in seconds, the floor",
    paper="McLachlan & Peel, Finite Mixture Models, 2000",
)


@dataclass(frozen=True)
class Floor(StaySpec):
    """Gaussian mixtures by outcome."""

    mixture: int = 4
    """At most so many Gaussians for each outcome; fewer where few stays have it."""
    card: ClassVar[Card] = CARD

    def learn(self, learned: Learned, encoding: Encoding, how: Fitting) -> Drawer:
        """One mixture for each outcome."""
        return Mixtures.fit(learned, most=self.mixture, rng=how.rng)

    @classmethod
    def drawer(cls, options: Mapping[str, Any], encoding: Code, arrays: Mapping[str, np.ndarray]) -> Drawer:
        """The saved mixtures."""
        return Mixtures.restored(encoding.sizes, arrays)
