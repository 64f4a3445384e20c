import numpy as np
import torch

from semblance.core.rng import stream
from semblance.learn.nets.conditioned import Conditioned, Parts

PARTS = Parts(numbers=3, given=2, classes=2)
GIVEN = stream(0, "given").normal([5, -1], [2, 0.1], (100, 2)).astype(np.float32)


def conditioned() -> Conditioned:
    net = Conditioned(PARTS, width=16, blocks=1, told=8)
    net.start(GIVEN, rng=stream(0))
    return net


def moved(net: Conditioned) -> Conditioned:
    """With no weight at zero, as after a few steps."""
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(0.3 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(1)))
    return net


def said(net: Conditioned, *, level: float = 0.0, given: tuple[float, float] = (5, -1), label: int = 0) -> torch.Tensor:
    out: torch.Tensor = net(torch.ones(1, 3), torch.tensor([level]), torch.tensor([given]), torch.tensor([label]))
    return out


def test_a_row_is_split_as_it_was_joined() -> None:
    rng = stream(1)
    numbers, given, labels = rng.normal(size=(5, 3)), rng.normal(size=(5, 2)), rng.integers(0, 3, 5)
    rows = PARTS.join(numbers, given, labels)
    assert rows.shape == (5, PARTS.width)
    found = PARTS.split(torch.from_numpy(rows))
    assert all(np.allclose(x, y) for x, y in zip(found, (numbers, given, labels), strict=True))
    assert found[2].dtype == torch.int64


def test_the_first_weights_follow_from_the_seed_and_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state().clone()
    one, two = conditioned().state_dict(), conditioned().state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert torch.equal(before, torch.get_rng_state())


def test_all_that_is_told_changes_what_is_said() -> None:
    net = moved(conditioned())
    base = said(net)
    assert base.shape == (1, 3)
    assert not torch.allclose(base, said(net, level=1.0))
    assert not torch.allclose(base, said(net, given=(7, -1)))
    assert not torch.allclose(base, said(net, label=1))


def test_where_nothing_is_known_the_given_numbers_count_for_nothing() -> None:
    net = moved(conditioned())
    assert torch.equal(said(net, label=2), said(net, label=2, given=(9, float("nan"))))


def test_given_numbers_are_brought_to_mean_zero_and_variance_one() -> None:
    net = conditioned()
    assert np.allclose(net.center, GIVEN.mean(0))
    assert np.allclose(net.spread, GIVEN.std(0))


def test_a_network_may_be_given_no_numbers() -> None:
    net = Conditioned(Parts(numbers=3, given=0, classes=1), width=8, blocks=1)
    net.start(np.zeros((4, 0)), rng=stream(0))
    assert net(torch.zeros(4, 3), torch.zeros(4), torch.zeros(4, 0), torch.zeros(4, dtype=torch.int64)).shape == (4, 3)


def test_what_nobody_learned_counts_as_the_farthest_that_was() -> None:
    net = moved(conditioned())
    assert torch.equal(said(net, given=(1e4, -1)), said(net, given=(1e6, -1)))
