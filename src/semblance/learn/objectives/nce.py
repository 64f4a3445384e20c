"""Translation of images of which nothing is paired, one way (CUT; Park, Efros, Zhang & Zhu, ECCV 2020).

What keeps a translation to its source is that each place of it is told from the other places of the same source by what
the translator itself sees there (PatchNCE, equation 3): no way back is learned. An image of the target's side is to
stay as it is by the same measure (equation 4). The critic of patches loses by least squares; the averaged weights that
are kept are those whose translations are nearest to images of patients kept aside.
"""

from __future__ import annotations

import numpy as np
import torch

from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.nce import OneSide, Told
from semblance.learn.nets.unet import begin
from semblance.learn.nets.unpaired import directed, shows_target
from semblance.learn.objectives.bands import apart
from semblance.learn.objectives.gan import AtEveryStep, LeastSquares, Players, Scene
from semblance.learn.objectives.translating import Translating
from semblance.learn.objectives.unpaired import FEW

PLACES, SHARP = 64, 0.07
"""Places of an image that are told apart, and the temperature at which they are."""


class PatchNce(Translating):
    """A translator of (n, given) numbers to (n, numbers), as many, of rows that show one side each."""

    def __init__(self, net: Told, critic: OneSide, parts: Parts, *, near: float, aside: torch.Tensor | None) -> None:
        """`near` is the weight of telling places apart beside the critic's."""
        super().__init__(Players(net, critic), self._scene, AtEveryStep(LeastSquares()), turns=1, judge=self._off)
        self.parts, self.near, self.aside, self.told, self.there = parts, near, aside, net, net.there

    @property
    def maker(self) -> torch.nn.Module:
        """What draws: the translator without its heads."""
        return self.there

    def start(self, batch: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights; of (n, width) rows the mean images of both sides."""
        begin(self.net, rng=rng)
        at, split = ~np.isnan(batch[:, 0]), self.parts.numbers
        directed(self.there, batch[~at, split:-1].mean(0), batch[at, :split].mean(0))

    def _scene(self, batch: torch.Tensor, noise: torch.Generator) -> Scene:
        target, source, labels = self.parts.split(batch)
        at = shows_target(batch)[:, None]
        shown = torch.where(at, target, source)
        made = self.there(shown, labels)
        alike = self.told.alike(made, shown, labels, places=PLACES, noise=noise)
        lost = torch.stack([surprise(one) for one in alike]).mean(0)
        return Scene(target, torch.where(at, torch.nan, made), self.near * lost)

    def _off(self) -> float | None:
        """How far translations of images kept aside are from real images of the side that they lead to."""
        if self.aside is None:
            return None
        target, source, labels = self.parts.split(self.aside)
        at = shows_target(self.aside)
        if min(int(at.sum()), int((~at).sum())) < FEW:
            return None
        return apart(self.there(source[~at], labels[~at]), target[at], shape=self.there.shape)


def surprise(alike: torch.Tensor) -> torch.Tensor:
    """(n,) mean over places of minus the log-probability, of (n, k, k) cosines, that a place is the same one."""
    told: torch.Tensor = (alike / SHARP).log_softmax(2).diagonal(dim1=1, dim2=2)
    return -told.mean(1)
