"""Images from mixtures of Gaussians over principal components, one mixture of each label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from semblance.core.arrays import under, within
from semblance.core.rng import stream
from semblance.learn.components import Components
from semblance.learn.drawn import Learned, Sizes
from semblance.learn.mixture import Mixtures

COMPONENTS, MIXTURES = "components", "mixtures"


@dataclass(frozen=True, eq=False)
class Painted:
    """Coordinates of new images from mixtures (none: they have no coordinates), and pixels from these."""

    components: Components
    mixtures: Mixtures | None

    @classmethod
    def fit(cls, learned: Learned, *, most: int, mixture: int, rare: int, seed: int) -> Painted:
        """Of images around the means of their labels: at most so many components, and so many Gaussians of a label."""
        found = Components.fit(learned, most=most, rare=rare, rng=stream(seed, "components"))
        if not len(found.axes):
            return cls(found, None)
        along = replace(learned, coefficients=found.along(learned.coefficients, learned.labels))
        return cls(found, Mixtures.fit(along, most=mixture, rng=stream(seed, "mixtures")))

    @classmethod
    def restored(cls, sizes: Sizes, arrays: Mapping[str, np.ndarray]) -> Painted:
        """The inverse of `arrays`."""
        held = under(arrays, MIXTURES)
        return cls(Components.restored(under(arrays, COMPONENTS)), Mixtures.restored(sizes, held) if held else None)

    def along(self, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, k) coordinates of new images of these labels."""
        if self.mixtures is None:
            return np.zeros((len(labels), 0))
        return self.mixtures.draw(labels, given, rng=rng)

    def draw(self, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) rows."""
        return self.components.rows(self.along(labels, given, rng=rng), labels, rng=rng)

    def arrays(self) -> dict[str, np.ndarray]:
        """Those of both."""
        held = {} if self.mixtures is None else within(MIXTURES, self.mixtures.arrays())
        return {**within(COMPONENTS, self.components.arrays()), **held}
