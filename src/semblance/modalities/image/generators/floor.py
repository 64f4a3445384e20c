"""The floor: of each label a mixture of Gaussians over principal components of pixels. A network must beat it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from semblance.core.arrays import under, within
from semblance.core.model import Card
from semblance.core.rng import root_of, stream
from semblance.learn.components import Components
from semblance.learn.drawn import Drawer, Fitting, Learned, Sizes
from semblance.learn.mixture import Mixtures
from semblance.modalities.image.generators.painter import ImageSpec

CARD = Card(
    name="floor",
    conditional=True,
    summary="of each label a mixture of Gaussians over principal components: fitted in seconds, the floor",
    paper="Tipping & Bishop, Mixtures of Probabilistic Principal Component Analysers, Neural Computation 1999",
)
COMPONENTS, MIXTURES = "components", "mixtures"


@dataclass(frozen=True)
class Floor(ImageSpec):
    """Gaussian mixtures by label."""

    components: int = 64
    """At most so many components; fewer where there are few patients."""
    mixture: int = 4
    """At most so many Gaussians for each label; fewer where few images have it."""
    card: ClassVar[Card] = CARD

    def learn(self, learned: Learned, shape: tuple[int, ...], how: Fitting) -> Drawer:
        """Components of all images around the means of their labels, and a mixture of each label."""
        seed, most = root_of(how.rng), min(self.components, self.behind(learned))
        rows, labels = learned.coefficients, learned.labels
        people: dict[str, Any] = {"whose": learned.subjects, "rare": self.rare}
        found = Components.fit(rows, labels, kinds=learned.kinds, most=most, rng=stream(seed, "components"), **people)
        along = replace(learned, coefficients=found.along(rows, labels))
        if not len(found.axes):
            return Painted(found, None)
        return Painted(found, Mixtures.fit(along, most=self.mixture, rng=stream(seed, "mixtures")))

    @classmethod
    def drawer(
        cls, options: Mapping[str, Any], sizes: Sizes, shape: tuple[int, ...], arrays: Mapping[str, np.ndarray]
    ) -> Drawer:
        """The saved components and mixtures."""
        found, held = Components.restored(under(arrays, COMPONENTS)), under(arrays, MIXTURES)
        return Painted(found, Mixtures.restored(sizes, held) if held else None)


@dataclass(frozen=True, eq=False)
class Painted:
    """Coordinates of new images from mixtures (none: they have no coordinates), and pixels from these."""

    components: Components
    mixtures: Mixtures | None

    def draw(self, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) rows."""
        along = np.zeros((len(labels), 0))
        if self.mixtures is not None:
            along = self.mixtures.draw(labels, given, rng=rng)
        return self.components.rows(along, labels, rng=rng)

    def arrays(self) -> dict[str, np.ndarray]:
        """Those of both."""
        held = {} if self.mixtures is None else within(MIXTURES, self.mixtures.arrays())
        return {**within(COMPONENTS, self.components.arrays()), **held}
