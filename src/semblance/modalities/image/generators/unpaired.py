"""What translators share that learn without pairs: each image shows one domain, and a patient need not have both."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from semblance.core.errors import DataError
from semblance.core.model import Plan, Wanted, Watch
from semblance.core.promise import Ledger
from semblance.core.rng import root_of
from semblance.learn.drawn import Fitting, Learned, Sizes
from semblance.learn.nets.conditioned import Parts
from semblance.learn.network import Network, Sampler
from semblance.learn.objectives.conditional import some_of
from semblance.learn.trainer import TrainPlan
from semblance.modalities.image.data import Images
from semblance.modalities.image.encode import Encoding
from semblance.modalities.image.generators.network import LOOKED
from semblance.modalities.image.generators.painter import ImageModel
from semblance.modalities.image.generators.translator import Painter, Sides, Translator
from semblance.modalities.image.halves import domains, unpaired


@dataclass(frozen=True)
class UnpairedTranslator(Translator):
    """A translator for images of one domain each. Of images that show both, each side is learned as an image of its
    own. Where no channel is declared as given, the first domain is."""

    channels: int = 32
    """Channels of a translator where it is widest in space; twice as many where it is half as large."""
    side: int = 32
    """Places a side, at most, on which a translator works: pixels beyond are packed into channels."""
    layers: int = 3
    """Layers of a critic: a patch has 2 to this power pixels a side, and what lies around."""
    aside: float = 0.1
    """Share of patients kept aside to stop early; of fewer than 20 none is."""
    epochs: int = 400
    """At most so many passes over the images, however large the budget."""
    base: ClassVar[TrainPlan] = TrainPlan(
        steps=0, batch=8, rate=2e-3, weight_decay=0.01, beta1=0.5, beta2=0.999, ema=0.995
    )

    def objective(self, sides: Sides, parts: Parts, aside: torch.Tensor | None) -> Sampler:
        """All networks and their losses."""
        raise TypeError(f"{type(self).__name__} does not say what is trained")

    def fit(
        self,
        train: Images,
        *,
        rng: np.random.Generator,
        plan: Plan | None = None,
        ledger: Ledger | None = None,
        encoding: Any = None,
        watch: Watch | None = None,
        resume: Path | None = None,
    ) -> ImageModel:
        """Learn `train`. Raises UsageError for a ledger."""
        how: dict[str, Any] = {"plan": plan, "ledger": ledger, "encoding": encoding, "watch": watch, "resume": resume}
        return super().fit(aimed(train), rng=rng, **how)

    def check(self, train: Images, *, wanted: Wanted) -> None:
        """Raise, before anything is learned, what `fit` would refuse, and what is wanted that no model could draw."""
        super().check(aimed(train), wanted=wanted)

    def refuse_unfit(self, train: Images) -> None:
        """Raise DataError where images show a domain in part, where there are more than two, or where none is given."""
        if not unpaired(train, rare=self.rare):
            super().refuse_unfit(train)
        elif len(domains(train)) > 2 or set(aimed(train).layout.given) not in map(_named(train), domains(train)):
            names, given = ", ".join(channel.name for channel in train.layout.channels), ", ".join(train.layout.given)
            raise DataError.of(
                f"images of the channels {names}, of which {given or 'none'} are given",
                rule="a translation leads from all channels of one domain to another one",
                fix="give images of two domains, and [image] given = the channels of one of them",
            )

    def plan(self, train: Images, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """Seconds (default 60) turned into steps: a few are tried."""
        budget, begun, seed = 60.0 if time_budget is None else time_budget, time.monotonic(), root_of(rng)
        train = aimed(train)
        self.refuse_unfit(train)
        encoding, learned = Encoding.fit(train, rare=self.rare)
        sides = Sides.of(encoding)
        target = self.parted(learned, sides)[1]
        network = self._network(sides, self.aside)
        return network.plan(target, self.base, epochs=self.epochs, budget=budget, begun=begun, seed=seed)

    def parted(self, learned: Learned, sides: Sides) -> tuple[Learned, Learned]:
        """Sources that are known, and every known side as a record beside which the other one is NaN."""
        source, target = sides.parted(learned)
        sourced, aimed_at = (~np.isnan(rows).any(1) for rows in (source.coefficients, target.coefficients))
        one, other = target.take(sourced), target.take(aimed_at)
        halves = (
            np.concatenate([np.full_like(one.coefficients, np.nan), other.coefficients]),
            np.concatenate([one.given, np.full_like(other.given, np.nan)]),
        )
        both = replace(
            target,
            coefficients=halves[0],
            given=halves[1],
            labels=np.concatenate([one.labels, other.labels]),
            subjects=np.concatenate([one.subjects, other.subjects]),
        )
        return source.take(sourced), both

    def _network(self, sides: Sides, aside: float) -> Network:
        return Network(partial(self._looking, sides), aside, kept=lambda objective: objective.maker)

    def _looking(self, sides: Sides, parts: Parts, aside: torch.Tensor | None) -> Sampler:
        return self.objective(sides, parts, some_of(aside, LOOKED))

    def paint(self, learned: Learned, sides: Sides, how: Fitting) -> Painter:
        """Train for the plan. Raises DataError where training diverges."""
        return self._network(sides, self.aside).learn(learned, how)

    @classmethod
    def painter(
        cls, options: Mapping[str, Any], sides: Sides, sizes: Sizes, arrays: Mapping[str, np.ndarray]
    ) -> Painter:
        """The trained translators."""
        return cls(**options)._network(sides, 0.0).restored(sizes, arrays)


def aimed(images: Images) -> Images:
    """The same images, of which the first domain is given where nothing is declared and nothing paired."""
    sides = domains(images)
    if images.layout.given or not sides:
        return images
    names = tuple(images.layout.channels[i].name for i in sides[0])
    return replace(images, layout=replace(images.layout, given=names))


def _named(images: Images) -> Any:
    return lambda side: {images.layout.channels[i].name for i in side}
