"""Translation between contrasts of which pairs are known, along straight lines from source to target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from semblance.core.model import Card
from semblance.learn.nets.carrier import Carrier
from semblance.learn.nets.conditioned import Parts
from semblance.learn.network import Sampler
from semblance.learn.objectives.carried import Carried
from semblance.learn.objectives.conditional import some_of
from semblance.learn.trainer import TrainPlan
from semblance.modalities.image.generators.device import OnDevice
from semblance.modalities.image.generators.diffusion import PART
from semblance.modalities.image.generators.network import LOOKED
from semblance.modalities.image.generators.translator import Mixed, Sides

CARD = Card(
    name="paired_flow",
    conditional=True,
    summary="a contrast from another, or pixels from a mask, by a flow from source to target; needs pairs",
    paper="Lipman et al., Flow Matching, ICLR 2023; Albergo et al., Data-Dependent Couplings, ICML 2024",
    needs=("torch",),
)


@dataclass(frozen=True)
class PairedFlow(OnDevice, Mixed):
    """A flow that learns from pairs."""

    blocks: int = 1
    """Residual blocks at each size, on the way down, at the bottom and on the way up."""
    steps: int = 1
    """Steps of a translation: one ends at the mean of all that fits, more draw one of it, which is grainier."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = TrainPlan(steps=0, batch=8, rate=4e-3, weight_decay=0.01, ema=0.995)

    def objective(self, form: Sides, parts: Parts, aside: torch.Tensor | None) -> Sampler:
        """The network and its loss."""
        sizes = {"width": self.channels, "blocks": self.blocks, "side": self.side}
        net = Carrier(parts, form.shapes[1], len(form.source), **sizes)
        return Carried(net, steps=self.steps, aside=some_of(aside, LOOKED), part=PART, alone=True)
