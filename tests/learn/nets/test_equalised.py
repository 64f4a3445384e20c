from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from semblance.core.rng import stream
from semblance.learn.nets.equalised import EqualConv, EqualLinear, unit, varied
from semblance.learn.nets.mlp import Own, start


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("slow", [1.0, 0.1])
def test_what_comes_out_is_as_large_as_what_came_in_however_slow_it_learns(slow):
    layer = EqualLinear(300, 200, bias=2.0, slow=slow)
    start(layer, rng=stream(0, "start"))
    assert float(layer.weight.detach().std()) == pytest.approx(1 / slow, rel=0.02)
    out = layer(normal(500, 300)).detach()
    assert float(out.std()) == pytest.approx(1, rel=0.02) and float(out.mean()) == pytest.approx(2, abs=0.02)


@pytest.mark.parametrize(("axes", "convolve"), [(1, functional.conv1d), (2, functional.conv2d), (3, functional.conv3d)])
def test_a_convolution_is_that_of_its_scaled_weight(axes, convolve):
    layer, x = EqualConv(axes, 2, 3), normal(2, 2, *[5] * axes)
    start(layer, rng=stream(0, "start"))
    weight = layer.weight / (2 * 3**axes) ** 0.5
    assert torch.allclose(layer(x), convolve(x, weight, layer.bias, padding=1), atol=1e-6)


def test_each_place_has_a_mean_square_of_one():
    assert torch.allclose(unit(5 * normal(3, 8, 4, 4)).square().mean(1), torch.ones(3, 4, 4))


def test_records_that_are_alike_are_seen_to_be():
    some = normal(6, 2, 3, 3)
    assert varied(some).shape == (6, 3, 3, 3)
    assert float(varied(some)[0, -1].mean()) == pytest.approx(float(some.std(0, correction=0).mean()), rel=1e-4)
    assert float(varied(some[:1].expand(6, -1, -1, -1))[:, -1].max()) < 1e-3


def test_a_layer_of_its_own_says_how_it_begins():
    with pytest.raises(TypeError, match="how it begins"):
        Own().fill(torch.Generator())
