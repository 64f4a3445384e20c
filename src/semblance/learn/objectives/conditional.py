"""Adversarial training on records, where both players are told what stands beside the samples or pixels in a row.

So the generator learns how records are distributed given a class and further numbers (Mirza & Osindero, Conditional
Generative Adversarial Nets, 2014). The averaged weights that are kept are those whose records are nearest to the ones
of patients kept aside.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.mlp import start
from semblance.learn.nets.series import Told
from semblance.learn.noise import noise_of
from semblance.learn.objectives.gan import Adversarial, Contest, Players, Scene
from semblance.learn.trainer import TrainPlan

ADVERSARIAL = TrainPlan(
    steps=0,
    batch=64,
    rate=5e-4,
    weight_decay=0.0,
    beta1=0.5,
    beta2=0.9,
    anneal=False,
    warmup=0,
    ema=0.99,
    patience=10**6,
)
"""Where the plan of two sides starts: a steady rate and no early end, since neither loss falls as a fit gets better."""
LOOKED_AT = 512
"""Records kept aside that a look compares with, at most."""
Distance = Callable[[torch.Tensor, torch.Tensor], float]
"""(n, numbers) and (m, numbers) of two samples -> how far apart these are."""


def energy(x: torch.Tensor, y: torch.Tensor) -> float:
    """Energy distance of two samples (n, d) and (m, d): 2 E|x - y| - E|x - x'| - E|y - y'| (Szekely & Rizzo 2013)."""
    return float(2 * torch.cdist(x, y).mean() - _within(x) - _within(y))


def _within(x: torch.Tensor) -> torch.Tensor:
    """The mean distance of two different ones."""
    return torch.cdist(x, x).sum() / max(len(x) * (len(x) - 1), 1)


class Conditional(Adversarial):
    """A generator of (n, numbers) from (n, width) rows and noise, and a critic of rows."""

    def __init__(
        self,
        net: Players,
        parts: Parts,
        contest: Contest,
        *,
        turns: int = 1,
        aside: torch.Tensor | None = None,
        distance: Distance = energy,
    ) -> None:
        """`distance` says how far records that are made are from those kept aside."""
        super().__init__(net, self._scene, contest, turns=turns, judge=self._apart)
        self.parts, self.aside, self.distance = parts, some_of(aside), distance

    @property
    def maker(self) -> nn.Module:
        """What draws."""
        return self.net.generator

    @property
    def noise(self) -> int:
        """How many normal numbers a record is made of, where the maker can be given them."""
        noise: int = self.maker.noise  # type: ignore[assignment]
        return noise

    def start(self, batch: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights; (n, width) rows say where given numbers lie."""
        begin(self.net, batch, rng=rng)

    def _scene(self, batch: torch.Tensor, noise: torch.Generator) -> Scene:
        """Records beside generated ones of which the same is told."""
        return Scene(batch, self._told(self.net.generator(batch, noise), batch))

    def _told(self, made: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
        """Rows of (n, numbers) that are made, of which the same is told as of a batch."""
        return torch.cat([made, batch[:, self.parts.numbers :]], 1)

    def _apart(self) -> float | None:
        if self.aside is None:
            return None
        made = self.net.generator(self.aside, torch.Generator().manual_seed(0))
        return self.distance(made, self.aside[:, : self.parts.numbers])

    @torch.no_grad()
    def sample(
        self, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator, start: np.ndarray | None = None
    ) -> np.ndarray:
        """(n, numbers) float32 for (n, given) numbers and (n,) classes, from noise, drawn where none starts it."""
        if start is None:
            return drawn(self.net.generator, self.parts, given, labels, rng=rng)
        rows = torch.from_numpy(self.parts.join(np.zeros((len(labels), self.parts.numbers)), given, labels))
        # One by one, so that whatever else a maker draws is the same for all.
        made = [
            self.net.generator.eval()(row, torch.Generator().manual_seed(0), z)
            for row, z in zip(rows.split(1), torch.from_numpy(np.float32(start)).split(1), strict=True)
        ]
        return torch.cat(made).numpy()


def some_of(aside: torch.Tensor | None, most: int = LOOKED_AT) -> torch.Tensor | None:
    """At most so many rows, evenly from all that are kept aside."""
    return None if aside is None else aside[:: -(-len(aside) // most)]


def begin(net: nn.Module, batch: np.ndarray, *, rng: np.random.Generator) -> None:
    """Draw the first weights of all layers; (n, width) rows say where the numbers lie that networks are told."""
    start(net, rng=rng)
    for module in net.modules():
        if isinstance(module, Told):
            module.start(batch[:, module.parts.numbers : -1])


def drawn(
    maker: nn.Module, parts: Parts, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator
) -> np.ndarray:
    """(n, numbers) float32 that `maker` makes for (n, given) numbers and (n,) classes."""
    rows = parts.join(np.zeros((len(labels), parts.numbers)), given, labels)
    made: np.ndarray = maker.eval()(torch.from_numpy(rows), noise_of(rng)).numpy()
    return made
