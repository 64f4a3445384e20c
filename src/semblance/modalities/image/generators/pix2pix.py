"""Translation between contrasts of which pairs are known, with a critic of patches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from semblance.core.model import Card
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.translate import Patches, Translation
from semblance.learn.network import Sampler
from semblance.learn.objectives.conditional import some_of
from semblance.learn.objectives.paired import Pix2Pix as Paired
from semblance.learn.trainer import TrainPlan
from semblance.modalities.image.generators.network import LOOKED
from semblance.modalities.image.generators.translator import Mixed, Sides

CARD = Card(
    name="pix2pix",
    conditional=True,
    summary="a contrast from another, or pixels from a mask, by a U-Net and a critic of patches; needs pairs",
    paper="Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017",
    needs=("torch",),
)


@dataclass(frozen=True)
class Pix2Pix(Mixed):
    """A translator that learns from pairs."""

    layers: int = 3
    """Layers of the critic: a patch has 2 to this power pixels a side, and what lies around."""
    near: float = 100.0
    """Weight of the absolute difference from the real target, beside the critic's."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = TrainPlan(
        steps=0, batch=8, rate=1e-3, weight_decay=0.01, beta1=0.5, beta2=0.999, ema=0.995
    )

    def objective(self, form: Sides, parts: Parts, aside: torch.Tensor | None) -> Sampler:
        """Both networks and their losses."""
        net = Translation(parts, form.shapes[1], len(form.source), width=self.channels, side=self.side)
        critic = Patches(form.shape, width=self.channels, layers=self.layers)
        return Paired(net, critic, parts, near=self.near, aside=some_of(aside, LOOKED))
