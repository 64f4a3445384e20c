"""DCGAN: a GAN of convolutions, told the label.

Its layers are those of `learn.nets.pyramid`: convolutions after an enlargement where the paper transposes them, and
groups of channels normalised where the paper normalises the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from semblance.core.model import Card
from semblance.learn.objectives.gan import Contest, NonSaturating
from semblance.modalities.image.generators.adversarial import AdversarialSpec

CARD = Card(
    name="dcgan",
    conditional=True,
    summary="a GAN of convolutions that enlarge noise to images and judge these: a comparator",
    paper="Radford, Metz & Chintala, DCGAN, ICLR 2016; group norm, and convolutions of Odena et al., Distill 2016",
    needs=("torch",),
)


@dataclass(frozen=True)
class Dcgan(AdversarialSpec):
    """A deep convolutional GAN."""

    card: ClassVar[Card] = CARD

    @property
    def contest(self) -> Contest:
        """Cross-entropy."""
        return NonSaturating()
