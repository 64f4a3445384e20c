"""A GAN of two transformers over several series of a stay at once: of how often groups of channels are measured, and of
the values of channels.

TTS-GAN as it stands among the generators of signals, over many channels and told a context, as in Madane et al. What
has no time (whether a channel is measured at all, facts) is drawn first, by a Gaussian mixture of each outcome; both
sides are told it. Besides the contest the generator answers for how series go on (`objectives.longitudinal`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch

from semblance.core.arrays import under, within
from semblance.core.model import Card, Plan
from semblance.core.rng import root_of, stream
from semblance.learn.drawn import Drawer, Fitting, Learned, Sizes
from semblance.learn.mixture import Mixtures
from semblance.learn.nets.series import Series
from semblance.learn.nets.transformer import Patches, Weaver, refuse_heads
from semblance.learn.network import Network, Sampler
from semblance.learn.objectives.conditional import ADVERSARIAL
from semblance.learn.objectives.gan import LeastSquares, Players
from semblance.learn.objectives.longitudinal import Longitudinal
from semblance.learn.trainer import TrainPlan
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.encoding.code import Code
from semblance.modalities.vitals.encoding.encoding import Encoding
from semblance.modalities.vitals.encoding.paths import Paths
from semblance.modalities.vitals.generators.nurse import StaySpec

CARD = Card(
    name="mtts_gan",
    conditional=True,
    summary="a GAN of two transformers over the series of a stay, by patches, with consistency in time: a comparator",
    paper="Li et al., TTS-GAN, AIME 2022; Madane et al., Transformer-Based Conditional GAN for Multivariate Time"
    " Series Generation, 2022",
    needs=("torch",),
)
REST, SERIES = "rest", "series"


@dataclass(frozen=True)
class MttsGan(StaySpec):
    """A GAN of transformers over several series."""

    latent: int = 64
    """Width of the noise that series are made of."""
    units: int = 64
    """Width of a token."""
    depth: int = 2
    """Blocks of either side."""
    heads: int = 4
    """Heads of attention; they divide the width of a token."""
    dropout: float = 0.1
    """Share of numbers that are dropped in training."""
    patch: int = 2
    """Parts of a stay that a token of the discriminator sees; one of the generator makes one part."""
    consistency: float = 1.0
    """Weight of the changes between parts beside the contest."""
    mixture: int = 4
    """At most so many Gaussians of each outcome for what has no time."""
    aside: float = 0.1
    """Share of patients kept aside to stop early; of fewer than 20 none is."""
    epochs: int = 400
    """At most so many passes over the stays, however large the budget."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = ADVERSARIAL

    def __post_init__(self) -> None:
        refuse_heads(self.units, self.heads)

    def objective(self, parts: Any, aside: torch.Tensor | None) -> Sampler:
        """Both sides, and what they lose, over rows of a Series."""
        size = {"units": self.units, "depth": self.depth, "heads": self.heads}
        made = Weaver(parts, **size, dropout=self.dropout, latent=self.latent, frame=1)
        net = Players(made, Patches(parts, **size, dropout=self.dropout, patch=self.patch))
        return Longitudinal(net, parts, LeastSquares(), weight=self.consistency, aside=aside)

    @property
    def _network(self) -> Network:
        return Network(self.objective, self.aside, _parts)

    def plan(self, train: Stays, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """Seconds (default 60) turned into steps: series are made once, and a few steps are tried."""
        budget, begun, seed = 60.0 if time_budget is None else time_budget, time.monotonic(), root_of(rng)
        encoding, learned = self.encoded(train, rng=stream(seed, "encoding"))
        series = _series(learned, Paths.of(encoding))
        return self._network.plan(series, self.base, epochs=self.epochs, budget=budget, begun=begun, seed=seed)

    def learn(self, learned: Learned, encoding: Encoding, how: Fitting) -> Drawer:
        """Train for the plan. Raises DataError where training diverges."""
        seed, paths = root_of(how.rng), Paths.of(encoding)
        series = _series(learned, paths)
        rest = replace(learned, coefficients=series.given)
        mixtures = Mixtures.fit(rest, most=self.mixture, rng=stream(seed, "rest"))
        return OneAfterTheOther(mixtures, self._network.learn(series, replace(how, rng=stream(seed, "series"))), paths)

    @classmethod
    def drawer(cls, options: Mapping[str, Any], encoding: Code, arrays: Mapping[str, np.ndarray]) -> Drawer:
        """The saved mixtures and the trained network."""
        assert isinstance(encoding, Encoding)
        paths, kinds = Paths.of(encoding), encoding.sizes.kinds
        given = int((~paths.timed).sum())
        mixtures = Mixtures.restored(Sizes(given, 0, kinds), under(arrays, REST))
        sizes = Sizes(len(paths.axes), given, kinds, paths.channels)
        return OneAfterTheOther(mixtures, cls(**options)._network.restored(sizes, under(arrays, SERIES)), paths)


@dataclass(frozen=True, eq=False)
class OneAfterTheOther:
    """What has no time, and then series given it."""

    rest: Drawer
    series: Drawer
    paths: Paths

    def draw(self, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) vectors of stays."""
        rest = self.rest.draw(labels, given, rng=rng)
        return self.paths.join(self.series.draw(labels, rest, rng=rng), rest)

    def arrays(self) -> dict[str, np.ndarray]:
        """The mixtures and the weights."""
        return {**within(REST, self.rest.arrays()), **within(SERIES, self.series.arrays())}


def _parts(sizes: Sizes) -> Series:
    return Series(sizes.numbers, sizes.given, sizes.kinds, sizes.channels)


def _series(learned: Learned, paths: Paths) -> Learned:
    """Vectors as series, given what has no time."""
    series, rest = paths.split(learned.coefficients)
    return replace(learned, coefficients=series, given=rest, channels=paths.channels)
