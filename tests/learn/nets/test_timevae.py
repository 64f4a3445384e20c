from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.mlp import start
from semblance.learn.nets.series import Series
from semblance.learn.nets.timevae import Decoder, TimeVae


def rows(parts: Series, n: int = 3) -> torch.Tensor:
    rng = stream(0, "rows")
    numbers, given = rng.normal(size=(n, parts.numbers)), rng.normal(size=(n, parts.given))
    return torch.from_numpy(parts.join(numbers, given, np.arange(n) % parts.classes))


@pytest.mark.parametrize("length", [1, 2, 131, 256])
def test_pieces_of_any_length_are_encoded_and_decoded(length):
    parts = Series(numbers=2 * length, given=3, classes=2, channels=2)
    net = TimeVae(parts, channels=2, latent=4, trend=2)
    start(net, rng=stream(0, "start"))
    made, mean, log_variance = net(rows(parts), torch.zeros(3, 4))
    assert made.shape == (3, parts.numbers)
    assert mean.shape == log_variance.shape == (3, 4)


def test_level_and_trend_add_up_to_a_polynomial():
    parts = Series(numbers=10, given=1, classes=1, channels=1)
    decoder = Decoder(parts, channels=2, latent=2, trend=2)
    for weight in decoder.parameters():
        torch.nn.init.zeros_(weight)
    decoder.level.last.bias.data.fill_(5.0)
    decoder.slopes.last.bias.data.copy_(torch.tensor([1.0, -2.0]))
    time = torch.arange(10) / 10
    made = decoder.decode(torch.zeros(1, 2), rows(parts, 1))[0]
    assert torch.allclose(made, 5 + time - 2 * time**2, atol=1e-6)
