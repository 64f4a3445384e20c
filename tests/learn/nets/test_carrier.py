from __future__ import annotations

import numpy as np
import torch

from semblance.core.rng import stream
from semblance.learn.nets.carrier import Carrier
from semblance.learn.nets.conditioned import Parts


def test_it_begins_with_the_best_linear_function_and_knows_how_far_that_is_off():
    x, noise = stream(0, "x").normal(size=(40, 64)), stream(1).normal(size=(40, 128))
    y = np.column_stack([0.5 - 2 * x, x]) + noise * np.repeat([0.1, 0.3], 64)
    net = Carrier(Parts(128, 64, 1), (2, 8, 8), 1, width=8, blocks=1, side=8)
    net.fit(np.column_stack([y, x, np.zeros(40)]).astype(np.float32))
    made = net.begun(torch.from_numpy(np.float32(x))).numpy()
    assert np.abs(made - np.column_stack([0.5 - 2 * x, x])).max() < 0.1
    assert np.allclose(net.spread[[0, 127]].numpy(), [0.1, 0.3], rtol=0.1)
