"""WGAN-GP of images, told the label: the critic bounds the earth mover's distance, and a penalty keeps its slope."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from semblance.core.model import Card
from semblance.learn.objectives.gan import Contest, Wasserstein
from semblance.learn.trainer import TrainPlan
from semblance.modalities.image.generators.adversarial import ADVERSARIAL, AdversarialSpec

CARD = Card(
    name="wgan_gp",
    conditional=True,
    summary="a Wasserstein GAN with gradient penalty, by convolutions: a comparator",
    paper="Gulrajani, Ahmed, Arjovsky, Dumoulin & Courville, WGAN-GP, NeurIPS 2017",
    needs=("torch",),
)


@dataclass(frozen=True)
class WganGp(AdversarialSpec):
    """A Wasserstein GAN with gradient penalty."""

    penalty: float = 10.0
    """Weight of the gradient penalty."""
    turns: int = 3
    """Turns of the critic before each of the generator; the paper has 5."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = replace(ADVERSARIAL, beta2=0.9)

    @property
    def contest(self) -> Contest:
        """The earth mover's distance."""
        return Wasserstein(self.penalty)
