from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from semblance.core.model import Tick
from semblance.core.rng import stream
from semblance.learn import network, trainer
from semblance.learn.drawn import Fitting, Learned
from semblance.learn.network import Network, Phase, at_once
from semblance.learn.trainer import TrainPlan, Turn

PLAN = TrainPlan(steps=10, batch=4, look=10**6, warmup=0)


class Two(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1))


class Part:
    """One of two numbers, drawn towards 1."""

    def __init__(self, net: Two, parameter: torch.nn.Parameter) -> None:
        self.net = net
        self.turns = (Turn("records", lambda rows, noise: (parameter - 1).square().expand(len(rows)), (parameter,)),)

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        return None


class Both(Part):
    def __init__(self) -> None:
        net = Two()
        super().__init__(net, net.second)
        self.phases = (Phase(Part(net, net.first), 0.4), Phase(self, 0.6))

    def start(self, batch: np.ndarray, *, rng: np.random.Generator) -> None:
        pass

    def sample(self, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        return np.zeros((len(labels), 1), dtype=np.float32)


NETWORK = Network(lambda parts, aside: Both(), 0.0, phases=lambda objective: objective.phases)
LEARNED = Learned(np.zeros((8, 1), np.float32), np.zeros(8, int), np.zeros((8, 0), np.float32), np.arange(8), 1)


def fitting(watch=None, resume=None) -> Fitting:
    return Fitting(stream(0, "fit"), PLAN.to_json(), watch, resume)


def test_phases_come_one_after_the_other_and_their_steps_are_counted_through():
    ticks: list[Tick] = []
    made = NETWORK.learn(LEARNED, fitting(ticks.append))
    assert [(tick.step, tick.steps) for tick in ticks] == [(i, 10) for i in range(1, 11)]
    assert [tick.loss == 1 for tick in ticks] == [i in (0, 4) for i in range(10)]
    assert all(weight > 0 for weight in made.arrays().values())


@pytest.mark.parametrize("at", [2, 7])
def test_a_training_resumed_in_any_phase_ends_in_the_same_bytes(at, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", -1.0)

    def stop(tick: Tick) -> None:
        if tick.step == at:
            raise InterruptedError

    whole = NETWORK.learn(LEARNED, fitting())
    with pytest.raises(InterruptedError):
        NETWORK.learn(LEARNED, fitting(stop, tmp_path))
    again = NETWORK.learn(LEARNED, fitting(resume=tmp_path))
    assert {k: v.tolist() for k, v in whole.arrays().items()} == {k: v.tolist() for k, v in again.arrays().items()}


def test_only_what_draws_is_saved():
    def made() -> Both:
        both: Any = Both()
        both.maker = torch.nn.ParameterDict({"kept": both.net.second})
        return both

    some = replace(NETWORK, build=lambda parts, aside: made())
    assert set(some.learn(LEARNED, fitting()).arrays()) == {"kept"}


def test_the_steps_of_a_budget_are_those_of_all_phases_together(monkeypatch):
    """A third of a step of one thousand and two thirds of one of two hundred in the same time."""
    alone = iter((1000, 200, 777))
    monkeypatch.setattr(network, "steps_within", lambda *told, **more: next(alone))
    dear = replace(NETWORK, phases=lambda objective: tuple(Phase(objective, share) for share in (1 / 3, 2 / 3)))
    budget = {"epochs": 10**6, "budget": 1.0, "begun": 0.0, "seed": 0}
    assert dear.plan(LEARNED, PLAN, **budget)["steps"] == round(1 / (1 / 3000 + 2 / 600))
    assert replace(NETWORK, phases=at_once).plan(LEARNED, PLAN, **budget)["steps"] == 777


def test_fewer_steps_than_phases_are_the_steps_that_were_planned():
    """The last phase once was asked for a step less than none."""
    ticks: list[Tick] = []
    NETWORK.learn(LEARNED, Fitting(stream(0, "fit"), replace(PLAN, steps=1).to_json(), ticks.append, None))
    assert [tick.step for tick in ticks] == [1]


def test_the_pace_is_tried_on_some_records_and_seeing_all_others_is_counted(monkeypatch):
    seen: list[int] = []
    budgets: list[float] = []

    def see(records):
        seen.append(len(records))
        time.sleep(0.01)
        return records

    def steps(*told, budget, **more):
        budgets.append(budget)
        return 100

    monkeypatch.setattr(network, "steps_within", steps)
    dear = replace(NETWORK, phases=lambda objective: (Phase(objective, 1.0, see=see),))
    n = 4 * network.PROBED
    many = Learned(np.zeros((n, 1), np.float32), np.zeros(n, int), np.zeros((n, 0), np.float32), np.arange(n), 1)
    dear.plan(many, PLAN, epochs=100, budget=60, begun=0.0, seed=0)
    assert seen == [network.PROBED] and 59.0 < budgets[0] < 60 - 0.02
