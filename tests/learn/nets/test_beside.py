from __future__ import annotations

import numpy as np
import torch

from semblance.core.rng import stream
from semblance.learn.nets.beside import Beside
from semblance.learn.nets.conditioned import Parts


def test_what_is_given_is_seen_where_it_lies():
    net = Beside(Parts(128, 64, 1), (2, 8, 8), 1, width=8, blocks=1, components=2, side=8)
    net.start(np.zeros((1, 64)), rng=stream(0, "start"))
    with torch.no_grad():
        for weight in net.parameters():
            weight.normal_(0, 0.1, generator=torch.Generator().manual_seed(0))
    x, level, labels = torch.zeros(2, 128), torch.full((2,), 0.5), torch.zeros(2, dtype=torch.int64)
    given = torch.zeros(2, 64)
    given[1, 0] = 1.0
    one, other = net(x, level, given, labels)
    apart = (one - other).abs().reshape(2, 8, 8).sum(0).detach()
    assert apart[0, 0] > 0 and apart[:2, :2].mean() > apart[6:, 6:].mean()
