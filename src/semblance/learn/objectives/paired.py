"""Translation of images of which pairs are known (pix2pix; Isola et al., CVPR 2017, equation 4).

A critic sees a source beside its target, real or made, and scores patches; what is made is drawn towards the real
target by the absolute difference as well. The averaged weights that are kept are those nearest to the targets of
patients kept aside.
"""

from __future__ import annotations

import numpy as np
import torch

from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.translate import Patches, Translation
from semblance.learn.nets.unet import begin
from semblance.learn.objectives.gan import AtEveryStep, NonSaturating, Players, Scene
from semblance.learn.objectives.translating import Translating

PART = 64


class Pix2Pix(Translating):
    """A translator of (n, given) numbers to (n, numbers), and a critic of patches of both."""

    def __init__(
        self, net: Translation, critic: Patches, parts: Parts, *, near: float, aside: torch.Tensor | None
    ) -> None:
        """`near` is the weight of the absolute difference."""
        contest = AtEveryStep(NonSaturating())
        super().__init__(Players(net, critic), self._scene, contest, turns=1, judge=self._apart)
        self.parts, self.near, self.aside, self.maker, self.there = parts, near, aside, net, net

    def start(self, batch: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights; of (n, width) rows the linear part of the translation."""
        begin(self.net.critic, rng=rng)
        self.there.start(batch, rng=rng)

    def _scene(self, batch: torch.Tensor, noise: torch.Generator) -> Scene:
        real, given, labels = self.parts.split(batch)
        made = self.there(given, labels)
        extra = self.near * (made - real).abs().mean(1)
        return Scene(torch.cat([given, real], 1), torch.cat([given, made], 1), extra)

    def _apart(self) -> float | None:
        if self.aside is None:
            return None
        gaps = []
        for rows in self.aside.split(PART):
            real, given, labels = self.parts.split(rows)
            gaps.append((self.there(given, labels) - real).abs().mean(1))
        return float(torch.cat(gaps).mean())
