"""PGGAN: a GAN whose sides grow from few places to many while they learn, told the label.

Both sides lose as in R3GAN: in as many steps as a processor has time for, the paper's loss, that of WGAN-GP with one
turn, stayed far from real images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from semblance.core.model import Card
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.progressive import Examiner, Grower
from semblance.learn.network import Phase, Sampler
from semblance.learn.objectives.progressive import Growing, Stage, phases_to
from semblance.modalities.image.generators.adversarial import RelativisticSpec

CARD = Card(
    name="pggan",
    conditional=True,
    summary="a GAN that learns coarse images first and grows, layers fading in: a comparator",
    paper="Karras, Aila, Laine & Lehtinen, PGGAN, ICLR 2018; loss of Huang et al., R3GAN, NeurIPS 2024",
    needs=("torch",),
)


@dataclass(frozen=True)
class PgGan(RelativisticSpec):
    """A GAN that grows."""

    card: ClassVar[Card] = CARD

    def objective(self, shape: tuple[int, ...], parts: Parts, aside: torch.Tensor | None) -> Sampler:
        """Both sides at the finest grid, and what they lose."""
        made = Grower(parts, shape, width=self.channels, latent=self.latent)
        net = Growing(made, Examiner(parts, shape, width=self.channels))
        return Stage(net, parts, self.contest, level=len(net.pyramid.grids) - 1, **self.played(shape, aside))

    def phases(self, objective: Any) -> tuple[Phase, ...]:
        """One grid after the other."""
        return phases_to(objective)
