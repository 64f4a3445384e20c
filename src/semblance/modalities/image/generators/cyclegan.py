"""Translation between two domains of which nothing is paired: there and back again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from semblance.core.model import Card
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.translate import Patches, Translation
from semblance.learn.nets.unpaired import Both, Either
from semblance.learn.network import Sampler
from semblance.learn.objectives.conditional import some_of
from semblance.learn.objectives.unpaired import Cycle
from semblance.modalities.image.generators.network import LOOKED
from semblance.modalities.image.generators.translator import Painting, Sides
from semblance.modalities.image.generators.unpaired import Unpaired

CARD = Card(
    name="cyclegan",
    conditional=True,
    summary="contrasts of which no pairs are known, each from the other: two translators that lead back, two critics",
    paper="Zhu et al., Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, ICCV 2017",
    needs=("torch",),
)


@dataclass(frozen=True, eq=False)
class BothWays(Painting):
    """What also makes the given planes of the others."""

    def complete(
        self, rows: np.ndarray, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """(n, d) rows with a draw for every NaN: of one side the other, of nothing both."""
        source, target = self.sides.split(rows)
        shown = self.sides.shown(source)
        back = np.isnan(shown).all(1) & ~np.isnan(target).any(1)
        if back.any():
            painter: Any = self.painter  # a trained network, whose objective leads back
            shown[back] = painter.objective.back(target[back], labels[back])
        return super().complete(self.sides.join(source, target), labels, given, rng=rng)


@dataclass(frozen=True)
class CycleGan(Unpaired):
    """A translator that learns from images of two domains, both ways."""

    cycle: float = 1.0
    """Weight of the absolute difference after the way there and back, beside the critics'; pixels are in units of their
    spread, and with the 10 of the paper, for pixels from -1 to 1, nothing moves."""
    identity: float = 0.5
    """Weight, as a share of `cycle`, of what a translator changes of an image of the domain to which it leads."""
    card: ClassVar[Card] = CARD
    painting: ClassVar[type[Painting]] = BothWays

    def objective(self, form: Sides, parts: Parts, aside: torch.Tensor | None) -> Sampler:
        """Both translators, both critics and their losses."""
        (source, target), there = form.shapes, parts
        home = Parts(parts.given, parts.numbers, parts.classes)
        net = Both(
            Translation(there, target, source[0], width=self.channels, side=self.side),
            Translation(home, source, target[0], width=self.channels, side=self.side),
        )
        critics = [Patches(shape, width=self.channels, layers=self.layers) for shape in (target, source)]
        weights = {"cycle": self.cycle, "identity": self.identity}
        return Cycle(net, Either(parts, *critics), parts, **weights, aside=some_of(aside, LOOKED))
