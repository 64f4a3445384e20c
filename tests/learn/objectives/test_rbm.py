from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn import trainer
from semblance.learn.noise import noise_of
from semblance.learn.objectives.rbm import Boltzmann, Contrast, ascend, dream
from semblance.learn.rules import Plain
from semblance.learn.trainer import TrainPlan, train_loop

SIZES, HIDDEN = np.array([2, 3, 1]), 2
STATES = torch.tensor(list(itertools.product(range(2), range(3), range(1))))
UNITS = torch.tensor(list(itertools.product(range(2), repeat=HIDDEN)), dtype=torch.float64)


def machine(seed: int = 0, scale: float = 1.5) -> Boltzmann:
    """A machine small enough to enumerate."""
    made = Boltzmann(SIZES, hidden=HIDDEN).double()
    rng = stream(seed, "machine")
    with torch.no_grad():
        for weight in made.parameters():
            weight.copy_(torch.from_numpy(rng.normal(0, scale, weight.shape)))
    return made


def joint(made: Boltzmann) -> torch.Tensor:
    """(states, units) exp(-E) by the definition of the energy, with one-hot vectors written out."""
    hot = torch.zeros(len(STATES), int(SIZES.sum()), dtype=torch.float64)
    for row, state in enumerate(STATES):
        for j, value in enumerate(state):
            hot[row, int(SIZES[:j].sum()) + int(value)] = 1
    energy = -(hot @ made.visible_bias)[:, None] - (UNITS @ made.hidden_bias)[None] - hot @ made.weight @ UNITS.T
    return torch.exp(-energy)


def shares(codes: torch.Tensor) -> np.ndarray:
    return np.bincount((codes[:, 0] * 3 + codes[:, 1]).numpy(), minlength=6) / len(codes)


class Records:
    def __init__(self, codes: np.ndarray) -> None:
        self.codes, self.subjects = torch.from_numpy(codes), np.arange(len(codes))

    def batch(self, index: np.ndarray) -> torch.Tensor:
        return self.codes[torch.from_numpy(index)]


def test_free_energy_is_the_sum_over_all_hidden_states() -> None:
    made = machine()
    assert torch.allclose(made.free_energy(STATES), -torch.log(joint(made).sum(1)))


def test_gibbs_sampling_ends_in_the_distribution_of_the_machine() -> None:
    made = machine()
    exact = joint(made).sum(1) / joint(made).sum()
    begun = torch.zeros(20_000, 3, dtype=torch.int64)
    drawn = made.gibbs(begun, noise_of(stream(0, "gibbs")), steps=40)
    assert np.abs(shares(drawn) - exact.detach().numpy()).max() < 0.015


def test_hidden_units_follow_their_conditional() -> None:
    made = machine()
    given = STATES[4].expand(20_000, -1)
    weights = joint(made)[4].detach()
    exact = (weights[:, None] * UNITS).sum(0) / weights.sum()
    drawn = made.up(given, noise_of(stream(0, "up"))).double().mean(0)
    assert torch.allclose(drawn, exact, atol=0.015)


def test_extreme_weights_stay_numbers() -> None:
    made = machine(scale=400)
    drawn = made.gibbs(STATES, noise_of(stream(0, "extreme")), steps=5)
    assert ((drawn >= 0) & (drawn < torch.from_numpy(SIZES))).all()


def test_the_gradient_is_that_of_the_likelihood_where_the_chains_are_the_model() -> None:
    made, data = machine(), STATES[[0, 0, 1, 5]]
    exact = -(torch.log(joint(made).sum(1))[[0, 0, 1, 5]] - torch.log(joint(made).sum())).mean()
    wanted = torch.autograd.grad(exact, list(made.parameters()))
    begun = made.gibbs(torch.zeros(40_000, 3, dtype=torch.int64), noise_of(stream(0, "begin")), steps=40)
    objective = Contrast(made, begun, steps=1, persistent=True)
    (turn,) = objective.turns
    losses = turn.loss(data, noise_of(stream(0, "noise")))
    assert losses.shape == (4,)
    for found, gradient in zip(torch.autograd.grad(losses.mean(), list(made.parameters())), wanted, strict=True):
        assert torch.allclose(found, gradient, atol=0.02)


@pytest.mark.parametrize("persistent", [True, False])
def test_a_rule_between_columns_is_learned(persistent: bool) -> None:
    rng = stream(0, "rule")
    first = (rng.random(2000) < 0.3).astype(np.int64)
    codes = np.column_stack([first, first * 2, np.zeros(2000, dtype=np.int64)])
    made = Boltzmann(SIZES, hidden=8)
    made.start(np.log([0.7, 0.3, 0.7, 1e-3, 0.3, 1.0]), rng=rng)
    begun = torch.from_numpy(np.column_stack([rng.integers(0, size, 128) for size in SIZES]))
    objective = Contrast(made, begun, steps=1, persistent=persistent)
    plan = TrainPlan(300, batch=128, rate=0.03, weight_decay=0.01)
    for _ in train_loop(objective, Records(codes), Plain(), plan, rng=rng):
        pass
    noise = noise_of(rng)
    drawn = made.gibbs(begun.repeat(16, 1), noise, steps=50)
    assert abs(shares(drawn)[5] - 0.3) < 0.15
    assert shares(drawn)[0] + shares(drawn)[5] > 0.9


def test_a_stack_is_read_up_and_down() -> None:
    low, top = machine(), Boltzmann(np.array([2, 2]), hidden=3).double()
    noise = noise_of(stream(0, "stack"))
    assert ascend((low,), STATES, noise).shape == (6, HIDDEN)
    drawn = dream((low, top), STATES.repeat(3000, 1), noise, steps=3)
    # The top has no weights, so the states below are fair coins, and the columns follow the first machine alone.
    columns = joint(low) / joint(low).sum(0)
    assert np.abs(shares(drawn) - columns.mean(1).detach().numpy()).max() < 0.015


def test_chains_go_on_after_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", -1.0)

    def trained(stops: tuple[int, ...], file: Path) -> Boltzmann:
        for stop in stops:
            rng = stream(3, "resume")
            made = Boltzmann(SIZES, hidden=HIDDEN)
            made.start(np.zeros(6), rng=rng)
            objective = Contrast(made, torch.zeros(16, 3, dtype=torch.int64), steps=1, persistent=True)
            data = Records(STATES.numpy().repeat(20, axis=0))
            for tick in train_loop(objective, data, Plain(), TrainPlan(20, batch=16), rng=rng, resume=file):
                if tick.step == stop:
                    break
        return made

    whole, resumed = trained((20,), tmp_path / "a"), trained((10, 20), tmp_path / "b")
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))
