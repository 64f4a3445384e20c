"""TimeGAN of waves in time: states of an autoencoder are made by a recurrent generator, supervised step by step.

What is told of a piece, its kind, intervals and style, stands in the place of the paper's static features: it is given
and not made. Waves are not squeezed between 0 and 1, so what is recovered is not either. A third of the steps goes to
each phase.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from semblance.core.model import Card
from semblance.learn.nets import timegan
from semblance.learn.nets.series import Series
from semblance.learn.network import Sampler
from semblance.learn.objectives.conditional import ADVERSARIAL
from semblance.learn.objectives.timegan import Embedded
from semblance.learn.trainer import TrainPlan
from semblance.modalities.signal.generators.timed import TimedSpec

CARD = Card(
    name="timegan",
    conditional=True,
    summary="a recurrent GAN over the states of an autoencoder of waves, supervised step by step: a comparator",
    paper="Yoon, Jarrett & van der Schaar, Time-series Generative Adversarial Networks, NeurIPS 2019",
    needs=("torch",),
)


@dataclass(frozen=True)
class TimeGan(TimedSpec):
    """A GAN over embedded waves."""

    units: int = 32
    """Width of a state."""
    layers: int = 1
    """Layers of each network (the supervisor has one less, or one); the paper's have 3."""
    frame: int = 8
    """Samples of a step, of every lead."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = replace(ADVERSARIAL, rate=1e-3)

    def objective(self, parts: Series, aside: torch.Tensor | None) -> Sampler:
        """All five networks and their losses."""
        net = timegan.TimeGan(parts, units=self.units, layers=self.layers, frame=self.frame)
        return Embedded(net, parts, aside=aside)
