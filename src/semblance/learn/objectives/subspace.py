"""Diffusion of images in two parts: of their coordinates along principal components, then of what these leave over.

What an image is as a whole is learned from a few numbers of many images at once, which is cheap; the network of pixels
only adds detail to what it is shown, at one scale, in few steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from semblance.core.rng import root_of, stream
from semblance.learn.device import array_of, beside
from semblance.learn.nets.subspace import Subspace
from semblance.learn.network import Phase
from semblance.learn.noise import angle, noise_of, normal_like
from semblance.learn.objectives.conditional import some_of
from semblance.learn.objectives.flow import Flow
from semblance.learn.objectives.guided import Guided
from semblance.learn.objectives.inpainting import Inpainting
from semblance.learn.trainer import Source, Turn

COARSE, BATCH = 0.4, 256
"""The share of steps in which coordinates are learned, and the images of such a step."""
STEPS = 24
"""Steps of a sample of coordinates."""
BEGUN = 2_000
"""Images, at most, by which the networks begin."""
WOVEN = 20_000_000
"""Numbers of images and of what is told of them, at most, by which the texture of detail is known."""
TIGHT = 1e-2
"""The least variance, in units of a pixel's, of what is left over where pixels are known."""


@dataclass(frozen=True)
class Seen:
    """A diffusion that learns from what `see` makes of rows."""

    diffusion: Guided
    see: Callable[[torch.Tensor], torch.Tensor]

    @property
    def net(self) -> torch.nn.Module:
        """Its network."""
        net: torch.nn.Module = self.diffusion.net
        return net

    @property
    def turns(self) -> tuple[Turn, ...]:
        """One loss moves all of its weights."""
        return (Turn("records", self.loss, tuple(self.net.parameters())),)

    def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) loss of (n, width) rows."""
        return self.diffusion.loss(self.see(batch), noise)

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """Mean loss on the records kept aside."""
        return self.diffusion.held_out(weights)


class Cascade:
    """Losses and sampling of both parts. `steps` are those of detail, whose cost is that of a sample. Of the images
    kept `aside` it looks at so many for detail, `looked`, and at `part` at once."""

    def __init__(
        self,
        net: Subspace,
        *,
        steps: int,
        guidance: float = 1.0,
        flow: bool = False,
        aside: torch.Tensor | None = None,
        looked: int,
        part: int,
    ) -> None:
        """`flow`: both go from noise to records along straight lines."""
        self.net, self.parts, self.looked = net, net.parts, looked
        coarse, fine = (Flow, Flow) if flow else (Guided, Inpainting)
        self.coarse = coarse(net.coarse, steps=STEPS, guidance=guidance, alone=True)
        self.fine = fine(net.fine, steps=steps, part=part, alone=True)
        if aside is not None:
            self.stop_by(aside)
        self.phases = (
            Phase(Seen(self.coarse, self.along), COARSE, BATCH, end=self._settle),
            Phase(Seen(self.fine, self.left), 1 - COARSE),
        )
        self.turns = tuple(turn for phase in self.phases for turn in phase.objective.turns)

    def stop_by(self, aside: torch.Tensor) -> None:
        """Look at these (n, width) rows between steps."""
        some = some_of(aside, self.looked)
        assert some is not None
        self.coarse.aside, self.fine.aside = self.along(aside), self.left(some)

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """None: each part has its own."""
        return None

    def start(self, batch: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights; (n, width) rows say where numbers lie, and which texture their detail has."""
        some = beside(self.net, batch[:: -(-len(batch) // BEGUN)])
        self.coarse.start(array_of(self.along(some)), rng=rng)
        left = array_of(self.left(some))
        self.net.fine.gaussian.weave(left[:: -(-left.size // WOVEN), : self.parts.numbers])
        self.fine.start(left, rng=rng)

    def _settle(self, source: Source, rng: np.random.Generator) -> None:
        """Coordinates are drawn as spread as they are; detail then is, beside them."""
        self.coarse.settle(source, self.along, rng=rng)

    def along(self, batch: torch.Tensor) -> torch.Tensor:
        """Rows of coordinates, given numbers and a class, of rows of pixels, given numbers and a class."""
        rows, given, labels = self.parts.split(batch)
        return torch.cat([self.net.along(rows), given, labels[:, None]], 1)

    def left(self, batch: torch.Tensor) -> torch.Tensor:
        """Rows of what the coordinates leave over, of what they tell, of given numbers and of a class."""
        rows, given, labels = self.parts.split(batch)
        told = self.net.image(self.net.along(rows))
        return torch.cat([(rows - told) / self.net.rest, told, given, labels[:, None]], 1)

    @property
    def noise(self) -> int:
        """How many normal numbers an image is made of: those of its coordinates, then those of its detail."""
        return self.coarse.noise + self.fine.noise

    def sample(
        self, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator, start: np.ndarray | None = None
    ) -> np.ndarray:
        """(n, numbers) float32 for (n, given) numbers and (n,) classes, from noise, drawn where none starts it."""
        seed = root_of(rng)
        first, second = (None, None) if start is None else np.split(start, [self.coarse.noise], 1)
        along = self.coarse.sample(given, labels, rng=stream(seed, "coarse"), start=first)
        told = self.net.image(beside(self.net, along))
        shown = np.concatenate([array_of(told), given], 1)
        left = self.fine.sample(shown, labels, rng=stream(seed, "fine"), start=second)
        return array_of(told + self.net.rest * beside(self.net, left))

    @torch.no_grad()
    def complete(
        self, rows: np.ndarray, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """(n, numbers) float32: `rows` (n, numbers) with a draw for every NaN; the class `classes` is none."""
        seed, whole = root_of(rng), beside(self.net, np.float32(rows))
        told = self.net.image(self._fitting(whole, given, labels, rng=stream(seed, "coarse")))
        left = array_of((whole - told) / self.net.rest)
        shown = np.concatenate([array_of(told), given], 1)
        left = self.fine.complete(left, shown, labels, rng=stream(seed, "fine"))
        made = told + self.net.rest * beside(self.net, left)
        return array_of(torch.where(whole.isnan(), made, whole))

    def _fitting(
        self, whole: torch.Tensor, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator
    ) -> torch.Tensor:
        """(n, components) coordinates that fit the known pixels of images, drawn given these.

        At every noise, what the network takes for the coordinates is brought together with what the known pixels say of
        them, each by its own uncertainty, as if both were normal (Song et al., Pseudoinverse-Guided Diffusion Models,
        ICLR 2023, with the variance that normal records would have).
        """
        noise, told = noise_of(rng), beside(self.net, np.int64(labels))
        net, facts = self.net, beside(self.net, np.float32(given))
        sure, seen = _said(net, whole)
        x = normal_like(seen, noise)
        times = torch.linspace(1, 0, STEPS + 1).to(x.device)
        record = x
        for time, (now, then) in zip(times, pairwise(angle(times).tolist()), strict=False):
            cos, sin = math.cos(now), math.sin(now)
            found = net.coarse(x, time.expand(len(x)), facts, told)
            variance = net.spreads**2
            own = (cos**2 * variance + sin**2) / (sin**2 * variance).clamp(min=TIGHT**2)
            record = torch.linalg.solve(torch.diag(own) + sure, own * (cos * x + sin * found) + seen)
            found = (record - cos * x) / sin
            x = x + (now - then) * found
        return record


def _said(net: Subspace, whole: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What known pixels say of coordinates: (n, k, k) precision, and (n, k) the same times the most likely ones."""
    axes = net.axes * net.scales[:, None] / net.rest
    k = len(axes)
    sure, seen = whole.new_empty(len(whole), k, k), whole.new_empty(len(whole), k)
    for i, row in enumerate(whole):
        known = ~row.isnan()
        shown = axes[:, known]
        sure[i] = shown @ shown.T
        seen[i] = shown @ ((row - net.mean)[known] / net.rest)
    return sure, seen
