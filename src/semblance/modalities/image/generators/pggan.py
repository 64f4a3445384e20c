"""PGGAN: a GAN whose sides grow from few places to many while they learn, told the label.

Both sides lose as in R3GAN: in as many steps as a processor has time for, the paper's loss, that of WGAN-GP with one
turn, stayed far from real images.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import torch

from semblance.core.model import Card
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.progressive import Examiner, Grower
from semblance.learn.network import Phase, Sampler
from semblance.learn.objectives.bands import apart
from semblance.learn.objectives.gan import Contest, Relativistic
from semblance.learn.objectives.progressive import Growing, Stage, phases_to
from semblance.learn.trainer import TrainPlan
from semblance.modalities.image.generators.adversarial import ADVERSARIAL, AdversarialSpec

CARD = Card(
    name="pggan",
    conditional=True,
    summary="a GAN that learns coarse images first and grows, layers fading in: a comparator",
    paper="Karras, Aila, Laine & Lehtinen, PGGAN, ICLR 2018; loss of Huang et al., R3GAN, NeurIPS 2024",
    needs=("torch",),
)


@dataclass(frozen=True)
class PgGan(AdversarialSpec):
    """A GAN that grows."""

    penalty: float = 1.0
    """Weight of the critic's squared slopes."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = replace(ADVERSARIAL, rate=1e-2, beta1=0.0)

    @property
    def contest(self) -> Contest:
        """How much more real than made ones images look."""
        return Relativistic(self.penalty)

    def objective(self, shape: tuple[int, ...], parts: Parts, aside: torch.Tensor | None) -> Sampler:
        """Both sides at the finest grid, and what they lose."""
        made = Grower(parts, shape, width=self.channels, latent=self.latent)
        net = Growing(made, Examiner(parts, shape, width=self.channels))
        how: dict[str, Any] = {"turns": self.turns, "aside": aside, "distance": partial(apart, shape=shape)}
        return Stage(net, parts, self.contest, level=len(net.pyramid.grids) - 1, **how)

    def phases(self, objective: Any) -> tuple[Phase, ...]:
        """One grid after the other."""
        return phases_to(objective)
