import numpy as np
import pytest
import torch
from torch.distributions import Categorical, Normal, kl_divergence

from semblance.core.rng import stream
from semblance.learn.nets.variational import Variational
from semblance.learn.objectives.vae import Bound, divergence, gaussian
from semblance.learn.packed import Layout
from semblance.learn.rules import Plain
from semblance.learn.trainer import TrainPlan, train_loop

MIXED = Layout(np.array([True, False]), np.array([3]), owner=np.array([0]), first=np.array([1]))


def mixed(n: int) -> np.ndarray:
    """A choice of 3, and a number that is there for 1 (around -0.5) and 2 (around 0.5)."""
    rng = stream(1)
    choice = rng.choice(3, size=n, p=[0.2, 0.5, 0.3])
    number = np.where(choice == 0, 0.0, choice - 1.5 + rng.normal(0, 0.1, n))
    return np.column_stack([number, choice]).astype(np.float32)


def bound(packed: np.ndarray) -> Bound:
    made = Bound(Variational(MIXED, widths=(32, 32), latent=4), MIXED, aside=torch.from_numpy(packed[:500]))
    made.start(packed, rng=stream(0))
    return made


def test_the_divergence_and_the_density_are_those_of_the_normal() -> None:
    mean, log_variance = torch.tensor([[0.5, -2.0]]), torch.tensor([[0.3, -1.0]])
    exact = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(torch.zeros(2), torch.ones(2))).sum(1)
    assert divergence(mean, log_variance) == pytest.approx(exact)
    x, log_std = torch.tensor([1.5, 0.0]), torch.tensor([0.2, -1.0])
    assert gaussian(x, torch.tensor([1.0, 0.3]), log_std) == pytest.approx(
        -Normal(torch.tensor([1.0, 0.3]), log_std.exp()).log_prob(x)
    )


def test_the_loss_is_minus_the_evidence_lower_bound() -> None:
    made, batch = bound(mixed(600)), torch.tensor([[0.4, 2.0], [0.0, 0.0]])
    loss = made.loss(batch, torch.Generator().manual_seed(3)).detach()
    normal = torch.randn((2, 4), generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        mean, log_variance = made.net.encode(batch[:, :1], batch[:, 1:].long())
        means, logits = made.net.decode(mean + (log_variance / 2).exp() * normal)
        density = Normal(means[:, 0], made.net.log_std.exp()).log_prob(batch[:, 0])
        chosen = Categorical(logits=logits).log_prob(batch[:, 1].long())
        prior = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(torch.zeros(4), torch.ones(4))).sum(1)
    by_hand = torch.stack([prior[0] - density[0] - chosen[0], prior[1] - chosen[1]])
    assert loss == pytest.approx(by_hand, abs=1e-4)


def test_a_mixed_distribution_is_learned_and_the_bound_stays_below_the_evidence() -> None:
    packed = mixed(4000)

    class Source:
        subjects = np.arange(4000)

        def batch(self, index: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(packed[index])

    made = bound(packed)
    for _ in train_loop(made, Source(), Plain(), TrainPlan(steps=400, batch=128, weight_decay=0.0), rng=stream(4)):
        pass
    number, choice = made.sample(8000, rng=stream(5)).T
    assert np.bincount(choice.astype(int)) / 8000 == pytest.approx([0.2, 0.5, 0.3], abs=0.1)
    for value, center in ((1, -0.5), (2, 0.5)):
        own = number[choice == value]
        assert np.median(own) == pytest.approx(center, abs=0.12)
        assert 0.08 < own.std() < 0.35
    share = np.array([0.2, 0.5, 0.3])
    entropy = -(share * np.log(share)).sum() + 0.8 * 0.5 * np.log(2 * np.pi * np.e * 0.01)
    held_out = made.held_out(made.net.state_dict())
    assert held_out is not None
    assert entropy - 0.05 < held_out < entropy + 1.0
