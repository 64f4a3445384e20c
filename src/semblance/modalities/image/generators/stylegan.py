"""A GAN whose maker is driven by style, told the label; both sides lose as in R3GAN."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from semblance.core.model import Card
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.style import Judge, Styled
from semblance.learn.objectives.gan import Contest, Players, Relativistic
from semblance.learn.trainer import TrainPlan
from semblance.modalities.image.generators.adversarial import ADVERSARIAL, AdversarialSpec

CARD = Card(
    name="stylegan",
    conditional=True,
    summary="a GAN whose maker is driven by style, against a relativistic critic: a comparator",
    paper="Karras et al., StyleGAN2, CVPR 2020; loss of Huang et al., R3GAN, NeurIPS 2024",
    needs=("torch",),
)


@dataclass(frozen=True)
class StyleGan(AdversarialSpec):
    """A GAN driven by style."""

    penalty: float = 1.0
    """Weight of the critic's squared slopes."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = replace(ADVERSARIAL, rate=1e-2, beta1=0.0)

    @property
    def contest(self) -> Contest:
        """How much more real than made ones images look."""
        return Relativistic(self.penalty)

    def players(self, shape: tuple[int, ...], parts: Parts) -> Players:
        """Both sides, their weights not drawn yet."""
        made = Styled(parts, shape, width=self.channels, latent=self.latent)
        return Players(made, Judge(parts, shape, width=self.channels))
