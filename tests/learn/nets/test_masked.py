import numpy as np
import torch

from semblance.core.rng import stream
from semblance.learn.nets.masked import MaskedNet


def net() -> MaskedNet:
    made = MaskedNet(np.array([2, 3]), width=8, blocks=2)
    made.start(
        np.log(np.array([0.5, 0.5, 0.2, 0.3, 0.5])).astype(np.float32),
        [np.full(2, np.nan), np.linspace(0, 1, 3)],
        rng=stream(0),
    )
    return made


def test_logits_of_one_column_are_its_part_of_all() -> None:
    model = net()
    h = model.trunk(model.hidden(torch.tensor([[0, 6], [5, 3]])))
    assert torch.allclose(model.logits(h)[:, 2:5], model.logits(h, 1), atol=1e-6)
    assert torch.allclose(model(torch.tensor([[0, 6], [5, 3]])), model.logits(h))


def test_the_start_is_drawn_from_the_given_generator_alone() -> None:
    first, second = net(), MaskedNet(np.array([2, 3]), width=8, blocks=2)
    second.start(
        np.log(np.array([0.5, 0.5, 0.2, 0.3, 0.5])).astype(np.float32),
        [np.full(2, np.nan), np.linspace(0, 1, 3)],
        rng=stream(0),
    )
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_a_fresh_network_is_near_the_marginals() -> None:
    share = torch.softmax(net()(torch.tensor([[5, 6]]))[:, 2:5], 1)
    assert torch.allclose(share, torch.tensor([[0.2, 0.3, 0.5]]), atol=0.15)
