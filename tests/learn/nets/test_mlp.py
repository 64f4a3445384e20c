import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.mlp import BatchNorm, Mlp, dropped, start


def test_the_first_weights_come_from_the_given_generator_alone() -> None:
    before, nets = torch.get_rng_state(), [Mlp(4, (8, 8), 2) for _ in range(3)]
    for net, seed in zip(nets, (1, 1, 2), strict=True):
        start(net, rng=stream(seed))
    assert torch.equal(before, torch.get_rng_state())
    first, same, other = (torch.cat([p.flatten() for p in net.parameters()]) for net in nets)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_the_weights_are_as_large_as_they_say() -> None:
    net = Mlp(400, (500,), 1)
    start(net, rng=stream(0))
    assert net.layers[0].weight.std().item() == pytest.approx(np.sqrt(1 / (3 * 400)), rel=0.02)


def test_without_hidden_layers_it_is_linear() -> None:
    net = Mlp(2, (), 1)
    start(net, rng=stream(0))
    x, y = torch.tensor([[1.0, 2.0]]), torch.tensor([[-3.0, 0.5]])
    zero = net(torch.zeros(1, 2))
    assert torch.allclose(net(x + y) + zero, net(x) + net(y), atol=1e-6)


def test_dropout_keeps_the_mean_and_needs_a_generator() -> None:
    ones = torch.ones(200_000)
    kept = dropped(ones, 0.25, torch.Generator().manual_seed(0))
    assert set(kept.unique().tolist()) == {0.0, float(torch.tensor(1 / 0.75))}
    assert float(kept.mean()) == pytest.approx(1, abs=0.01)
    assert dropped(ones, 0.25, None) is ones


def test_batch_norm_is_torchs_own_in_training_and_after() -> None:
    ours, theirs = BatchNorm(3), torch.nn.BatchNorm1d(3)
    x = torch.from_numpy(stream(0).normal(2, 5, (40, 3)).astype(np.float32))
    for _ in range(5):
        assert torch.allclose(ours(x), theirs(x))
    assert torch.allclose(ours.eval()(x[:1]), theirs.eval()(x[:1]))
    assert all(v.dtype == torch.float32 for v in ours.state_dict().values())
    assert torch.isfinite(ours.train()(x[:1])).all()
