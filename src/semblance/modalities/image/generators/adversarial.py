"""What GANs of images share: a maker of images, a critic that is told the label, and who judges between steps.

What is kept are the averaged weights whose images are nearest, at every fineness of detail, to those of patients kept
aside: neither side's loss says when a fit is good, and one that has lost its variety is not kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import torch

from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.pyramid import Critic, Maker
from semblance.learn.network import Sampler
from semblance.learn.objectives.bands import apart
from semblance.learn.objectives.conditional import Conditional
from semblance.learn.objectives.gan import Contest, Players, Relativistic
from semblance.learn.trainer import TrainPlan
from semblance.modalities.image.generators.network import NetworkSpec

ADVERSARIAL = TrainPlan(
    steps=0, batch=32, rate=1e-3, weight_decay=0.0, beta1=0.5, warmup=0, ema=0.98, look=50, patience=10**6
)
"""Where the plan of two sides starts. There is no early end: neither loss falls as a fit gets better."""


@dataclass(frozen=True)
class AdversarialSpec(NetworkSpec):
    """A maker of images against a critic. Subclasses say what they lose (`contest`)."""

    latent: int = 64
    """Width of the noise that an image is made of."""
    channels: int = 8
    """Channels of both sides where an image is widest; twice as many at each half, up to eight times."""
    turns: int = 1
    """Turns of the critic before each of the generator."""
    base: ClassVar[TrainPlan] = ADVERSARIAL

    @property
    def contest(self) -> Contest:
        """What each side loses."""
        raise TypeError(f"{type(self).__name__} does not say what is lost")

    def players(self, shape: tuple[int, ...], parts: Parts) -> Players:
        """Both sides, their weights not drawn yet."""
        made = Maker(parts, shape, width=self.channels, latent=self.latent)
        return Players(made, Critic(parts, shape, width=self.channels))

    def objective(self, shape: tuple[int, ...], parts: Parts, aside: torch.Tensor | None) -> Sampler:
        """Both sides, and what they lose."""
        return Conditional(self.players(shape, parts), parts, self.contest, **self.played(shape, aside))

    def played(self, shape: tuple[int, ...], aside: torch.Tensor | None) -> dict[str, Any]:
        """How sides take turns, and who judges between steps."""
        return {"turns": self.turns, "aside": aside, "distance": partial(apart, shape=shape)}


@dataclass(frozen=True)
class RelativisticSpec(AdversarialSpec):
    """Sides that lose as in R3GAN (Huang et al., NeurIPS 2024)."""

    penalty: float = 1.0
    """Weight of the critic's squared slopes."""
    base: ClassVar[TrainPlan] = replace(ADVERSARIAL, rate=1e-2, beta1=0.0)

    @property
    def contest(self) -> Contest:
        """How much more real than made ones images look."""
        return Relativistic(self.penalty)
