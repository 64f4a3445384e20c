"""What generators share that paint some channels of an image from others: pixels from a mask, a contrast from another.

What is given is learned beside it, so that whole images can be drawn without any patient's mask. Subclasses say which
network paints the other channels (`objective`), and what draws those that are given (`sources`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch

from semblance.core.arrays import under, within
from semblance.core.errors import DataError, UsageError
from semblance.core.large import filled
from semblance.core.rng import root_of, stream
from semblance.learn.drawn import Drawer, Fitting, Learned, Sizes
from semblance.learn.network import Drawn
from semblance.modalities.image.data import Images, Layout
from semblance.modalities.image.encode import Encoding, mapped
from semblance.modalities.image.generators.completing import CompletingModel
from semblance.modalities.image.generators.network import NetworkSpec
from semblance.modalities.image.generators.painter import ImageModel
from semblance.modalities.image.generators.sources import Sources
from semblance.modalities.image.planes import channels_of, slots

SOURCES, PAINTER = "sources", "painter"


@dataclass(frozen=True)
class Sides:
    """The planes that are given, `source`, and those that are painted, `target`, of images of `shape` (planes, ...).
    The last ones of the source may go `along`: they are drawn with it, and what paints does not see them."""

    source: tuple[int, ...]
    target: tuple[int, ...]
    shape: tuple[int, ...]
    along: int = 0

    @classmethod
    def of(cls, encoding: Encoding, *, maps_along: bool = False) -> Sides:
        """Those of the given channels, and all others; with `maps_along` label maps are never painted."""
        layout, shape = encoding.layout, encoding.shape
        every, given = slots(layout, channels_of(layout, shape[0])), given_of(layout)
        own = [i for i, channel in enumerate(layout.channels) if channel.name in given]
        beside = [i for i in layout.maps if maps_along and i not in own]
        source, along = (tuple(p for i in some for p in range(every[i].start, every[i].stop)) for some in (own, beside))
        target = tuple(p for p in range(shape[0]) if p not in source + along)
        return cls(source + along, target, shape, len(along))

    def split(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, numbers) rows of what is given, and of what is painted."""
        return self._of(rows, self.source), self._of(rows, self.target)

    def _of(self, rows: np.ndarray, side: tuple[int, ...]) -> np.ndarray:
        """(n, numbers) rows of some planes."""
        planes, width = rows.reshape(len(rows), self.shape[0], -1), len(side) * int(np.prod(self.shape[1:]))
        chosen = list(side)
        return filled(lambda part: planes[part][:, chosen].reshape(-1, width), (len(rows), width), rows.dtype)

    def shown(self, source: np.ndarray) -> np.ndarray:
        """(n, numbers) of rows of what is given, those from which the others are painted."""
        return source[:, : self.seen * int(np.prod(self.shape[1:]))]

    def join(self, source: np.ndarray, target: np.ndarray) -> np.ndarray:
        """The inverse."""
        made = np.empty((len(source), self.shape[0], int(np.prod(self.shape[1:]))), dtype=np.float32)
        for side, rows in ((self.source, source), (self.target, target)):
            made[:, list(side)] = rows.reshape(len(rows), len(side), -1)
        return made.reshape(len(source), -1)

    def parted(self, learned: Learned, *, told: bool) -> tuple[Learned, Learned]:
        """What is given as records of its own, and what is painted beside it, and beside facts that are `told`."""
        source, target = self.split(learned.coefficients)
        beside = self._beside(self.shown(source), learned.given) if told else self.shown(source)
        return (
            replace(learned, coefficients=source, channels=len(self.source)),
            replace(learned, coefficients=target, given=beside, channels=len(self.target)),
        )

    def _beside(self, source: np.ndarray, facts: np.ndarray) -> np.ndarray:
        """(n, numbers + facts) both, side by side."""
        shape = len(source), source.shape[1] + facts.shape[1]
        return filled(lambda part: np.concatenate([source[part], facts[part]], 1), shape) if facts.shape[1] else source

    def sizes(self, kinds: int, facts: int, *, told: bool) -> tuple[Sizes, Sizes]:
        """The sizes of both, where so many numbers tell facts; whether what paints is told them."""
        area, one, other = int(np.prod(self.shape[1:])), len(self.source), len(self.target)
        beside = self.seen * area + (facts if told else 0)
        return Sizes(one * area, facts, kinds, one), Sizes(other * area, beside, kinds, other)

    @property
    def seen(self) -> int:
        """How many given planes what paints is shown."""
        return len(self.source) - self.along

    @property
    def shapes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """(planes, ...) of what is shown, and of what is painted of it."""
        return (self.seen, *self.shape[1:]), (len(self.target), *self.shape[1:])


