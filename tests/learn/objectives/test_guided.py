from pathlib import Path

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.gradients import Gradients
from semblance.learn.nets.conditioned import Conditioned, Parts
from semblance.learn.objectives.guided import Guided
from semblance.learn.rows import Rows
from semblance.learn.rules import Plain
from semblance.learn.trainer import TrainPlan, threads, train_loop, train_to_end

PARTS = Parts(numbers=2, given=1, classes=2)
CENTER, PER, SPREAD = (
    np.array([[-1.0, 0.5], [0.5, -1.0]]),
    np.array([[0.5, 0], [0, 0.5]]),
    np.array([[[0.3, 0], [0.2, 0.2]], [[0.4, 0], [-0.3, 0.3]]]),
)
"""Of each class: the mean, how it moves with the given number, and a root of the covariance."""


def mixture(n: int) -> np.ndarray:
    rng = stream(1)
    label, given = (rng.random(n) < 0.5).astype(int), rng.normal(size=(n, 1))
    numbers = CENTER[label] + PER[label] * given + np.einsum("nij,nj->ni", SPREAD[label], rng.normal(size=(n, 2)))
    return PARTS.join(numbers, given, label)


def guided(*, steps: int = 12, even: bool = True, width: int = 48) -> Guided:
    made = Guided(Conditioned(PARTS, width=width, blocks=2, told=32), steps=steps, even=even)
    made.start(mixture(200), rng=stream(0))
    return made


@pytest.fixture(scope="module")
def trained() -> Guided:
    made, rows = guided(), mixture(4000)
    plan = TrainPlan(steps=1500, batch=256, weight_decay=0.0, ema=0.99)
    train_to_end(made, Rows(rows, np.arange(len(rows))), plan, rng=stream(4))
    return made


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("given", [-1.0, 0.0, 1.0])
def test_each_conditional_of_a_mixture_is_learned(trained: Guided, label: int, given: float) -> None:
    drawn = trained.sample(np.full((3000, 1), given), np.full(3000, label), rng=stream(5))
    assert drawn.mean(0) == pytest.approx(CENTER[label] + PER[label] * given, abs=0.08)
    assert np.cov(drawn.T).ravel() == pytest.approx((SPREAD[label] @ SPREAD[label].T).ravel(), abs=0.05)


def test_what_is_not_known_is_drawn_from_all(trained: Guided) -> None:
    drawn, rows = trained.sample(np.zeros((3000, 1)), np.full(3000, 2), rng=stream(6)), mixture(3000)
    assert drawn.mean(0) == pytest.approx(rows[:, :2].mean(0), abs=0.1)
    assert np.cov(drawn.T).ravel() == pytest.approx(np.cov(rows[:, :2].T).ravel(), abs=0.12)


def test_a_guidance_of_one_is_none_and_more_moves_away_from_the_others(trained: Guided) -> None:
    given, label = np.zeros((2000, 1)), np.zeros(2000)
    plain, one, two = (
        trained.sample(given, label, rng=stream(7), **how) for how in ({}, {"guidance": 1.0}, {"guidance": 2.0})
    )
    assert plain.tobytes() == one.tobytes()
    away = CENTER[0] - CENTER[1]
    assert ((two - one) @ away).mean() > 0.03


def test_a_sample_repeats_with_its_seed() -> None:
    made, given, label = guided(), np.zeros((50, 1)), np.zeros(50)
    one, two, other = (made.sample(given, label, rng=stream(seed)) for seed in (3, 3, 4))
    assert one.dtype == np.float32
    assert one.tobytes() == two.tobytes() != other.tobytes()


def test_the_best_denoiser_of_normal_numbers_samples_them() -> None:
    """For numbers of mean 0 and variance 1 the best raw output is 0: as the network starts."""
    made = guided(steps=18)
    torch.nn.init.zeros_(made.net.leave.weight)
    drawn = made.sample(np.zeros((5000, 1)), np.zeros(5000), rng=stream(3))
    assert drawn.mean(0) == pytest.approx([0, 0], abs=0.05)
    assert drawn.std(0) == pytest.approx([1, 1], rel=0.04)


def test_the_loss_has_one_value_per_record_and_repeats_with_its_noise() -> None:
    made, batch = guided(), torch.from_numpy(mixture(20))
    first, again = (made.loss(batch, torch.Generator().manual_seed(5)) for _ in range(2))
    assert first.shape == (20,)
    assert torch.equal(first, again)


