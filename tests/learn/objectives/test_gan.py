import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.mlp import Mlp, start
from semblance.learn.objectives.gan import (
    Adversarial,
    AtEveryStep,
    Contest,
    LeastSquares,
    NonSaturating,
    Players,
    Relativistic,
    Scene,
    Veiled,
    Wasserstein,
    gradient_penalty,
)
from semblance.learn.rules import Plain
from semblance.learn.trainer import TrainPlan, train_loop


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def numbers(n: int, width: int, seed: int) -> torch.Tensor:
    return torch.from_numpy(stream(seed, "numbers").normal(size=(n, width)).astype(np.float32))


def test_the_penalty_of_a_linear_critic_is_that_of_its_slope() -> None:
    slope = torch.tensor([3.0, 4.0])
    found = gradient_penalty(lambda x, _: x @ slope, numbers(7, 2, 0), numbers(7, 2, 1), seeded())
    assert found.shape == (7,)
    assert torch.allclose(found, torch.tensor(16.0))


def test_the_penalty_of_a_quadratic_critic_lies_between_its_ends() -> None:
    real, fake = torch.full((500, 1), 2.0), torch.full((500, 1), 3.0)
    found = gradient_penalty(lambda x, _: (x**2).sum(1) / 2, real, fake, seeded())
    assert ((found >= 1) & (found <= 4)).all()
    assert float(found.detach().mean()) == pytest.approx(7 / 3, abs=0.15)


def test_the_penalty_moves_the_critic() -> None:
    weight = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    gradient_penalty(lambda x, _: x @ weight, numbers(5, 2, 0), numbers(5, 2, 1), seeded()).mean().backward()
    assert weight.grad is not None
    assert torch.allclose(weight.grad, 2 * 4 * weight.detach() / 5)


def test_a_wasserstein_critic_of_slope_one_loses_the_difference_of_scores() -> None:
    real, fake = numbers(6, 1, 0), numbers(6, 1, 1)
    loss = Wasserstein().critic(lambda x, _: x[:, 0], real, fake, seeded())
    assert torch.allclose(loss, fake[:, 0] - real[:, 0], atol=1e-6)
    assert torch.equal(Wasserstein().generator(lambda x, _: x[:, 0], real, fake, seeded()), -fake[:, 0])


def test_least_squares_of_both_sides() -> None:
    real, fake = torch.tensor([[0.5], [1.0]]), torch.tensor([[0.0], [2.0]])
    contest = LeastSquares()
    assert contest.critic(lambda x, _: x[:, 0], real, fake, seeded()).tolist() == [0.125, 2.0]
    assert contest.generator(lambda x, _: x[:, 0], real, fake, seeded()).tolist() == [0.5, 0.5]


def test_scores_of_every_step_weigh_alike() -> None:
    real, fake = torch.tensor([[1.0, 3.0]]), torch.tensor([[0.0, 5.0]])
    contest = AtEveryStep(Wasserstein(0.0))
    assert contest.critic(lambda x, _: x, real, fake, seeded()).tolist() == [0.5]
    assert contest.generator(lambda x, _: x, real, fake, seeded()).tolist() == [-2.5]


def test_the_cross_entropy_of_both_sides() -> None:
    score = torch.tensor([[-3.0], [0.0], [2.0]])
    d = torch.sigmoid(score[:, 0])
    side = NonSaturating()
    assert torch.allclose(side.critic(lambda x, _: x[:, 0], score, score, seeded()), -d.log() - (1 - d).log())
    assert torch.allclose(side.generator(lambda x, _: x[:, 0], score, score, seeded()), -d.log())


def test_a_relativistic_side_loses_the_difference_and_the_critic_its_slopes() -> None:
    real, fake, slope = numbers(6, 2, 0), numbers(6, 2, 1), torch.tensor([3.0, 4.0])
    contest, gap = Relativistic(0.1), (real - fake) @ slope
    assert torch.allclose(contest.critic(lambda x, _: x @ slope, real, fake, seeded()), (-gap).exp().log1p() + 2.5)
    assert torch.allclose(contest.generator(lambda x, _: x @ slope, real, fake, seeded()), gap.exp().log1p())


MEAN, SPREAD = torch.tensor([1.5, -1.0]), 0.5


class Cloud:
    """Points of a round Gaussian as a source. In one dimension a penalised critic can be caught with a slope of -1."""

    subjects = np.arange(2000)
    values = MEAN + SPREAD * numbers(2000, 2, 4)

    def batch(self, index: np.ndarray) -> torch.Tensor:
        return self.values[torch.from_numpy(index)]