def given_of(layout: Layout) -> tuple[str, ...]:
    """The names of the channels that are given: as declared, else all masks."""
    return layout.given or tuple(channel.name for channel in layout.maps.values())


@dataclass(frozen=True, eq=False)
class Painting:
    """What draws given planes, and what paints the others; which `sides` these are, and whether what paints is `told`
    the facts of an image."""

    encoding: Encoding
    sides: Sides
    sources: Drawer
    painter: Drawn
    told: bool

    def draw(self, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) rows of whole images."""
        source = self._source(labels, given, rng=rng)
        return self.sides.join(source, self.painter.draw(labels, self._beside(source, given), rng=rng))

    def complete(
        self, rows: np.ndarray, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """(n, d) rows with a draw for every NaN; given planes are drawn where nothing of them is known. What goes along
        with given planes stays as it is."""
        sides = self.sides
        source, target = sides.split(rows)
        gone, none = np.isnan(sides.shown(source)), np.isnan(source).all(1)
        if gone[~none].any():
            raise UsageError.of(
                "an image whose given channels are known in part",
                rule="what is painted from is known, or nothing of it",
                fix="give it whole, or choose diffusion, which completes any pixels",
            )
        usual = self.encoding.known.usual(len(rows), rng=rng)
        drawn = self._source(np.where(labels < self.encoding.sizes.kinds, labels, usual), given, rng=rng)
        source = np.where(none[:, None], drawn, source)
        return sides.join(source, self.painter.complete(target, labels, self._beside(source, given), rng=rng))

    def on(self, device: torch.device) -> None:
        """Paint on a device from now on; mixtures of what is given stay where they are, a network of it goes along."""
        self.painter.on(device)

    def arrays(self) -> dict[str, np.ndarray]:
        """Those of both."""
        return {**within(SOURCES, self.sources.arrays()), **within(PAINTER, self.painter.arrays())}

    def _beside(self, source: np.ndarray, given: np.ndarray) -> np.ndarray:
        """(n, c) beside what the others are painted."""
        shown = self.sides.shown(source)
        return np.concatenate([shown, given], 1) if self.told else shown

    def _source(self, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) rows of given planes as an image would have them: masks of classes, brightness within its bounds."""
        sides = self.sides
        rows = self.sources.draw(labels, given, rng=rng)
        blank = np.zeros((len(rows), len(sides.target) * int(np.prod(sides.shape[1:]))), dtype=np.float32)
        return sides.split(self.encoding.numbers(self.encoding.pixels(sides.join(rows, blank))))[0]


