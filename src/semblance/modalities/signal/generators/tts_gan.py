"""TTS-GAN: a transformer makes waves, and another one judges them by patches; both lose by least squares.

The paper trains one network for each class. Here one network is told a piece's kind, intervals and style, beside the
noise and in the critic's first token; and a token makes some neighbouring samples at once, where theirs makes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from semblance.core.model import Card
from semblance.learn.nets.series import Series
from semblance.learn.nets.transformer import Patches, Weaver, refuse_heads
from semblance.learn.objectives.conditional import ADVERSARIAL, Conditional
from semblance.learn.objectives.gan import LeastSquares, Players
from semblance.learn.trainer import TrainPlan
from semblance.modalities.signal.generators.network import Sampler
from semblance.modalities.signal.generators.timed import TimedSpec

CARD = Card(
    name="tts_gan",
    conditional=True,
    summary="a GAN of two transformers, one of which judges waves in time by patches: a comparator",
    paper="Li, Metsis, Wang & Ngu, TTS-GAN: A Transformer-Based Time-Series GAN, AIME 2022",
    needs=("torch",),
)


@dataclass(frozen=True)
class TtsGan(TimedSpec):
    """A GAN of transformers."""

    latent: int = 100
    """Width of the noise that a piece is made of."""
    units: int = 40
    """Width of a token."""
    depth: int = 3
    """Blocks of either side."""
    heads: int = 4
    """Heads of attention; they divide the width of a token."""
    dropout: float = 0.1
    """Share of numbers that are dropped in training."""
    frame: int = 4
    """Samples that a token of the generator makes, of every lead."""
    patch: int = 16
    """Samples that a token of the discriminator sees."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = ADVERSARIAL

    def __post_init__(self) -> None:
        refuse_heads(self.units, self.heads)

    def objective(self, parts: Series, aside: torch.Tensor | None) -> Sampler:
        """Both sides, and what they lose."""
        size = {"units": self.units, "depth": self.depth, "heads": self.heads}
        made = Weaver(parts, **size, dropout=self.dropout, latent=self.latent, frame=self.frame)
        net = Players(made, Patches(parts, **size, dropout=self.dropout, patch=self.patch))
        return Conditional(net, parts, LeastSquares(), aside=aside)
