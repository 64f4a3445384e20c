"""What translators share that learn from two domains of which nothing is paired."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from semblance.core.errors import DataError
from semblance.core.large import by_rows, concatenated
from semblance.learn.drawn import Learned
from semblance.learn.trainer import TrainPlan
from semblance.modalities.image.data import Images
from semblance.modalities.image.generators.translator import Mixed, Sides
from semblance.modalities.image.halves import domains, unpaired


@dataclass(frozen=True)
class Unpaired(Mixed):
    """A translator that learns from images of two domains; a patient need not have both. Of images that show both, each
    side is learned as an image of its own. Where no channel is declared as given, the first domain is. Masks are not
    shown to it: whether lesions outlive a translation is what they are there to tell."""

    layers: int = 3
    """Layers of a critic: a patch has 2 to this power pixels a side, and what lies around."""
    maps_along: ClassVar[bool] = True
    base: ClassVar[TrainPlan] = TrainPlan(
        steps=0, batch=8, rate=2e-3, weight_decay=0.01, beta1=0.5, beta2=0.999, ema=0.995
    )

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
        source, target = sides.parted(learned, told=self.told)
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