def game(contest: Contest, *, turns: int, pack: int = 1) -> Adversarial:
    """A generator z A + b against a small critic."""
    net = Players(torch.nn.Linear(2, 2), Mlp(2 * pack, (32, 32), 1))
    start(net, rng=stream(0, "start"))

    def play(batch: torch.Tensor, noise: torch.Generator) -> Scene:
        return Scene(batch, net.generator(torch.randn((len(batch), 2), generator=noise)))

    return Adversarial(net, play, contest, turns=turns, pack=pack)


@pytest.mark.parametrize(
    ("contest", "turns", "pack"),
    [(Wasserstein(), 2, 1), (NonSaturating(), 1, 1), (Wasserstein(1.0), 1, 4), (Relativistic(0.1), 1, 1)],
)
def test_a_gaussian_is_learned(contest: Contest, turns: int, pack: int) -> None:
    objective = game(contest, turns=turns, pack=pack)
    slow = {"weight_decay": 0.0, "anneal": False, "warmup": 0, "ema": 0.98, "look": 10**6}
    plan = TrainPlan(steps=500, batch=128, rate=0.01, beta1=0.5, beta2=0.9, **slow)
    for _ in train_loop(objective, Cloud(), Plain(), plan, rng=stream(1)):
        pass
    layer = objective.net.generator
    covariance = (layer.weight @ layer.weight.T).detach()
    assert torch.allclose(layer.bias.detach(), MEAN, atol=0.2)
    assert torch.allclose(covariance, SPREAD**2 * torch.eye(2), atol=0.12)


def test_a_step_is_the_critics_turns_and_one_of_the_generator() -> None:
    objective = game(Wasserstein(), turns=3)
    assert [turn.name for turn in objective.turns] == ["critic"] * 3 + ["generator"]
    moved = {id(p) for turn in objective.turns for p in turn.parameters}
    assert moved == {id(p) for p in objective.net.parameters()}


def test_each_turn_makes_gradients_for_its_own_side_only() -> None:
    objective = game(Wasserstein(), turns=1)
    for turn, other in zip(objective.turns, (objective.net.generator, objective.net.critic), strict=True):
        objective.net.zero_grad(set_to_none=True)
        turn.loss(numbers(16, 2, 0), seeded()).mean().backward()
        assert all(p.grad is not None for p in turn.parameters)
        assert all(p.grad is None for p in other.parameters())


def test_there_is_one_loss_per_pack_and_the_rest_is_left_out() -> None:
    objective = game(Wasserstein(), turns=1, pack=4)
    assert [turn.loss(numbers(18, 2, 0), seeded()).shape for turn in objective.turns] == [(4,), (4,)]


def test_the_extra_loss_of_the_generator_is_added_record_by_record() -> None:
    objective, extra = game(Wasserstein(), turns=1), torch.arange(5.0)
    plain, batch = objective.play, numbers(5, 2, 0)
    without = objective.turns[-1].loss(batch, seeded())

    def play(batch: torch.Tensor, noise: torch.Generator) -> Scene:
        scene = plain(batch, noise)
        return Scene(scene.real, scene.fake, extra)

    objective.play = play
    assert torch.allclose(objective.turns[-1].loss(batch, seeded()) - without, extra, atol=1e-6)


def test_a_look_at_other_weights_leaves_the_players_as_they_are() -> None:
    objective = game(Wasserstein(), turns=1)
    generator = objective.net.generator
    objective.judge = lambda: float(generator.bias[0])
    before = {k: v.clone() for k, v in objective.net.state_dict().items()}
    told = objective.held_out({k: v + 1 for k, v in before.items()})
    assert told == pytest.approx(float(before["generator.bias"][0]) + 1)
    assert all(torch.equal(v, before[k]) for k, v in objective.net.state_dict().items())


def test_records_that_are_not_looked_at_are_only_counted() -> None:
    """Of those the rows have no width: a contest that asks for no real record must take them."""
    net = Players(torch.nn.Linear(2, 2), Mlp(2, (8,), 1))
    start(net, rng=stream(0, "start"))
    veiled = Veiled(net, lambda n, noise: net.generator(torch.randn((n, 2), generator=noise)), turns=1)
    assert veiled.turns[-1].loss(torch.zeros(7, 0), seeded()).shape == (7,)
