"""RGAN and RCGAN: recurrent generator and discriminator, which says at every step whether it takes the wave for real.

RCGAN hears at every step what is told of the piece: its kind, intervals and style. RGAN hears nothing, and is one
network for all kinds: a beat's kind is then but the shape around which the recording's beats of that kind vary, and
windows do not follow their labels at all, so it takes no conditions. Both sides learn by Adam; the paper's
discriminator by gradient descent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from semblance.core.model import Card
from semblance.learn.nets.recurrent import Listener, Teller
from semblance.learn.nets.series import Series
from semblance.learn.objectives.conditional import ADVERSARIAL, Conditional
from semblance.learn.objectives.gan import AtEveryStep, Players
from semblance.learn.trainer import TrainPlan
from semblance.modalities.signal.generators.network import Sampler
from semblance.modalities.signal.generators.timed import TimedSpec

PAPER = "Esteban, Hyland & Rätsch, Real-valued (Medical) Time Series Generation with Recurrent Conditional GANs, 2017"


@dataclass(frozen=True)
class RecurrentSpec(TimedSpec):
    """A GAN of long short-term memory."""

    latent: int = 16
    """Width of the noise at every step; the paper's is 5, for steps of a single sample."""
    units: int = 64
    """Width of the memory of either side."""
    frame: int = 4
    """Samples that a step makes at once, of every lead."""
    turns: int = 1
    """Turns of the discriminator before each of the generator."""
    silent: ClassVar[bool]
    base: ClassVar[TrainPlan] = replace(ADVERSARIAL, rate=2e-3)

    def objective(self, parts: Series, aside: torch.Tensor | None) -> Sampler:
        """Both sides, and what they lose at every step."""
        made = Teller(parts, units=self.units, latent=self.latent, frame=self.frame, silent=self.silent)
        net = Players(made, Listener(parts, units=self.units, frame=self.frame, silent=self.silent))
        return Conditional(net, parts, AtEveryStep(), turns=self.turns, aside=aside)


@dataclass(frozen=True)
class RcGan(RecurrentSpec):
    """RCGAN, told the kind of each piece."""

    silent: ClassVar[bool] = False
    card: ClassVar[Card] = Card(
        name="rcgan",
        conditional=True,
        summary="a recurrent GAN over waves in time that is told the kind of each piece: a comparator",
        paper=PAPER,
        needs=("torch",),
    )


@dataclass(frozen=True)
class RGan(RecurrentSpec):
    """RGAN, told nothing."""

    silent: ClassVar[bool] = True
    card: ClassVar[Card] = Card(
        name="rgan",
        summary="a recurrent GAN over waves in time that is told nothing of a piece: a comparator; see rcgan",
        paper=PAPER,
        needs=("torch",),
    )