@pytest.mark.parametrize("times", [1, 3])
def test_gradients_of_records_are_those_that_are_made_one_by_one(times: int) -> None:
    made, batch = guided(even=False, width=8), torch.from_numpy(mixture(10))
    train_to_end(made, Rows(mixture(64), np.arange(64)), TrainPlan(steps=5, batch=32), rng=stream(0))
    (turn,) = made.turns

    def losses() -> torch.Tensor:
        noise = torch.Generator().manual_seed(5)
        return turn.loss(batch.repeat_interleave(times, 0), noise).reshape(10, times).mean(1)

    rows = [torch.autograd.grad(loss, turn.parameters, retain_graph=True) for loss in losses()]
    flat = torch.stack([torch.cat([g.flatten() for g in gs]) for gs in rows])
    found = Gradients.of(losses, turn.parameters, records=10, times=times)
    weights = torch.linspace(0, 2, 10)
    assert torch.allclose(found.lengths(), flat.norm(dim=1), rtol=1e-4)
    summed = torch.cat([x.flatten() for x in found.sums(weights)])
    assert torch.allclose(summed, weights @ flat, rtol=1e-3, atol=1e-4)


def test_twenty_steps_equal_ten_a_checkpoint_and_ten_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, source = TrainPlan(steps=20, batch=16, look=4), Rows(mixture(64), np.arange(64))
    whole, first, second = guided(), guided(), guided()
    train_to_end(whole, source, plan, rng=stream(1))
    monkeypatch.setattr("semblance.learn.trainer.CHECKPOINT_SECONDS", -1.0)
    for tick in train_loop(first, source, Plain(), plan, rng=stream(1), resume=tmp_path / "c"):
        if tick.step == 10:
            break
    train_to_end(second, source, plan, rng=stream(1), resume=tmp_path / "c")
    assert all(torch.equal(x, second.net.state_dict()[name]) for name, x in whole.net.state_dict().items())


def test_records_kept_aside_are_looked_at_under_the_same_noise() -> None:
    aside = torch.from_numpy(mixture(50))
    made = Guided(guided().net, aside=aside)
    weights = dict(made.net.named_parameters())
    assert made.held_out(weights) == made.held_out(weights)
    assert guided().held_out(weights) is None


def test_no_number_is_drawn_far_beyond_those_of_records(trained: Guided) -> None:
    drawn = trained.sample(np.full((500, 1), 1e4), np.zeros(500, dtype=np.int64), rng=stream(7, "far"))
    reach = trained.net.reach.numpy()
    assert np.isfinite(reach).all() and (np.abs(drawn) <= reach).all()
    assert (reach <= 1.5 * np.abs(mixture(4000)[:, : len(reach)]).max(0) + 1).all()


def left_over(rows: np.ndarray) -> np.ndarray:
    """(2,) how far numbers are from what their class and given number say, in a linear way."""
    numbers, given, labels = np.split(rows, [2, 3], 1)
    told = np.column_stack([labels == 0, labels == 1, given])
    spread: np.ndarray = (numbers - told @ np.linalg.lstsq(told, numbers, rcond=None)[0]).std(0)
    return spread


def begun() -> tuple[Guided, np.ndarray, Rows]:
    """A network that does not know all, and what it learned from."""
    made, rows = guided(), mixture(3000)
    source = Rows(rows, np.arange(len(rows)) % 200)
    train_to_end(made, source, TrainPlan(steps=40, batch=128, ema=0.9), rng=stream(4))
    return made, rows, source


def test_after_training_what_is_drawn_is_brought_to_the_spread_of_records() -> None:
    made, rows, source = begun()

    def ratio() -> np.ndarray:
        drawn = made.sample(rows[:, 2:3], rows[:, 3], rng=stream(6))
        return left_over(np.column_stack([drawn, rows[:, 2:]])) / left_over(rows)

    before = ratio()
    made.settle(source, rng=stream(5))
    assert (np.abs(np.log(before)) > 0.1).all()
    assert (np.abs(np.log(ratio())) < 0.07).all()


def test_neither_a_guidance_nor_threads_have_a_part_in_spreads() -> None:
    """That records vary less by a guidance above 1 once was undone."""
    gains = []
    for guidance, count in ((1.0, 1), (3.0, 2)):
        made, _, source = begun()
        made.guidance = guidance
        with threads(count):
            made.settle(source, rng=stream(5))
        gains.append(made.net.drawn.gains)
    assert torch.equal(*gains) and (gains[0] != 1).all()
