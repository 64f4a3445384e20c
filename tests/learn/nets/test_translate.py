from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.translate import Patches, Translation, begin


def test_untrained_it_is_the_best_linear_function_of_each_pixel():
    x = stream(0, "x").normal(size=(20, 64))
    rows = np.column_stack([0.5 - 2 * x, x, np.zeros(20)]).astype(np.float32)
    net = Translation(Parts(64, 64, 1), (1, 8, 8), 1, width=8, side=8)
    net.start(rows, rng=stream(0, "start"))
    made = net(torch.from_numpy(rows[:, 64:128]), torch.zeros(20, dtype=torch.int64))
    assert np.abs(made.detach().numpy() - rows[:, :64]).max() < 0.02


@pytest.mark.parametrize("shape", [(2, 16, 16), (2, 8, 9, 10), (3, 12, 12), (1, 9, 13)])
def test_a_patch_is_scored_by_what_lies_there(shape):
    critic = Patches(shape, width=4, layers=2)
    begin(critic, rng=stream(0, "start"))
    x = torch.zeros(2, int(np.prod(shape)))
    x[1, 0] = 5.0
    one, other = critic(x).detach()
    apart = (one - other).abs()
    assert len(apart) > 1 and apart[0] > 0 and torch.isfinite(critic(x)).all()
