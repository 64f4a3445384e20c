from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.mlp import start
from semblance.learn.nets.series import Series
from semblance.learn.nets.timegan import TimeGan

PARTS = Series(numbers=18, given=2, classes=2, channels=2)


def rows(n: int = 4) -> torch.Tensor:
    rng = stream(1, "rows")
    return torch.from_numpy(PARTS.join(rng.normal(size=(n, 18)), rng.normal(size=(n, 2)), np.arange(n) % 2))


@pytest.mark.parametrize(("frame", "layers"), [(1, 1), (4, 2), (9, 3)])
def test_series_are_drawn_and_recovered_and_states_lie_between_0_and_1(frame, layers):
    net, some = TimeGan(PARTS, units=3, layers=layers, frame=frame), rows()
    start(net, rng=stream(0, "start"))
    assert net(some, torch.Generator().manual_seed(0)).shape == (4, 18)
    told, frames = net.maker.told(some), net.maker.frames(some)
    states = net.embedder(frames, told)
    assert ((states > 0) & (states < 1)).all()
    assert net.maker.recovery(states, told).shape == frames.shape
    assert net.critic(states, told).shape == (4, frames.shape[1], 1)
