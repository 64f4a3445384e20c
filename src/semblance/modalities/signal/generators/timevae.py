"""TimeVAE of waves in time: a variational autoencoder whose decoder adds a level, a trend and a residual.

Encoder and decoder are told a piece's kind, intervals and style, of which the paper has none. Under a ledger the wave
is that of the cosines that were counted (`private`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from semblance.core.model import Card
from semblance.learn.nets import timevae
from semblance.learn.nets.series import Series
from semblance.learn.objectives.timevae import Decomposed
from semblance.learn.trainer import TrainPlan
from semblance.modalities.signal.generators.network import Sampler
from semblance.modalities.signal.generators.private import PrivateSpec
from semblance.modalities.signal.generators.timed import TimedSpec

CARD = Card(
    name="timevae",
    private=True,
    conditional=True,
    summary="a variational autoencoder of level, trend and residual over waves in time; too smooth: a comparator",
    paper="Desai et al., TimeVAE: A Variational Auto-Encoder for Multivariate Time Series Generation, 2021",
    needs=("torch",),
)


@dataclass(frozen=True)
class TimeVae(TimedSpec, PrivateSpec):
    """A variational autoencoder of waves."""

    latent: int = 16
    """Width of the latent; the paper's is 8."""
    channels: int = 32
    """Channels of the first of the encoder's three layers; each further one has twice as many."""
    trend: int = 2
    """Degree of the polynomial by which a piece may drift."""
    weight: float = 3.0
    """Weight of squared errors beside the divergence of the latent."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = TrainPlan(steps=0, batch=64, rate=1e-3, weight_decay=0.0)

    def objective(self, parts: Series, aside: torch.Tensor | None) -> Sampler:
        """The networks and their loss."""
        net = timevae.TimeVae(parts, channels=self.channels, latent=self.latent, trend=self.trend)
        return Decomposed(net, parts, weight=self.weight, aside=aside)

    def apart(self, parts: Series) -> Sampler:
        """The same: no piece is in another's loss."""
        return self.objective(parts, None)
