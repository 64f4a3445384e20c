"""A network that says the next value."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.objectives.ahead import Ahead, errors_ahead
from semblance.learn.objectives.telling import Recurrent
from semblance.learn.trainer import TrainPlan

PLAN = TrainPlan(steps=150, batch=32, rate=1e-2, weight_decay=0.01, warmup=5)


def waves(n, seed, step=0.8):
    """Sines of any phase: the next value follows from two before it."""
    phase = stream(seed, "w").uniform(0, 6.3, (n, 1))
    return np.sin(phase + step * np.arange(16))[:, :, None].astype(np.float32)


def test_what_follows_is_learned_and_again_alike():
    errors = errors_ahead(waves(200, 1), waves(50, 2), plan=PLAN, rng=stream(0, "t"))
    assert errors.shape == (50,)
    last = np.abs(np.diff(waves(50, 2), axis=1)).mean()
    assert errors.mean() < 0.4 * last
    assert np.array_equal(errors, errors_ahead(waves(200, 1), waves(50, 2), plan=PLAN, rng=stream(0, "t")))


def test_other_dynamics_teach_what_does_not_follow():
    own, other = (
        errors_ahead(waves(200, 1, step), waves(50, 2), plan=PLAN, rng=stream(0, "t")).mean() for step in (0.8, -1.6)
    )
    assert other > 2 * own


def test_the_loss_is_the_mean_absolute_error_of_what_is_said_from_the_past_alone():
    net = Recurrent(2, 8, 2)
    net.start(rng=stream(0, "n"))
    objective, x = Ahead(net, 2), torch.randn(3, 5, 2, generator=torch.Generator().manual_seed(0))
    said = torch.stack([net.last(net.units(x[:, :k])[0][:, -1]) for k in range(1, 5)], dim=1)
    expected = (said - x[:, 1:]).abs().mean(dim=(1, 2)).detach().numpy()
    assert objective.loss(x.reshape(3, -1), torch.Generator()).detach().numpy() == pytest.approx(expected, rel=1e-5)
