"""Diffusion over the numbers of pieces, given their kind, their intervals and the style of their recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from semblance.core.model import Card
from semblance.learn.nets.conditioned import Conditioned, Parts
from semblance.learn.network import Phase
from semblance.learn.objectives.guided import Guided
from semblance.learn.trainer import TrainPlan
from semblance.modalities.signal.code import Code
from semblance.modalities.signal.data import Pieces
from semblance.modalities.signal.encode import Encoding
from semblance.modalities.signal.generators.network import Sampler
from semblance.modalities.signal.generators.private import PrivateSpec

CARD = Card(
    name="diffusion",
    private=True,
    conditional=True,
    summary="beats or windows denoised from noise, given their kind, their intervals and the style of one recording",
    paper="Karras et al., EDM, NeurIPS 2022; Ho & Salimans, Classifier-Free Diffusion Guidance, 2022",
    needs=("torch",),
)


@dataclass(frozen=True)
class Diffusion(PrivateSpec):
    """A denoiser of whitened components."""

    components: int = 128
    """Coefficients by which a piece is told, over all leads: with fewer, any classifier sees what is left of them."""
    width: int = 256
    """Width of the network."""
    blocks: int = 3
    """Its residual blocks."""
    steps: int = 12
    """Steps of a sample."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = TrainPlan(steps=0, batch=128, rate=2e-3, weight_decay=0.01)

    def coded(self, pieces: Pieces, *, rng: np.random.Generator) -> Code:
        """Principal components."""
        return Encoding.fit(pieces, components=self.components, rng=rng)

    def objective(self, parts: Parts, aside: torch.Tensor | None) -> Sampler:
        """The denoiser and its loss."""
        return Guided(Conditioned(parts, width=self.width, blocks=self.blocks), steps=self.steps, aside=aside)

    def phases(self, objective: Any) -> tuple[Phase, ...]:
        """At once; then what is drawn is brought to the spread of pieces."""
        return (Phase(objective, 1.0, end=lambda source, rng: objective.settle(source, rng=rng)),)

    def apart(self, parts: Parts) -> Guided:
        """Each piece has a time of its own."""
        return Guided(Conditioned(parts, width=self.width, blocks=self.blocks), steps=self.steps, even=False)
