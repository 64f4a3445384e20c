from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call

from semblance.core.rng import stream
from semblance.learn.nets.mlp import start
from semblance.learn.nets.recurrent import Listener, Recurrent, Teller
from semblance.learn.nets.series import Series

PARTS = Series(numbers=18, given=2, classes=2, channels=2)


def noise() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def started(net: nn.Module) -> nn.Module:
    start(net, rng=stream(0, "start"))
    return net


def rows(n: int = 4) -> torch.Tensor:
    rng = stream(1, "rows")
    return torch.from_numpy(PARTS.join(rng.normal(size=(n, 18)), rng.normal(size=(n, 2)), np.arange(n) % 2))


@pytest.mark.parametrize(("cell", "theirs"), [("lstm", nn.LSTM), ("gru", nn.GRU)])
def test_it_computes_what_torch_does(cell, theirs):
    ours = started(Recurrent(3, 5, cell=cell, layers=2))
    with torch.random.fork_rng():
        other = theirs(3, 5, num_layers=2, batch_first=True)
    for i, (enter, again) in enumerate(zip(ours.enter, ours.again, strict=True)):
        for name, layer in (("ih", enter), ("hh", again)):
            for what in ("weight", "bias"):
                getattr(other, f"{what}_{name}_l{i}").data.copy_(getattr(layer, what))
    x = torch.randn((2, 7, 3), generator=noise())
    assert torch.allclose(ours(x), other(x)[0], atol=1e-6)


def test_other_weights_can_be_put_in_its_place():
    net, x = started(Recurrent(3, 5, cell="lstm")), torch.ones(1, 4, 3)
    still = {name: torch.zeros_like(weight) for name, weight in net.named_parameters()}
    assert (functional_call(net, still, (x,)) == 0).all()


def test_every_step_is_scored_by_what_came_before():
    net, some = started(Listener(PARTS, units=4, frame=3, silent=False)), rows()
    other = some.clone()
    other[:, 8] += 1  # the last sample of the first channel
    assert net(some).shape == (4, 3)
    assert torch.equal(net(some)[:, :2], net(other)[:, :2]) and (net(some)[:, 2] != net(other)[:, 2]).all()


@pytest.mark.parametrize("silent", [True, False])
def test_a_silent_one_does_not_follow_the_class(silent):
    net, some = started(Teller(PARTS, units=4, latent=2, frame=4, silent=silent)), rows()
    other = some.clone()
    other[:, -1] = 1 - other[:, -1]
    assert net(some, noise()).shape == (4, 18)
    assert torch.equal(net(some, noise()), net(other, noise())) is silent
