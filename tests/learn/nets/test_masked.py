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
    codes = torch.tensor([[0, -1], [-1, 1]])
    assert torch.allclose(model.logits(h, codes)[:, 2:5], model.logits(h, codes, 1), atol=1e-6)
    assert torch.allclose(model(torch.tensor([[0, 6], [5, 3]]), codes), model.logits(h, codes))


def test_the_start_is_drawn_from_the_given_generator_alone() -> None:
    first, second = net(), MaskedNet(np.array([2, 3]), width=8, blocks=2)
    second.start(
        np.log(np.array([0.5, 0.5, 0.2, 0.3, 0.5])).astype(np.float32),
        [np.full(2, np.nan), np.linspace(0, 1, 3)],
        rng=stream(0),
    )
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_a_fresh_network_is_near_the_marginals() -> None:
    share = torch.softmax(net()(torch.tensor([[5, 6]]), torch.full((1, 2), -1))[:, 2:5], 1)
    assert torch.allclose(share, torch.tensor([[0.2, 0.3, 0.5]]), atol=0.15)


def test_a_link_adds_the_row_of_its_parents_and_of_unknown_ones_another() -> None:
    model = MaskedNet(np.array([2, 3]), width=8, blocks=1, links={1: (0,)})
    model.start(np.log(np.full(5, 0.3)).astype(np.float32), [np.full(2, np.nan), np.full(3, np.nan)], rng=stream(0))
    with torch.no_grad():
        model.link["1"].copy_(torch.tensor([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]))
    plain, h = net(), torch.zeros(3, 8)
    codes = torch.tensor([[0, -1], [1, -1], [-1, -1]])
    added = model.logits(h, codes, 1) - plain.bias.new_tensor(model.bias[2:].tolist())
    assert torch.allclose(added, torch.tensor([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]), atol=1e-5)


def test_links_start_at_the_shares_given_their_parents() -> None:
    codes = np.array([[0, 0]] * 60 + [[0, 1]] * 40 + [[1, 2]] * 100)
    model = MaskedNet(np.array([2, 3]), width=8, blocks=1, links={1: (0,)})
    shares = np.log(np.array([0.5, 0.5, 0.3, 0.2, 0.5])).astype(np.float32)
    model.start(shares, [np.full(2, np.nan), np.full(3, np.nan)], rng=stream(0))
    model.start_links(codes)
    logits = model.link["1"] + model.bias[2:]
    wanted = torch.tensor([[0.6, 0.4, 0.0], [0.0, 0.0, 1.0]])
    assert torch.allclose(torch.softmax(logits[:2], 1), wanted, atol=0.02)
    assert torch.equal(model.link["1"][2], torch.zeros(3))
