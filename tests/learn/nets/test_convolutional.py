from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.convolutional import Falling, Rising, layers_for
from semblance.learn.nets.mlp import start
from semblance.learn.nets.series import Series


def noise(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def rows(parts: Series, n: int = 3) -> torch.Tensor:
    rng = stream(0, "rows")
    numbers, given = rng.normal(size=(n, parts.numbers)), rng.normal(size=(n, parts.given))
    return torch.from_numpy(parts.join(numbers, given, np.arange(n) % parts.classes))


def started(net: torch.nn.Module) -> torch.nn.Module:
    start(net, rng=stream(0, "start"))
    return net


@pytest.mark.parametrize(("length", "layers"), [(2, 0), (16, 0), (64, 1), (256, 2), (300, 2), (1024, 3)])
def test_series_of_any_length_are_made_and_scored(length, layers):
    parts = Series(numbers=2 * length, given=3, classes=2, channels=2)
    assert layers_for(length) == layers
    made = started(Rising(parts, channels=2, latent=4))(rows(parts), noise())
    assert made.shape == (3, parts.numbers)
    assert started(Falling(parts, channels=2))(rows(parts)).shape == (3, 1)


def test_what_is_made_follows_noise_and_what_is_told_and_nothing_else():
    parts = Series(numbers=64, given=1, classes=2, channels=1)
    net, some = started(Rising(parts, channels=4, latent=4)), rows(parts)
    other = some.clone()
    other[:, :64] = 7.0
    assert torch.equal(net(some, noise()), net(other, noise()))
    assert not torch.equal(net(some, noise()), net(some, noise(1)))
    other[:, -1] = 1 - other[:, -1]
    assert not torch.equal(net(some, noise()), net(other, noise()))


def test_the_slope_of_a_score_is_that_of_the_samples_alone():
    parts = Series(numbers=64, given=1, classes=2, channels=1)
    some = rows(parts).requires_grad_()
    (slope,) = torch.autograd.grad(started(Falling(parts, channels=4))(some).sum(), some)
    assert (slope[:, :64] != 0).any() and (slope[:, 64:] == 0).all()