@dataclass(frozen=True)
class Translator(NetworkSpec):
    """A network that paints some channels from others: it learns these beside what is given, of the form of Sides."""

    components: int = 64
    """Directions, at most, in which what is given is learned; fewer where there are few patients."""
    channels: int = 32
    """Channels of a network where it is widest in space; twice as many where it is half as large."""
    side: int = 64
    """Places a side, at most, on which a network works: pixels beyond are packed into channels."""
    roles: ClassVar[tuple[str, ...]] = ("channels", "given")
    told: ClassVar[bool] = False
    """Whether what paints is told the facts of an image, and not only what draws its given channels."""
    painting: ClassVar[type[Painting]] = Painting
    """What draws whole images of both."""
    maps_along: ClassVar[bool] = False
    """Whether label maps that are not given are drawn with what is, and never painted."""

    def taught(self, train: Images) -> tuple[Learned, Any]:
        """What is painted beside what is given, and which planes are which."""
        self.refuse_unfit(train)
        encoding, learned = Encoding.fit(train, rare=self.rare)
        sides = self.sides(encoding)
        return self.parted(learned, sides)[1], sides

    @classmethod
    def sides(cls, encoding: Encoding) -> Sides:
        """Which planes are given, and which are painted."""
        return Sides.of(encoding, maps_along=cls.maps_along)

    def parted(self, learned: Learned, sides: Sides) -> tuple[Learned, Learned]:
        """What is given as records of its own, and what is learned beside it."""
        return sides.parted(learned, told=self.told)

    @classmethod
    def model(cls) -> type[ImageModel]:
        """It also paints from channels that are given."""
        return CompletingModel

    def refuse_unfit(self, train: Images) -> None:
        """Raise DataError where no channel is given, or some of an image are unknown."""
        super().refuse_unfit(train)
        if not given_of(train.layout):
            raise DataError.of(
                f"'{self.card.name}' was given images without a mask, and no channel is declared as given",
                rule="it paints channels from others: from masks, or from those that are declared",
                fix='give masks beside the images, or [image] given = ["T1"] in the schema file',
            )

    def drawn(self, encoding: Encoding, learned: Learned, how: Fitting) -> Drawer:
        """What draws what is given, and what paints the rest."""
        seed, sides = root_of(how.rng), self.sides(encoding)
        source, target = self.parted(learned, sides)
        edges = np.where(mapped(encoding.layout, encoding.shape[0]), -encoding.center / encoding.scale, np.nan)
        painter = self.learn(target, sides, replace(how, rng=stream(seed, PAINTER)))
        sources = self.sources(painter, source, sides, edges[list(sides.source)], seed=seed)
        return self.painting(encoding, sides, sources, painter, self.told)

    def sources(self, painter: Drawn, source: Learned, sides: Sides, edges: np.ndarray, *, seed: int) -> Drawer:
        """What draws given planes, beside the painter that was learned; `edges` says above which number a plane is
        inside of its class, NaN for brightness."""
        raise TypeError(f"{type(self).__name__} does not say what draws given channels")

    @classmethod
    def restored_sources(cls, painter: Drawn, sizes: Sizes, arrays: Mapping[str, np.ndarray]) -> Drawer:
        """The same, from its arrays."""
        raise TypeError(f"{cls.__name__} does not say what draws given channels")

    @classmethod
    def restored(cls, options: Mapping[str, Any], encoding: Encoding, arrays: Mapping[str, np.ndarray]) -> Drawer:
        """Both, from their arrays."""
        sides = cls.sides(encoding)
        one, other = sides.sizes(encoding.sizes.kinds, encoding.sizes.given, told=cls.told)
        painter = cls.drawer(options, other, sides, under(arrays, PAINTER))
        sources = cls.restored_sources(painter, one, under(arrays, SOURCES))
        return cls.painting(encoding, sides, sources, painter, cls.told)


@dataclass(frozen=True)
class Mixed(Translator):
    """A translator beside which what is given is drawn by the floor's mixtures."""

    mixture: int = 4
    """At most so many Gaussians of what is given, for each label."""

    def sources(self, painter: Drawn, source: Learned, sides: Sides, edges: np.ndarray, *, seed: int) -> Drawer:
        """Mixtures of given planes."""
        how_many: dict[str, int] = {"most": self.components, "mixture": self.mixture, "rare": self.rare}
        return Sources.fit(source, (len(sides.source), *sides.shape[1:]), edges, seed=seed, **how_many)

    @classmethod
    def restored_sources(cls, painter: Drawn, sizes: Sizes, arrays: Mapping[str, np.ndarray]) -> Drawer:
        """The same, from its arrays."""
        return Sources.restored(sizes, arrays)
