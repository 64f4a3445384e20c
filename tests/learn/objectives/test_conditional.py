from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.mlp import Mlp
from semblance.learn.nets.series import Series, Told
from semblance.learn.objectives.conditional import Conditional, energy
from semblance.learn.objectives.gan import Players, Wasserstein
from semblance.learn.rows import Rows
from semblance.learn.trainer import TrainPlan, train_to_end

PARTS = Series(numbers=2, given=1, classes=2, channels=1)
PLAN = TrainPlan(steps=300, batch=64, rate=3e-3, weight_decay=0.0, beta1=0.5, anneal=False, ema=0.98, patience=10**6)


class Made(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.told, self.net = Told(PARTS), Mlp(2 + PARTS.told, (32,), 2)

    def forward(self, rows: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        return self.net(torch.cat([torch.randn((len(rows), 2), generator=noise), self.told(rows)], 1))


class Judged(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.told, self.net = Told(PARTS), Mlp(2 + PARTS.told, (32,), 1)

    def forward(self, rows: torch.Tensor, noise: torch.Generator | None = None) -> torch.Tensor:
        return self.net(torch.cat([rows[:, :2], self.told(rows)], 1))


def batch(n: int = 2000) -> np.ndarray:
    """Of class 1 both numbers are higher by 2, and they rise with what is given."""
    rng = stream(0, "batch")
    labels, given = np.arange(n) % 2, rng.normal(5, 2, (n, 1))
    numbers = rng.normal(0, 0.3, (n, 2)) + 2.0 * labels[:, None] + (given - 5) / 4
    return PARTS.join(numbers, given, labels)


@pytest.fixture(scope="module")
def trained():
    rows = batch()
    game = Conditional(Players(Made(), Judged()), PARTS, Wasserstein(), turns=2, aside=torch.from_numpy(rows[:200]))
    game.start(rows, rng=stream(0, "start"))
    before = game.held_out(game.net.state_dict())
    train_to_end(game, Rows(rows[200:], np.arange(1800)), replace(PLAN, look=50), rng=stream(0, "train"))
    return game, before


def test_series_are_made_as_they_are_told(trained):
    game, _ = trained
    labels, given = np.repeat([0, 1], 500), np.tile(np.linspace(2, 8, 500), 2)[:, None]
    drawn = game.sample(given, labels, rng=stream(0, "sample"))
    assert drawn[500:].mean() - drawn[:500].mean() == pytest.approx(2, abs=0.5)
    assert np.polyfit(given[:500, 0], drawn[:500].mean(1), 1)[0] == pytest.approx(0.25, abs=0.12)


def test_a_look_says_how_near_made_series_are_to_the_ones_aside(trained):
    game, before = trained
    after = game.held_out(game.net.state_dict())
    assert after is not None and after < before / 4


def test_the_energy_distance_is_about_0_of_like_and_above_of_unlike():
    one, two = torch.randn((2, 400, 3), generator=torch.Generator().manual_seed(0))
    assert energy(one, two) == pytest.approx(0, abs=0.03)
    assert energy(one, two + 1) > 0.5


def test_of_two_single_points_it_is_twice_their_distance():
    assert energy(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]])) == pytest.approx(10)
