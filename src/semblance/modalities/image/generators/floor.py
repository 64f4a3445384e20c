"""The floor: of each label a mixture of Gaussians over principal components of pixels. A network must beat it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from semblance.core.arrays import under, within
from semblance.core.large import by_rows, filled
from semblance.core.model import Card
from semblance.core.rng import root_of, stream
from semblance.learn.drawn import Drawer, Fitting, Learned, Sizes
from semblance.modalities.image.data import Images
from semblance.modalities.image.encode import Encoding, mapped
from semblance.modalities.image.generators.painted import Painted
from semblance.modalities.image.generators.painter import ImageSpec
from semblance.modalities.image.halves import unpaired

CARD = Card(
    name="floor",
    conditional=True,
    summary="of each label a mixture of Gaussians over principal components: fitted in seconds, the floor",
    paper="Tipping & Bishop, Mixtures of Probabilistic Principal Component Analysers, Neural Computation 1999",
)
DOMAIN = "domain"


@dataclass(frozen=True)
class Floor(ImageSpec):
    """Gaussian mixtures by label; where each image shows one domain, each domain by itself."""

    components: int = 64
    """At most so many components; fewer where there are few patients."""
    mixture: int = 4
    """At most so many Gaussians for each label; fewer where few images have it."""
    card: ClassVar[Card] = CARD

    def learn(self, learned: Learned, form: Any, how: Fitting) -> Drawer:
        """Components of all images around the means of their labels, and a mixture of each label."""
        sizes = {"most": self.components, "mixture": self.mixture, "rare": self.rare}
        return Painted.fit(learned, **sizes, seed=root_of(how.rng))

    def refuse_unfit(self, train: Images) -> None:
        """Raise DataError for images that are known in part."""
        if not unpaired(train, rare=self.rare):
            super().refuse_unfit(train)

    def drawn(self, encoding: Encoding, learned: Learned, how: Fitting) -> Drawer:
        """Each domain by itself, where none of them are paired; label maps go with the last one."""
        planes = learned.coefficients.reshape(len(learned.labels), learned.channels, -1)
        seen = by_rows(lambda part: ~np.isnan(part).any(2), planes)
        if seen.all():
            return super().drawn(encoding, learned, how)
        maps = mapped(encoding.layout, encoding.shape[0])
        sides = np.unique(seen[:, ~maps], axis=0)
        seed, of = root_of(how.rng), np.full(learned.channels, len(sides) - 1, dtype=np.float32)
        parts = []
        for i, side in enumerate(sides):
            of[np.flatnonzero(~maps)[side]] = i
            own = _shown(learned, planes, np.flatnonzero((seen[:, ~maps] == side).all(1)), np.flatnonzero(of == i))
            channels = own.channels
            fitting = replace(how, rng=stream(seed, DOMAIN, i))
            parts.append(self.learn(own, (channels, *encoding.shape[1:]), fitting))
        return Apart(of, tuple(parts))

    @classmethod
    def restored(cls, options: Mapping[str, Any], encoding: Encoding, arrays: Mapping[str, np.ndarray]) -> Drawer:
        """What `drawn` gave, from its arrays."""
        if DOMAIN not in arrays:
            return super().restored(options, encoding, arrays)
        of, (planes, *sides) = arrays[DOMAIN], encoding.shape
        each = [int((of == i).sum()) for i in range(int(of.max()) + 1)]
        sizes = [replace(encoding.sizes, numbers=encoding.sizes.numbers // planes * n, channels=n) for n in each]
        parts = [
            cls.drawer(options, size, (size.channels, *sides), under(arrays, f"{DOMAIN} {i}"))
            for i, size in enumerate(sizes)
        ]
        return Apart(of, tuple(parts))

    @classmethod
    def drawer(cls, options: Mapping[str, Any], sizes: Sizes, form: Any, arrays: Mapping[str, np.ndarray]) -> Drawer:
        """The saved components and mixtures."""
        return Painted.restored(sizes, arrays)


def _shown(learned: Learned, planes: np.ndarray, rows: np.ndarray, side: np.ndarray) -> Learned:
    """Some records by some of their planes (n, planes, numbers) alone."""
    width = len(side) * planes.shape[2]
    numbers = filled(lambda part: planes[rows[part]][:, side].reshape(-1, width), (len(rows), width))
    given, labels, whose = learned.given[rows], learned.labels[rows], learned.subjects[rows]
    return Learned(numbers, labels, given, whose, learned.kinds, len(side))


@dataclass(frozen=True, eq=False)
class Apart:
    """What draws each domain by itself; `of` (planes,) is the domain of each plane."""

    of: np.ndarray
    parts: tuple[Drawer, ...]

    def draw(self, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) rows whose domains have nothing in common but the label."""
        drawn = [part.draw(labels, given, rng=rng) for part in self.parts]
        area = drawn[0].shape[1] // int((self.of == 0).sum())
        made = np.empty((len(labels), len(self.of), area), dtype=np.float32)
        for i, rows in enumerate(drawn):
            made[:, self.of == i] = rows.reshape(len(rows), -1, area)
        return made.reshape(len(labels), -1)

    def arrays(self) -> dict[str, np.ndarray]:
        """Those of all domains."""
        held = [within(f"{DOMAIN} {i}", part.arrays()) for i, part in enumerate(self.parts)]
        return {DOMAIN: self.of, **{name: array for one in held for name, array in one.items()}}
