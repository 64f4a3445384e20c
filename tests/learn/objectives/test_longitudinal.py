"""How series go on: what two batches are apart in it, and that a generator answers for it."""

from __future__ import annotations

import numpy as np
import torch

from semblance.core.rng import stream
from semblance.learn.nets.series import Series
from semblance.learn.nets.transformer import Patches, Weaver
from semblance.learn.objectives.gan import LeastSquares, Players
from semblance.learn.objectives.longitudinal import Longitudinal, inconsistency

PARTS = Series(numbers=12, given=1, classes=1, channels=2)


def walks(n: int, *, lasting: float) -> torch.Tensor:
    """(n, 2, 6) of variance 1 at every step."""
    made = stream(0, "walks", str(lasting)).standard_normal((6, n, 2))
    for step in range(1, 6):
        made[step] = lasting * made[step - 1] + np.sqrt(1 - lasting**2) * made[step]
    return torch.from_numpy(made.transpose(1, 2, 0)).float()


def test_by_hand_on_series_of_two_steps():
    real = torch.tensor([[[0.0, 1.0]], [[0.0, -1.0]]])
    fake = torch.zeros(2, 1, 2)
    # Mean change 0 against 0, mean square 1 against 0, mean product 0 against 0, covariance 1 against 0.
    assert float(inconsistency(real, fake)) == 2.0


def test_alike_at_every_step_but_not_from_step_to_step():
    """What a look at single steps cannot tell: mean and variance are the same at each."""
    smooth, other, rough = walks(4000, lasting=0.9), walks(4000, lasting=0.901), walks(4000, lasting=0.0)
    assert inconsistency(smooth, other) < 0.01
    assert inconsistency(smooth, rough) > 1
    assert float(inconsistency(smooth[:, :, :1], rough[:, :, :1])) == 0


def test_the_generator_loses_it_and_the_critic_does_not():
    size = {"units": 4, "depth": 1, "heads": 1, "dropout": 0.0}

    def game(weight: float) -> Longitudinal:
        net = Players(Weaver(PARTS, **size, latent=2, frame=1), Patches(PARTS, **size, patch=2))
        made = Longitudinal(net, PARTS, LeastSquares(), weight=weight)
        made.start(rows, rng=stream(0, "start"))
        return made

    rows = PARTS.join(walks(8, lasting=0.9).flatten(1).numpy(), np.zeros((8, 1)), np.zeros(8))
    batch, losses = torch.from_numpy(rows), []
    for weight in (0.0, 2.0):
        one = game(weight)
        losses.append([turn.loss(batch, torch.Generator().manual_seed(1)).detach() for turn in one.turns])
        fake = one.net.generator(batch, torch.Generator().manual_seed(1))
    apart = inconsistency(PARTS.waves(batch), PARTS.waves(fake)).detach()
    assert torch.equal(losses[0][0], losses[1][0])
    assert torch.allclose(losses[1][1] - losses[0][1], 2 * apart.expand(8), atol=1e-6)
