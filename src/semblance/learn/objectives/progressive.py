"""Progressive growing: a GAN of images learns one grid after the other, each of them a phase (Karras et al., ICLR
2018).

In the first half of a phase the layers of its grid fade in. How far a phase has come is counted in a buffer beside the
weights, which a checkpoint keeps: a training that is taken up goes on where it was.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn.functional import interpolate

from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.progressive import Examiner, Grower, halved
from semblance.learn.network import Phase
from semblance.learn.objectives.conditional import Conditional
from semblance.learn.objectives.gan import Contest, Players, Scene

LAST = 0.5
"""The share of the steps that the finest grid has; the others have alike."""
FADING = 0.5
"""The part of a phase in which layers fade in."""


class Growing(Players):
    """Both sides, and how many steps of a phase are done."""

    done: torch.Tensor

    def __init__(self, maker: Grower, critic: Examiner) -> None:
        super().__init__(maker, critic)
        self.sides, self.pyramid = (maker, critic), maker.pyramid
        self.register_buffer("done", torch.zeros((), dtype=torch.int64))

    def grow(self, level: int, share: float) -> None:
        """Bring both sides to a grid, of which this share counts."""
        for side in self.sides:
            side.level, side.share = level, share


class Stage(Conditional):
    """What both sides lose while they learn the grid number `level`. Looks and samples are those of grown sides."""

    net: Growing

    def __init__(self, net: Growing, parts: Parts, contest: Contest, *, level: int, **more: Any) -> None:
        super().__init__(net, parts, contest, **more)
        self.level, self.steps = level, 0

    def begin(self, steps: int) -> None:
        """A phase of so many steps begins."""
        self.steps = steps
        self.net.done.zero_()

    def _critic(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        self._grow()
        return super()._critic(batch, noise)

    def _generator(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        self._grow()
        loss = super()._generator(batch, noise)
        self.net.done += 1
        return loss

    def _grow(self) -> None:
        fading = FADING * self.steps if self.level else 0.0
        self.net.grow(self.level, min(1.0, (int(self.net.done) + 1) / fading) if fading else 1.0)

    def _scene(self, batch: torch.Tensor, noise: torch.Generator) -> Scene:
        """Real images as coarse as those that are made, and as far faded in."""
        maker = self.net.sides[0]
        real = self.coarse(self.net.pyramid.images(batch))
        return Scene(*(self._told(images.flatten(1), batch) for images in (real, maker.images(batch, noise))))

    def coarse(self, images: torch.Tensor) -> torch.Tensor:
        """(n, channels, *grid of this level) of images at the finest one."""
        maker, grids = self.net.sides[0], self.net.pyramid.grids
        now = halved(images, grids[self.level])
        if maker.share == 1 or self.level == 0:
            return now
        return maker.mixed(interpolate(halved(now, grids[self.level - 1]), size=grids[self.level]), now)

    def _apart(self) -> float | None:
        self.net.grow(len(self.net.pyramid.grids) - 1, 1.0)
        return super()._apart()

    def sample(
        self, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator, start: np.ndarray | None = None
    ) -> np.ndarray:
        """(n, numbers) float32 for (n, given) numbers and (n,) classes, from noise, drawn where none starts it."""
        self.net.grow(len(self.net.pyramid.grids) - 1, 1.0)
        return super().sample(given, labels, rng=rng, start=start)


def phases_to(last: Stage) -> tuple[Phase, ...]:
    """A phase for each grid, up to that of the finest."""
    coarser = [Stage(last.net, last.parts, last.contest, level=level) for level in range(last.level)]
    some = tuple(Phase(one, (1 - LAST) / len(coarser), begin=one.begin) for one in coarser)
    return (*some, Phase(last, LAST if some else 1.0, begin=last.begin))
