from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.translate import Patches, Translation, begin
from semblance.learn.nets.unpaired import Either, directed

PARTS = Parts(64, 64, 1)


@pytest.mark.parametrize("sides", ["both", "target", "source"])
def test_an_image_is_scored_by_the_critic_of_its_side(sides):
    critics = [Patches((1, 8, 8), width=4, layers=2) for _ in range(2)]
    net = Either(PARTS, *critics)
    begin(net, rng=stream(0, "start"))
    x = torch.from_numpy(stream(0, "x").normal(size=(6, 64)).astype(np.float32))
    at = torch.tensor({"both": [0, 1, 1, 0, 1, 0], "target": [1] * 6, "source": [0] * 6}[sides], dtype=torch.bool)
    none = torch.full_like(x, torch.nan)
    rows = torch.cat([torch.where(at[:, None], x, none), torch.where(at[:, None], none, x)], 1)
    alone = torch.where(at[:, None], critics[0](x), critics[1](x))
    assert torch.allclose(net(rows), alone, atol=1e-6)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_translation_begins_with_the_sign_of_mean_images(sign):
    net = Translation(PARTS, (1, 8, 8), 1, width=4, side=8)
    begin(net, rng=stream(0, "start"))
    mean = stream(0, "x").normal(size=64)
    directed(net, mean, sign * mean + 0.1 * stream(1, "x").normal(size=64))
    x = torch.from_numpy(mean[None].astype(np.float32))
    assert torch.allclose(net(x, torch.zeros(1, dtype=torch.int64)), sign * x, atol=1e-6)
    directed(net, mean, stream(2, "x").normal(size=64))
    assert net.linear[0, 0] == 1
