"""Diffusion over mixed records: numbers by Karras' equation, choices masked and revealed, in one network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from semblance.core.model import Card
from semblance.learn.nets.denoiser import Denoiser
from semblance.learn.objectives.edm import Diffusion as Objective
from semblance.learn.packed import Layout
from semblance.learn.trainer import TrainPlan
from semblance.modalities.table.generators.dense import Dense
from semblance.modalities.table.generators.packed import PackedModel, PackedSpec, Sampler

CARD = Card(
    name="diffusion",
    summary="numbers and categories denoised together: many numbers that depend smoothly on each other; slow to draw",
    paper="Karras et al., EDM, NeurIPS 2022; Kotelnikov et al., TabDDPM, ICML 2023; Shi et al., TabDiff, ICLR 2025",
    private=True,
    needs=("torch",),
)


@dataclass(frozen=True)
class Diffusion(PackedSpec):
    """One denoiser of numbers and choices."""

    width: int = 192
    """Width of the network."""
    blocks: int = 3
    """Its residual blocks."""
    steps: int = 18
    """Steps of a sample; each looks at the network twice."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = TrainPlan(steps=0)
    times: ClassVar[int] = 8
    """How many draws of noise the private gradient of a record is averaged over (Dockhorn et al., TMLR 2023)."""

    lot: ClassVar[int] = 256

    def objective(self, layout: Layout, aside: torch.Tensor | None) -> Sampler:
        """The denoiser and its loss."""
        net = Denoiser(layout, width=self.width, blocks=self.blocks)
        return Objective(net, layout, steps=self.steps, aside=aside)

    def apart(self, layout: Layout) -> Sampler:
        """Each record has a time of its own."""
        net = Denoiser(layout, width=self.width, blocks=self.blocks)
        return Objective(net, layout, steps=self.steps, even=False)

    def model(self, dense: Dense, options: Mapping[str, Any], objective: Sampler) -> DiffusionModel:
        """The trained denoiser as a model."""
        return DiffusionModel(dense.encoding, options, dense, objective)


@dataclass(frozen=True)
class DiffusionModel(PackedModel):
    """The trained denoiser."""

    card: ClassVar[Card] = CARD
    chunk: ClassVar[int] = 512
