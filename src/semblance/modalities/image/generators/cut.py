"""Translation between two domains of which nothing is paired, one way: places are told apart, none is led back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from semblance.core.errors import DataError
from semblance.core.model import Card
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.nce import OneSide, Told
from semblance.learn.nets.translate import Patches, Translation
from semblance.learn.network import Sampler
from semblance.learn.objectives.conditional import some_of
from semblance.learn.objectives.nce import PatchNce
from semblance.modalities.image.data import Images
from semblance.modalities.image.generators.network import LOOKED
from semblance.modalities.image.generators.translator import Sides, given_of
from semblance.modalities.image.generators.unpaired import Unpaired
from semblance.modalities.image.planes import slots

CARD = Card(
    name="cut",
    conditional=True,
    summary="a contrast from another of which no pairs are known, one way: a translator that tells places apart",
    paper="Park et al., Contrastive Learning for Unpaired Image-to-Image Translation, ECCV 2020",
    needs=("torch",),
)


@dataclass(frozen=True)
class Cut(Unpaired):
    """A translator that learns from images of two domains, from the given one to the other."""

    near: float = 1.0
    """Weight of telling places of an image apart, beside the critic's."""
    embedding: int = 32
    """Numbers by which a place is told from others."""
    card: ClassVar[Card] = CARD

    def objective(self, form: Sides, parts: Parts, aside: torch.Tensor | None) -> Sampler:
        """The translator, the critic and their losses."""
        source, target = form.shapes
        there = Translation(parts, target, source[0], width=self.channels, side=self.side)
        critic = OneSide(Patches(target, width=self.channels, layers=self.layers))
        net = Told(there, width=self.channels, told=self.embedding)
        return PatchNce(net, critic, parts, near=self.near, aside=some_of(aside, LOOKED))

    def refuse_unfit(self, train: Images) -> None:
        """Raise DataError where both sides are not of as many planes: one network looks at both."""
        super().refuse_unfit(train)
        planes, given = {True: 0, False: 0}, given_of(train.layout)
        for channel, slot in zip(train.layout.channels, slots(train.layout, train.pixels.shape[1]), strict=True):
            if channel.name in given or not channel.classes:
                planes[channel.name in given] += slot.stop - slot.start
        if planes[True] != planes[False]:
            raise DataError.of(
                f"a translation from {planes[True]} planes to {planes[False]}",
                rule="one network looks at both sides, so that they have as many channels, or classes of a mask",
                fix="give as many channels on either side, or choose cyclegan",
            )
