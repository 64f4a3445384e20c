"""Translation between two domains of which nothing is paired: there and back again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch

from semblance.core.errors import DataError
from semblance.core.large import by_rows, concatenated
from semblance.core.model import Card
from semblance.learn.drawn import Learned
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.translate import Patches, Translation
from semblance.learn.nets.unpaired import Both, Either
from semblance.learn.network import Sampler
from semblance.learn.objectives.conditional import some_of
from semblance.learn.objectives.unpaired import Cycle
from semblance.learn.trainer import TrainPlan
from semblance.modalities.image.data import Images
from semblance.modalities.image.generators.network import LOOKED
from semblance.modalities.image.generators.translator import Painting, Sides, Translator
from semblance.modalities.image.halves import domains, unpaired

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
        sides = Sides.of(self.encoding)
        source, target = sides.split(rows)
        back = np.isnan(source).all(1) & ~np.isnan(target).any(1)
        if back.any():
            painter: Any = self.painter  # a trained network, whose objective leads back
            source[back] = painter.objective.back(target[back], labels[back])
        return super().complete(sides.join(source, target), labels, given, rng=rng)


@dataclass(frozen=True)
class CycleGan(Translator):
    """A translator that learns from images of two domains, both ways; a patient need not have both. Of images that show
    both, each side is learned as an image of its own. Where no channel is declared as given, the first domain is."""

    layers: int = 3
    """Layers of a critic: a patch has 2 to this power pixels a side, and what lies around."""
    cycle: float = 1.0
    """Weight of the absolute difference after the way there and back, beside the critics'; pixels are in units of their
    spread, and with the 10 of the paper, for pixels from -1 to 1, nothing moves."""
    identity: float = 0.5
    """Weight, as a share of `cycle`, of what a translator changes of an image of the domain to which it leads."""
    card: ClassVar[Card] = CARD
    base: ClassVar[TrainPlan] = TrainPlan(
        steps=0, batch=8, rate=2e-3, weight_decay=0.01, beta1=0.5, beta2=0.999, ema=0.995
    )
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

    def seen(self, train: Images) -> Images:
        """Images of which a domain is given."""
        return aimed(train)

    def refuse_unfit(self, train: Images) -> None:
        """Raise DataError where images show a domain in part, where there are more than two, or where none is given."""
        if not unpaired(train, rare=self.rare):
            super().refuse_unfit(train)
        elif len(domains(train)) > 2 or set(train.layout.given) not in map(_named(train), domains(train)):
            names, given = ", ".join(channel.name for channel in train.layout.channels), ", ".join(train.layout.given)
            raise DataError.of(
                f"images of the channels {names}, of which {given or 'none'} are given",
                rule="a translation leads from all channels of one domain to another one",
                fix="give images of two domains, and [image] given = the channels of one of them",
            )

    def parted(self, learned: Learned, sides: Sides) -> tuple[Learned, Learned]:
        """Sources that are known, and every known side as a record beside which the other one is NaN."""
        source, target = sides.parted(learned)
        sourced, aimed_at = (
            by_rows(lambda rows: ~np.isnan(rows).any(1), side.coefficients) for side in (source, target)
        )
        one, other = target.take(sourced), target.take(aimed_at)
        halves = (
            concatenated([_nothing(one.coefficients), other.coefficients]),
            concatenated([one.given, _nothing(other.given)]),
        )
        both = replace(
            target,
            coefficients=halves[0],
            given=halves[1],
            labels=np.concatenate([one.labels, other.labels]),
            subjects=np.concatenate([one.subjects, other.subjects]),
        )
        return source.take(sourced), both


def aimed(images: Images) -> Images:
    """The same images, of which the first domain is given where nothing is declared and nothing paired."""
    sides = domains(images)
    if images.layout.given or not sides:
        return images
    names = tuple(images.layout.channels[i].name for i in sides[0])
    return replace(images, layout=replace(images.layout, given=names))


def _nothing(rows: np.ndarray) -> np.ndarray:
    """As many rows of NaN, which take no memory."""
    return np.broadcast_to(np.float32(np.nan), rows.shape)


def _named(images: Images) -> Any:
    return lambda side: {images.layout.channels[i].name for i in side}
