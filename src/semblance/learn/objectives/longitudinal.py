"""A conditional contest in which the generator answers, besides, for how its series go on from step to step.

A critic of whole series is late to see that each goes on otherwise than real ones. So the generator also loses what its
batch is apart from the real one in moments of neighbouring steps: feature matching (Salimans et al., Improved
Techniques for Training GANs, NIPS 2016), the features being changes.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from semblance.learn.nets.series import Series
from semblance.learn.objectives.conditional import Conditional
from semblance.learn.objectives.gan import Contest, Players, Scene


class Longitudinal(Conditional):
    """A generator and a critic of series; `weight` is that of the changes between steps beside the contest."""

    def __init__(
        self, net: Players, parts: Series, contest: Contest, *, weight: float, aside: torch.Tensor | None = None
    ) -> None:
        super().__init__(net, parts, contest, aside=aside)
        self.weight, self.series = weight, parts

    def _scene(self, batch: torch.Tensor, noise: torch.Generator) -> Scene:
        scene = super()._scene(batch, noise)
        apart = inconsistency(self.series.waves(scene.real), self.series.waves(scene.fake))
        return replace(scene, extra=(self.weight * apart).expand(len(batch)))


def inconsistency(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """A scalar: mean squared differences between two batches (n, channels, length) of the mean change at each step, its
    mean square, the mean product of neighbours, and the covariance of changes between channels. Series of one step
    have none."""
    if real.shape[2] < 2:
        return fake.new_zeros(())
    each = zip(_moments(real), _moments(fake), strict=True)
    return torch.stack([(one - two).square().mean() for one, two in each]).sum()


def _moments(series: torch.Tensor) -> tuple[torch.Tensor, ...]:
    before, after = series[:, :, :-1], series[:, :, 1:]
    change = after - before
    flat = change.transpose(1, 2).flatten(0, 1)
    flat = flat - flat.mean(0)
    return change.mean(0), change.square().mean(0), (before * after).mean(0), flat.T @ flat / len(flat)
