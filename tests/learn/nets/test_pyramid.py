from __future__ import annotations

import math

import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.mlp import start
from semblance.learn.nets.pyramid import COARSEST, FINEST, Critic, Maker, Pyramid

SHAPES = [(1, 28, 28), (3, 9, 13), (1, 8, 9, 10), (1, 70, 50), (2, 4, 4)]


def noise(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def rows(parts: Parts, n: int = 3) -> torch.Tensor:
    rng = stream(0, "rows")
    return torch.from_numpy(parts.join(rng.normal(size=(n, parts.numbers)), rng.normal(size=(n, 0)), [0, 1, 0][:n]))


def parts_of(shape: tuple[int, ...]) -> Parts:
    return Parts(math.prod(shape), 0, 2)


def started(net: torch.nn.Module) -> torch.nn.Module:
    start(net, rng=stream(0, "start"))
    return net


@pytest.mark.parametrize("shape", SHAPES)
def test_images_of_any_size_and_axes_are_made_and_scored(shape):
    parts = parts_of(shape)
    made = started(Maker(parts, shape, width=2, latent=3))(rows(parts), noise())
    assert made.shape == (3, parts.numbers)
    assert started(Critic(parts, shape, width=2))(rows(parts)).shape == (3, 1)


@pytest.mark.parametrize("shape", SHAPES)
def test_grids_halve_from_the_finest_to_the_coarsest_and_lose_no_pixel(shape):
    pyramid, some = Pyramid(shape, 2), rows(parts_of(shape))
    assert max(pyramid.grids[0]) <= COARSEST and max(pyramid.grids[-1]) <= FINEST
    for coarse, fine in zip(pyramid.grids, pyramid.grids[1:], strict=False):
        assert coarse == tuple(-(-side // 2) for side in fine)
    assert torch.equal(pyramid.rows(pyramid.images(some)), some[:, :-1])


def test_what_is_made_follows_noise_and_the_class_and_nothing_else():
    parts = parts_of((1, 8, 8))
    net, some = started(Maker(parts, (1, 8, 8), width=2, latent=3)), rows(parts)
    other = some.clone()
    other[:, :64] = 7.0
    assert torch.equal(net(some, noise()), net(other, noise()))
    assert not torch.equal(net(some, noise()), net(some, noise(1)))
    other[:, -1] = 1 - other[:, -1]
    assert not torch.equal(net(some, noise()), net(other, noise()))


def test_each_image_has_a_score_of_its_own_that_depends_on_its_class():
    parts = parts_of((1, 8, 8))
    net, some = started(Critic(parts, (1, 8, 8), width=2)), rows(parts).requires_grad_()
    (slope,) = torch.autograd.grad(net(some)[0].sum(), some)
    assert (slope[0, :64] != 0).any() and (slope[1:] == 0).all() and (slope[:, 64:] == 0).all()
    other = some.detach().clone()
    other[:, -1] = 1 - other[:, -1]
    assert not torch.equal(net(some), net(other))


def test_a_reader_has_no_pattern_in_its_gradient():
    """Far from the edges all pixels weigh alike where all weights of a layer do."""
    parts = parts_of((1, 32, 32))
    net = Critic(parts, (1, 32, 32), width=1).reader
    with torch.no_grad():
        for weight in net.parameters():
            weight.fill_(1e-3)
    some = torch.zeros((1, 1025), requires_grad=True)
    h = net.first(net.pyramid.images(some))
    for layer in net.layers:
        h = layer(torch.nn.functional.pad(h, (1, 2, 1, 2)))
    (slope,) = torch.autograd.grad(h[..., 1:-1, 1:-1].sum(), some)
    middle = slope[0, :1024].reshape(32, 32)[14:18, 14:18]
    assert torch.allclose(middle, middle.mean().expand_as(middle), rtol=1e-4)
