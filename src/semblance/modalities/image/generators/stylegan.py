"""A GAN whose maker is driven by style, told the label; both sides lose as in R3GAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from semblance.core.model import Card
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.style import Judge, Styled
from semblance.learn.objectives.gan import Players
from semblance.modalities.image.generators.adversarial import RelativisticSpec

CARD = Card(
    name="stylegan",
    conditional=True,
    summary="a GAN whose maker is driven by style, against a relativistic critic: a comparator",
    paper="Karras et al., StyleGAN2, CVPR 2020; loss of Huang et al., R3GAN, NeurIPS 2024",
    needs=("torch",),
)


@dataclass(frozen=True)
class StyleGan(RelativisticSpec):
    """A GAN driven by style."""

    card: ClassVar[Card] = CARD

    def players(self, shape: tuple[int, ...], parts: Parts) -> Players:
        """Both sides, their weights not drawn yet."""
        made = Styled(parts, shape, width=self.channels, latent=self.latent)
        return Players(made, Judge(parts, shape, width=self.channels))
