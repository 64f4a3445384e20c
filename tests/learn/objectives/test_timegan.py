from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.series import Series
from semblance.learn.nets.timegan import TimeGan
from semblance.learn.objectives.timegan import Embedded, _moments

PARTS = Series(numbers=8, given=1, classes=2, channels=1)


def rows(n: int = 6) -> torch.Tensor:
    rng = stream(0, "rows")
    return torch.from_numpy(PARTS.join(rng.normal(size=(n, 8)), rng.normal(size=(n, 1)), np.arange(n) % 2))


def noise() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def game(*, empty: bool = False, aside: torch.Tensor | None = None) -> Embedded:
    made = Embedded(TimeGan(PARTS, units=3, layers=1, frame=2), PARTS, aside=aside)
    made.start(rows().numpy(), rng=stream(0, "start"))
    if empty:
        for weight in made.net.parameters():
            torch.nn.init.zeros_(weight)
    return made


def test_there_are_three_phases_and_the_last_one_goes_round_as_the_authors_do():
    turns = [[turn.name for turn in phase.objective.turns] for phase in game().phases]
    assert turns == [["embedding"], ["supervision"], ["generator", "embedder", "generator", "embedder", "critic"]]


def test_networks_that_say_nothing_lose_what_is_known_of_them():
    """Recovered waves are 0, all states and what is said of them are 1/2, and the critic is of two minds."""
    made, some = game(empty=True), rows()
    error = 10 * some[:, :8].square().mean(1).sqrt()
    assert torch.allclose(made.embedding(some, noise()), error, atol=1e-3)
    assert made.supervision(some, noise()).abs().max() < 1e-3
    assert torch.allclose(made.following(some, noise()), error, atol=1e-3)
    assert made.criticism(some, noise()).tolist() == pytest.approx([3 * math.log(2)] * 6)
    moments = some[:, :8].mean(0).abs().mean() + some[:, :8].std(0, correction=0).mean()
    assert made.generation(some, noise()).mean().item() == pytest.approx(
        2 * math.log(2) + 100 * float(moments), rel=1e-3
    )


def test_each_turn_moves_only_its_own():
    made, some = game(), rows()
    for turn in made.turns:
        made.net.zero_grad()
        turn.loss(some, noise()).mean().backward()
        own = {id(parameter) for parameter in turn.parameters}
        moved = {id(p) for p in made.net.parameters() if p.grad is not None and p.grad.abs().sum() > 0}
        assert moved and moved <= own, turn.name


def test_a_critic_that_is_good_rests():
    made, some = game(), rows()
    made.net.critic.forward = lambda x, told: 20 * (2 * x.mean(2, keepdim=True) - 1)  # type: ignore[method-assign]
    made.maker.generator.forward = lambda x, told: torch.zeros(len(x), 4, 3)  # type: ignore[method-assign]
    made.maker.supervisor.forward = lambda x, told: torch.zeros(len(x), 4, 3)  # type: ignore[method-assign]
    made.net.embedder.forward = lambda x, told: torch.ones(len(x), 4, 3)  # type: ignore[method-assign]
    assert made.criticism(some, noise()).tolist() == [0.0] * 6


def test_moments_of_a_batch():
    one, two = torch.tensor([[0.0], [2.0]]), torch.tensor([[5.0], [11.0]])
    assert _moments(one, two).tolist() == pytest.approx([7 + 2] * 2, rel=1e-3)


def test_a_look_is_taken_at_rows_aside_only():
    made = game(aside=rows())
    weights = made.net.state_dict()
    first = made.held_out(weights)
    assert first is not None and first == made.held_out(weights)
    assert game().held_out(weights) is None
