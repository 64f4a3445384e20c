"""Translation of images of which nothing is paired: each record shows its source or its target, and contributes to the
losses of that side.

Critics of patches see real images of a side and those that were made for it, and lose by least squares (Mao et al.
2017). What keeps a translation to its source is the way back (CycleGAN; Zhu et al., ICCV 2017, equation 3). The
averaged weights that are kept are those whose translations are nearest to images of patients kept aside.
"""

from __future__ import annotations

import numpy as np
import torch

from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.translate import Translation
from semblance.learn.nets.unet import begin
from semblance.learn.nets.unpaired import Both, Either, directed, shows_target
from semblance.learn.objectives.bands import apart
from semblance.learn.objectives.gan import AtEveryStep, LeastSquares, Players, Scene
from semblance.learn.objectives.translating import Translating, translated

FEW = 2
"""Images of a side kept aside that are needed to look at translations."""


class Cycle(Translating):
    """Two translators, each of which leads back from what the other makes."""

    def __init__(
        self,
        net: Both,
        critic: Either,
        parts: Parts,
        *,
        cycle: float,
        identity: float,
        aside: torch.Tensor | None,
    ) -> None:
        """`cycle` is the weight of the absolute difference after the way there and back; `identity`, as a share of it,
        that of what a translator changes of an image of the side it leads to."""
        super().__init__(Players(net, critic), self._scene, AtEveryStep(LeastSquares()), turns=1, judge=self._off)
        self.parts, self.aside, self.cycle, self.identity = parts, aside, cycle, identity
        self.maker, self.there, self.home = net, net.there, net.back

    def start(self, batch: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights; of (n, width) rows the mean images of both sides."""
        begin(self.net, rng=rng)
        at = ~np.isnan(batch[:, 0])
        target, source = batch[at, : self.parts.numbers].mean(0), batch[~at, self.parts.numbers : -1].mean(0)
        directed(self.there, source, target)
        directed(self.home, target, source)

    def _scene(self, batch: torch.Tensor, noise: torch.Generator) -> Scene:
        target, source, labels = self.parts.split(batch)
        at = shows_target(batch)
        fake, extra, split = torch.full_like(batch[:, :-1], torch.nan), batch.new_zeros(len(batch)), self.parts.numbers
        if not at.all():
            fake[~at, :split], extra[~at] = self._way(self.there, self.home, source[~at], labels[~at])
        if at.any():
            fake[at, split:], extra[at] = self._way(self.home, self.there, target[at], labels[at])
        return Scene(batch[:, :-1], fake, extra)

    def _way(
        self, out: Translation, home: Translation, x: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What is made of images x, and (n,) what is lost on the way there and back, and by `home` where it is led."""
        made = out(x, labels)
        lost = (home(made, labels) - x).abs().mean(1)
        if home.given == home.shape:
            lost = lost + self.identity * (home(x, labels) - x).abs().mean(1)
        return made, self.cycle * lost

    def _off(self) -> float | None:
        """How far translations of images kept aside are, both ways, from real images of the side that they lead to."""
        if self.aside is None:
            return None
        at = shows_target(self.aside)
        target, source = self.aside[at, : self.parts.numbers], self.aside[~at, self.parts.numbers : -1]
        if min(len(target), len(source)) < FEW:
            return None
        labels = self.aside[:, -1].long()
        there = apart(self.there(source, labels[~at]), target, shape=self.there.shape)
        return (there + apart(self.home(target, labels[at]), source, shape=self.home.shape)) / 2

    def back(self, target: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """(n, given) float32 of (n, numbers): the source of a target."""
        return translated(self.home, target, labels)
