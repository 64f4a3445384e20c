import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.denoiser import Denoiser
from semblance.learn.objectives.edm import Diffusion, Scales, Schedule
from semblance.learn.packed import Layout
from semblance.learn.rules import Plain
from semblance.learn.trainer import TrainPlan, train_loop

MIXED = Layout(np.array([True, False]), np.array([2]), owner=np.array([-1]), first=np.array([0]))
NUMBERS = Layout(np.ones(2, dtype=bool), np.zeros(0, dtype=int), owner=np.full(2, -1), first=np.zeros(2, dtype=int))
CHOICES = Layout(np.zeros(4, dtype=bool), np.full(4, 3), owner=np.zeros(0, dtype=int), first=np.zeros(0, dtype=int))


def diffusion(layout: Layout, packed: np.ndarray, *, steps: int = 12) -> Diffusion:
    made = Diffusion(Denoiser(layout, width=32, blocks=2), layout, steps=steps)
    made.start(packed, rng=stream(0))
    return made


def mixed(n: int) -> np.ndarray:
    """Group 1 in three of ten records; the number is normal around -2 in group 0 and around 2 in group 1."""
    rng = stream(1)
    group = (rng.random(n) < 0.3).astype(float)
    return np.column_stack([4 * group - 2 + rng.normal(0, 0.5, n), group]).astype(np.float32)


@pytest.mark.parametrize("sigma", [0.01, 0.5, 1.0, 20.0])
def test_preconditioning_keeps_inputs_and_targets_at_variance_one(sigma: float) -> None:
    scales = Scales.at(torch.tensor(sigma, dtype=torch.float64))
    assert (scales.scaled**2 * (1 + sigma**2)).item() == pytest.approx(1)
    target = ((1 - scales.skip) ** 2 + (scales.skip * sigma) ** 2) / scales.out**2
    assert target.item() == pytest.approx(1)
    assert scales.skip.item() == pytest.approx(1 / (1 + sigma**2))
    assert scales.level.item() == pytest.approx(np.log(sigma) / 4)


def test_the_schedule_runs_between_its_ends() -> None:
    at = Schedule(least=0.02, most=5.0).sigma(torch.linspace(0, 1, 50, dtype=torch.float64))
    assert at[0].item() == pytest.approx(0.02)
    assert at[-1].item() == pytest.approx(5.0)
    assert (at.diff() > 0).all()


def test_the_best_denoiser_of_normal_data_samples_them() -> None:
    """For data N(center, scale^2) the best raw output is 0, so a network that says 0 solves the equation exactly."""
    made = diffusion(NUMBERS, stream(2).normal([3, -1], [2, 0.5], (4000, 2)).astype(np.float32), steps=18)
    for weight in made.net.clean.parameters():
        torch.nn.init.zeros_(weight)
    drawn = made.sample(20_000, rng=stream(3))
    assert drawn.mean(0) == pytest.approx([3, -1], abs=0.08)
    assert drawn.std(0) == pytest.approx([2, 0.5], rel=0.04)


class Exact(torch.nn.Module):
    """The best denoiser of `mixed`, in closed form: a posterior over groups, and the shrunken value in each."""

    def __init__(self, center: torch.Tensor, scale: torch.Tensor) -> None:
        super().__init__()
        self.center, self.scale = center, scale

    def forward(self, x: torch.Tensor, rows: torch.Tensor, level: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        sigma = (4 * level).exp()[:, None]
        scales = Scales.at(sigma)
        noisy, mode, own = x / scales.scaled, (torch.tensor([[-2.0, 2.0]]) - self.center) / self.scale, 0.5 / self.scale
        logits = torch.tensor([[0.7, 0.3]]).log() - 0.5 * (noisy - mode).square() / (own**2 + sigma**2)
        known = torch.nn.functional.one_hot(rows[:, 0].clamp(max=1), 2).float()
        group = torch.where(rows < 2, known, logits.softmax(1))
        best = (group * (mode + own**2 / (own**2 + sigma**2) * (noisy - mode))).sum(1, keepdim=True)
        return (best - scales.skip * noisy) / scales.out, logits


def test_the_best_denoiser_of_mixed_data_samples_them() -> None:
    made = diffusion(MIXED, mixed(4000), steps=18)
    made.net = Exact(made.net.center, made.net.scale)  # type: ignore[assignment]
    number, group = made.sample(8000, rng=stream(5)).T
    assert group.mean() == pytest.approx(0.3, abs=0.02)
    for value, center in ((0, -2), (1, 2)):
        own = number[group == value]
        assert own.mean() == pytest.approx(center, abs=0.06)
        assert own.std() == pytest.approx(0.5, abs=0.06)


def test_masks_hide_the_share_of_the_first_half() -> None:
    made = diffusion(CHOICES, np.zeros((10, 4), dtype=np.float32))
    masked = made._masks(torch.tensor([0.0, 0.5, 0.65, 0.75, 0.99]), torch.Generator().manual_seed(0))
    assert masked.sum(1).tolist() == [0, 0, 1, 2, 4]


def test_a_number_that_is_not_there_leaves_no_trace() -> None:
    layout = Layout(np.array([True, False]), np.array([2]), owner=np.array([0]), first=np.array([1]))
    made = diffusion(layout, np.array([[0.0, 0], [1.0, 1], [2.0, 1]], dtype=np.float32))
    losses = [
        made.loss(torch.tensor([[x, choice]]), torch.Generator().manual_seed(5)).item()
        for x, choice in ((0.0, 0.0), (9.0, 0.0), (0.0, 1.0), (9.0, 1.0))
    ]
    assert losses[0] == losses[1]
    assert losses[2] != losses[3]


@pytest.mark.parametrize("steps", [1, 2, 9])
def test_every_choice_is_revealed_whatever_the_steps(steps: int) -> None:
    made = diffusion(CHOICES, np.zeros((10, 4), dtype=np.float32), steps=steps)
    drawn = made.sample(50, rng=stream(1))
    assert drawn.min() >= 0
    assert drawn.max() <= 2


def test_the_loss_has_one_value_per_record_and_repeats_with_its_noise() -> None:
    made, batch = diffusion(MIXED, mixed(200)), torch.from_numpy(mixed(20))
    first, again = (made.loss(batch, torch.Generator().manual_seed(5)) for _ in range(2))
    assert first.shape == (20,)
    assert torch.equal(first, again)


def test_a_mixed_distribution_is_learned() -> None:
    packed = mixed(4000)

    class Source:
        subjects = np.arange(4000)

        def batch(self, index: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(packed[index])

    made = diffusion(MIXED, packed)
    for _ in train_loop(made, Source(), Plain(), TrainPlan(steps=400, batch=128, weight_decay=0.0), rng=stream(4)):
        pass
    number, group = made.sample(8000, rng=stream(5)).T
    assert group.mean() == pytest.approx(0.3, abs=0.04)
    for value, center in ((0, -2), (1, 2)):
        own = number[group == value]
        assert np.median(own) == pytest.approx(center, abs=0.15)
        assert np.subtract(*np.quantile(own, [0.75, 0.25])) / 1.349 == pytest.approx(0.5, abs=0.12)
        assert (np.sign(own) == np.sign(center)).mean() > 0.95
