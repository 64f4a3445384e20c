"""TVAE: a variational autoencoder over mixed records.

The paper normalises numbers mode by mode. A factorised decoder has to draw a number's mode and its place in the mode
independently, which blurs it; normal scores have no modes to draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch

from semblance.core.errors import UsageError
from semblance.core.model import Card
from semblance.learn.nets.variational import Variational
from semblance.learn.objectives.vae import Bound
from semblance.learn.packed import Layout
from semblance.learn.trainer import TrainPlan
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.dense import Dense
from semblance.modalities.table.generators.packed import PackedModel, PackedSpec, Sampler
from semblance.modalities.table.generators.scalars import KINDS, Kind

CARD = Card(
    name="vae",
    summary="a variational autoencoder (TVAE): a small model that draws fast; it blurs sharp relations, a comparator",
    paper="Xu et al., Modeling Tabular Data Using Conditional GAN (TVAE), NeurIPS 2019",
    private=True,
    needs=("torch",),
)


@dataclass(frozen=True)
class Vae(PackedSpec):
    """A variational autoencoder."""

    width: int = 128
    """Width of the encoder's and the decoder's two hidden layers."""
    latent: int = 128
    """Width of the latent."""
    numbers: str = "scores"
    """How numbers become real: as normal "scores", or as "modes" as in the paper."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = TrainPlan(steps=0, weight_decay=1e-5)

    def __post_init__(self) -> None:
        if self.numbers not in KINDS:
            raise UsageError.of(
                f"numbers = '{self.numbers}'", rule=f"one of {', '.join(KINDS)}", fix=f'numbers = "{KINDS[0]}"'
            )

    def dense(self, encoding: Encoding, train: Table) -> Dense:
        """How values become numbers and choices."""
        return Dense.fit(encoding, train, numbers=cast(Kind, self.numbers))

    def objective(self, layout: Layout, aside: torch.Tensor | None) -> Sampler:
        """The two networks and their bound."""
        return Bound(Variational(layout, widths=(self.width, self.width), latent=self.latent), layout, aside=aside)

    def model(self, dense: Dense, options: Mapping[str, Any], objective: Sampler) -> VaeModel:
        """The trained networks as a model."""
        return VaeModel(dense.encoding, options, dense, objective)


@dataclass(frozen=True)
class VaeModel(PackedModel):
    """The trained networks."""

    card: ClassVar[Card] = CARD
