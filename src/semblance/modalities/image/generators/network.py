"""What generators of images with a network share: it is trained on rows of pixels, and saved as what draws."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch

from semblance.core.model import Plan
from semblance.core.rng import root_of, stream
from semblance.learn.device import CPU
from semblance.learn.drawn import Fitting, Learned, Sizes
from semblance.learn.nets.conditioned import Parts
from semblance.learn.network import Build, Drawn, Network, Phase, Sampler, phases_of
from semblance.learn.trainer import TrainPlan
from semblance.modalities.image.data import Images
from semblance.modalities.image.encode import Encoding
from semblance.modalities.image.generators.painter import ImageSpec

LOOKED = 192
"""Images kept aside that are looked at, at most: a look costs as much as some steps."""


@dataclass(frozen=True)
class NetworkSpec(ImageSpec):
    """A network over the pixels of images. Subclasses say which (`objective`), and where its plan starts."""

    aside: float = 0.1
    """Share of patients kept aside to stop early; of fewer than 20 none is."""
    epochs: int = 400
    """At most so many passes over the images, however large the budget."""
    base: ClassVar[TrainPlan]

    def objective(self, form: Any, parts: Parts, aside: torch.Tensor | None) -> Sampler:
        """The network of images of this form, its weights not drawn yet, and its loss."""
        raise TypeError(f"{type(self).__name__} does not say what is trained")

    def taught(self, train: Images) -> tuple[Learned, Any]:
        """What the network learns of images, and their form: the shape (channels, ...) of one."""
        encoding, learned = Encoding.fit(train, rare=self.rare, reads=self.reads)
        return learned, encoding.shape

    def begun(self, learned: Learned, form: Any, *, rng: np.random.Generator) -> Build:
        """What makes the objective for these images; some networks begin with what is known of them."""
        return partial(self.objective, form)

    @property
    def place(self) -> torch.device:
        """Where it learns; what has a choice is an OnDevice."""
        return CPU

    def phases(self, objective: Any) -> tuple[Phase, ...]:
        """The parts of training, one after the other, as the objective says; the last takes the steps that are left."""
        return phases_of(objective)

    def plan(self, train: Images, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """Seconds (default 60) turned into steps: a few are tried."""
        budget, begun, seed = 60.0 if time_budget is None else time_budget, time.monotonic(), root_of(rng)
        learned, form = self.taught(self.seen(train))
        network = self._network(self.begun(learned, form, rng=stream(seed, "components")))
        return network.plan(learned, self.base, epochs=self.epochs, budget=budget, begun=begun, seed=seed)

    def learn(self, learned: Learned, form: Any, how: Fitting) -> Drawn:
        """Train for the plan. Raises DataError where training diverges."""
        seed = root_of(how.rng)
        network = self._network(self.begun(learned, form, rng=stream(seed, "components")))
        return network.learn(learned, Fitting(stream(seed, "network"), how.plan, how.watch, how.resume))

    def _network(self, build: Build) -> Network:
        return Network(build, self.aside, phases=self.phases, device=self.place)

    @classmethod
    def drawer(cls, options: Mapping[str, Any], sizes: Sizes, form: Any, arrays: Mapping[str, np.ndarray]) -> Drawn:
        """The trained network."""
        spec = cls(**options)
        return spec._network(partial(spec.objective, form)).restored(sizes, arrays)
