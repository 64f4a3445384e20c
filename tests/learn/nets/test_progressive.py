from __future__ import annotations

import math

import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.mlp import start
from semblance.learn.nets.progressive import Examiner, Grower
from tests.learn.nets.test_pyramid import SHAPES, noise, parts_of, rows


def started(net: torch.nn.Module) -> torch.nn.Module:
    start(net, rng=stream(0, "start"))
    return net


@pytest.mark.parametrize("shape", SHAPES)
def test_images_of_every_grid_are_made_and_scored(shape):
    parts = parts_of(shape)
    maker, critic = started(Grower(parts, shape, width=2, latent=3)), started(Examiner(parts, shape, width=2))
    assert maker(rows(parts), noise()).shape == (3, parts.numbers)
    for level, grid in enumerate(maker.pyramid.grids):
        maker.level = critic.level = level
        made = maker.images(rows(parts), noise())
        assert made.shape == (3, maker.pyramid.channels, *grid)
        assert critic(torch.cat([made.flatten(1), rows(parts)[:, -1:]], 1)).shape == (3, 1)


def test_layers_fade_in_from_what_the_grid_before_says():
    shape = (1, 16, 16)
    parts = parts_of(shape)
    maker = started(Grower(parts, shape, width=2, latent=3))
    whole = maker.images(rows(parts), noise())
    maker.share = 0.0
    none = maker.images(rows(parts), noise())
    maker.share = 0.25
    assert torch.allclose(maker.images(rows(parts), noise()), 0.75 * none + 0.25 * whole, atol=1e-6)
    maker.level, maker.share = maker.level - 1, 1.0
    assert torch.allclose(none, maker.images(rows(parts), noise()).repeat_interleave(2, 2).repeat_interleave(2, 3))


def test_a_critic_that_has_not_faded_in_scores_as_the_one_before():
    shape = (1, 16, 16)
    parts = parts_of(shape)
    critic, some = started(Examiner(parts, shape, width=2)), rows(parts)
    critic.share = 0.0
    fine = critic(some)
    critic.level, critic.share = critic.level - 1, 1.0
    small = some[:, :-1].reshape(3, 1, 8, 2, 8, 2).mean((3, 5)).flatten(1)
    assert small.shape[1] == math.prod(critic.pyramid.grids[-2])
    assert torch.allclose(fine, critic(torch.cat([small, some[:, -1:]], 1)), atol=1e-6)
