"""WGAN-GP of waves in time, by convolutions: generator and critic are told a piece's kind, intervals and style.

Layers are those of WaveGAN, fewer of them, since beats are short. Its phase shuffle is left out: every beat has its R
peak at one place, and a critic that does not see where a wave stands would let it wander.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from semblance.core.model import Card
from semblance.learn.nets.convolutional import Falling, Rising
from semblance.learn.nets.series import Series
from semblance.learn.objectives.conditional import ADVERSARIAL, Conditional
from semblance.learn.objectives.gan import Players, Wasserstein
from semblance.learn.trainer import TrainPlan
from semblance.modalities.signal.generators.network import Sampler
from semblance.modalities.signal.generators.timed import TimedSpec

CARD = Card(
    name="wgan_gp",
    conditional=True,
    summary="a Wasserstein GAN with gradient penalty, by convolutions over waves in time: a comparator",
    paper="Gulrajani et al., NeurIPS 2017; layers of Donahue et al., Adversarial Audio Synthesis (WaveGAN), ICLR 2019",
    needs=("torch",),
)


@dataclass(frozen=True)
class WganGp(TimedSpec):
    """A Wasserstein GAN with gradient penalty."""

    latent: int = 100
    """Width of the noise that a piece is made of."""
    channels: int = 16
    """Channels of the longest layer; each shorter one has twice as many."""
    penalty: float = 10.0
    """Weight of the gradient penalty."""
    turns: int = 5
    """Turns of the critic before each of the generator."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = ADVERSARIAL

    def objective(self, parts: Series, aside: torch.Tensor | None) -> Sampler:
        """Both sides, and what they lose."""
        made = Rising(parts, channels=self.channels, latent=self.latent)
        net = Players(made, Falling(parts, channels=self.channels))
        return Conditional(net, parts, Wasserstein(self.penalty), turns=self.turns, aside=aside)
