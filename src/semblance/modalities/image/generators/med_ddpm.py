"""Diffusion of pixels beside a mask, which is joined to the noisy image as further channels; planes and volumes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch

from semblance.core.model import Card, Plan
from semblance.core.rng import root_of, stream
from semblance.learn.components import Components
from semblance.learn.drawn import Fitting, Learned, Sizes
from semblance.learn.nets.beside import Beside
from semblance.learn.nets.conditioned import Parts
from semblance.learn.network import Network, Sampler
from semblance.learn.objectives.conditional import some_of
from semblance.learn.objectives.inpainting import Inpainting
from semblance.learn.trainer import TrainPlan
from semblance.modalities.image.data import Images
from semblance.modalities.image.encode import Encoding
from semblance.modalities.image.generators.diffusion import PART
from semblance.modalities.image.generators.network import LOOKED
from semblance.modalities.image.generators.translator import Painter, Sides, Translator

CARD = Card(
    name="med_ddpm",
    conditional=True,
    summary="pixels denoised beside a mask, or beside another contrast; masks come from a model of their own",
    paper="Dorjsembe et al., Med-DDPM, IEEE J. Biomed. Health Inform. 2024; Karras et al., EDM, NeurIPS 2022",
    needs=("torch",),
)


@dataclass(frozen=True)
class MedDdpm(Translator):
    """A denoiser of images beside given channels."""

    channels: int = 32
    """Channels of the network where it is widest in space; twice as many where it is half as large."""
    blocks: int = 1
    """Residual blocks at each size, on the way down, at the bottom and on the way up."""
    side: int = 32
    """Places a side, at most, on which the network works: pixels beyond are packed into channels."""
    steps: int = 14
    """Steps of a sample."""
    aside: float = 0.1
    """Share of patients kept aside to stop early; of fewer than 20 none is."""
    epochs: int = 400
    """At most so many passes over the images, however large the budget."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = TrainPlan(steps=0, batch=16, rate=2e-3, weight_decay=0.01, ema=0.998)

    def objective(
        self,
        sides: Sides,
        found: Components | None,
        rows: np.ndarray | None,
        parts: Parts,
        aside: torch.Tensor | None,
    ) -> Sampler:
        """The denoiser of what is painted, and its loss."""
        net = Beside(
            parts,
            sides.shapes[1],
            len(sides.source),
            width=self.channels,
            blocks=self.blocks,
            components=self.components,
            side=self.side,
            found=found,
            rows=rows,
        )
        return Inpainting(net, steps=self.steps, aside=some_of(aside, LOOKED), part=PART, alone=True)

    def _network(self, learned: Learned, sides: Sides, *, rng: np.random.Generator) -> Network:
        rows, most = learned.coefficients, min(self.components, self.behind(learned))
        people: dict[str, Any] = {"whose": learned.subjects, "rare": self.rare}
        found = Components.fit(rows, learned.labels, kinds=learned.kinds, most=most, rng=rng, **people)
        return Network(partial(self.objective, sides, found, rows), self.aside)

    def plan(self, train: Images, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """Seconds (default 60) turned into steps: a few are tried."""
        budget, begun, seed = 60.0 if time_budget is None else time_budget, time.monotonic(), root_of(rng)
        self.refuse_unfit(train)
        encoding, learned = Encoding.fit(train, rare=self.rare)
        sides = Sides.of(encoding)
        target = sides.parted(learned)[1]
        network = self._network(target, sides, rng=stream(seed, "components"))
        return network.plan(target, self.base, epochs=self.epochs, budget=budget, begun=begun, seed=seed)

    def paint(self, learned: Learned, sides: Sides, how: Fitting) -> Painter:
        """Train for the plan. Raises DataError where training diverges."""
        seed = root_of(how.rng)
        network = self._network(learned, sides, rng=stream(seed, "components"))
        return network.learn(learned, Fitting(stream(seed, "network"), how.plan, how.watch, how.resume))

    @classmethod
    def painter(
        cls, options: Mapping[str, Any], sides: Sides, sizes: Sizes, arrays: Mapping[str, np.ndarray]
    ) -> Painter:
        """The trained network."""
        return Network(partial(cls(**options).objective, sides, None, None), 0.0).restored(sizes, arrays)
