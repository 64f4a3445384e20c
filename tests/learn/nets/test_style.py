from __future__ import annotations

import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.mlp import start
from semblance.learn.nets.style import Judge, Modulated, Styled
from tests.learn.nets.test_pyramid import SHAPES, noise, parts_of, rows


def started(net: torch.nn.Module) -> torch.nn.Module:
    start(net, rng=stream(0, "start"))
    return net


@pytest.mark.parametrize("shape", SHAPES)
def test_images_of_any_size_and_axes_are_made_and_scored(shape):
    parts = parts_of(shape)
    assert started(Styled(parts, shape, width=2, latent=4))(rows(parts), noise()).shape == (3, parts.numbers)
    assert started(Judge(parts, shape, width=2))(rows(parts)).shape == (3, 1)


def test_a_style_scales_the_weights_and_demodulation_brings_them_to_length_one():
    """Against the definition: weights of each record scaled, brought to length 1, and convolved by themselves."""
    layer = started(Modulated(2, 3, 5, style=4))
    h, w = torch.randn((2, 3, 6, 6), generator=noise()), torch.randn((2, 4), generator=noise(1))
    scale = layer.style(w)
    for i in range(2):
        weight = layer.scaled * scale[i][None, :, None, None]
        weight = weight / weight.flatten(1).norm(dim=1)[:, None, None, None]
        own = torch.nn.functional.conv2d(h[i : i + 1], weight, padding=1)
        assert torch.allclose(layer(h, w, noise())[i], own[0], atol=1e-5)


def test_noise_counts_as_much_as_its_strength():
    layer = started(Modulated(2, 3, 5, style=4))
    h, w = torch.randn((2, 3, 6, 6), generator=noise()), torch.randn((2, 4), generator=noise(1))
    calm = layer(h, w, noise())
    with torch.no_grad():
        layer.strength.fill_(2.0)
    assert torch.allclose(layer(h, w, noise()) - calm, 2 * torch.randn((2, 1, 6, 6), generator=noise()), atol=1e-5)


def test_what_is_made_follows_noise_and_the_class_and_nothing_else():
    parts = parts_of((1, 8, 8))
    net, some = started(Styled(parts, (1, 8, 8), width=2, latent=4)), rows(parts)
    other = some.clone()
    other[:, :64] = 7.0
    assert torch.equal(net(some, noise()), net(other, noise()))
    assert not torch.equal(net(some, noise()), net(some, noise(1)))
    other[:, -1] = 1 - other[:, -1]
    assert not torch.equal(net(some, noise()), net(other, noise()))
