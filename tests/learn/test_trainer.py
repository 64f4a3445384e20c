from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semblance.core.errors import DataError
from semblance.core.rng import stream
from semblance.learn.rows import batch_at
from semblance.learn.rules import Plain
from semblance.learn.trainer import TrainPlan, Turn, train_loop, train_to_end


class Points:
    subjects = np.arange(64)
    values = torch.from_numpy(stream(0).normal(size=(64, 3)).astype(np.float32))

    def batch(self, index: np.ndarray) -> torch.Tensor:
        return self.values[torch.from_numpy(index)]


class Squares:
    """Predict the last coordinate from noisy others: a loss that draws noise, and a held-out loss."""

    def __init__(self) -> None:
        self.net = torch.nn.Linear(2, 1)
        with torch.no_grad():
            for p in self.net.parameters():
                p.zero_()

    @property
    def turns(self) -> tuple[Turn, ...]:
        return (Turn("squares", self.loss, tuple(self.net.parameters())),)

    def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        x = batch[:, :2] + 0.01 * torch.randn(batch[:, :2].shape, generator=noise)
        return (self.net(x)[:, 0] - batch[:, 2]) ** 2

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        x = Points.values[:, :2]
        return float((((x @ weights["weight"].T)[:, 0] + weights["bias"] - Points.values[:, 2]) ** 2).mean())


PLAN = TrainPlan(steps=20, batch=16, look=4)


def weights(objective: Squares) -> list[bytes]:
    return [v.numpy().tobytes() for v in objective.net.state_dict().values()]


@pytest.mark.parametrize("plan", [PLAN, replace(PLAN, averages=(0.05, 0.2))], ids=["one average", "three"])
def test_twenty_steps_equal_ten_a_checkpoint_and_ten_more(
    plan: TrainPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, first, second = Squares(), Squares(), Squares()
    for _ in train_loop(whole, Points(), Plain(), plan, rng=stream(1)):
        pass
    monkeypatch.setattr("semblance.learn.trainer.CHECKPOINT_SECONDS", -1.0)
    for tick in train_loop(first, Points(), Plain(), plan, rng=stream(1), resume=tmp_path / "c"):
        if tick.step == 10:
            break
    ticks = list(train_loop(second, Points(), Plain(), plan, rng=stream(1), resume=tmp_path / "c"))
    assert ticks[0].step == 11
    assert weights(whole) == weights(second)


def test_the_same_seed_gives_the_same_weights_and_another_does_not() -> None:
    runs = [Squares() for _ in range(3)]
    for run, seed in zip(runs, (1, 1, 2), strict=True):
        list(train_loop(run, Points(), Plain(), PLAN, rng=stream(seed)))
    assert weights(runs[0]) == weights(runs[1]) != weights(runs[2])


def test_the_global_generator_is_left_alone() -> None:
    objective, before = Squares(), torch.get_rng_state()
    list(train_loop(objective, Points(), Plain(), PLAN, rng=stream(1)))
    assert torch.equal(before, torch.get_rng_state())


def test_training_stops_after_patience_looks_without_gain_and_keeps_the_best() -> None:
    class Worse(Squares):
        looks = 0

        def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
            self.looks += 1
            return float(self.looks)

    objective = Worse()
    plan = TrainPlan(steps=100, batch=16, look=5, patience=3)
    ticks = list(train_loop(objective, Points(), Plain(), plan, rng=stream(1)))
    assert ticks[-1].step == 20


def test_the_width_of_an_average_is_the_share_of_the_steps_that_it_says() -> None:
    steps, widths = 2000, (0.02, 0.05, 0.1, 0.25)
    weights = np.zeros((len(widths), steps))
    for step in range(1, steps + 1):
        for i, kept in enumerate(TrainPlan(steps=steps, averages=widths).decays_at(step)[1:]):
            weights[i] *= kept
            weights[i, step - 1] = 1 - kept
    places = np.arange(1, steps + 1) / steps
    mean = weights @ places
    assert weights.sum(1) == pytest.approx(1)
    assert np.sqrt(weights @ places**2 - mean**2) == pytest.approx(widths, rel=0.02)


def test_the_average_that_is_best_at_a_look_is_kept_and_without_a_look_the_first() -> None:
    class Far(Squares):
        """Its best average is the one that moved least."""

        def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
            return float(weights["weight"].abs().sum())

    class Blind(Squares):
        def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
            return None

    def trained(objective: Squares, **options: Any) -> list[bytes]:
        list(train_loop(objective, Points(), Plain(), replace(PLAN, look=20, **options), rng=stream(1)))
        return weights(objective)

    assert trained(Far(), averages=(0.02, 0.25)) != trained(Far(), averages=(0.02,)) == trained(Far())
    assert trained(Blind(), averages=(0.02, 0.25)) == trained(Blind())


def test_training_lowers_the_loss() -> None:
    ticks = list(train_loop(Squares(), Points(), Plain(), TrainPlan(steps=300, batch=16, look=50), rng=stream(1)))
    looks = [tick.held_out for tick in ticks if tick.held_out is not None]
    assert looks[-1] < looks[0]


def test_an_epoch_sees_every_record_once() -> None:
    seen = np.concatenate([batch_at(64, 16, step, 3) for step in range(4)])
    assert sorted(seen.tolist()) == list(range(64))
    assert len(batch_at(5, 16, 0, 3)) == 5


def test_the_rate_warms_up_and_ends_at_zero() -> None:
    plan = TrainPlan(steps=1000)
    assert plan.rate_at(0) < plan.rate_at(99) > plan.rate_at(999)
    assert plan.rate_at(1000) == pytest.approx(0, abs=1e-9)


class Duel:
    """Two numbers: one follows the data, the other follows the first; two turns of the first for one of the second."""

    def __init__(self) -> None:
        self.net = torch.nn.ParameterDict({"first": torch.zeros(1), "second": torch.zeros(1)})
        self.batches: list[bytes] = []

    @property
    def turns(self) -> tuple[Turn, ...]:
        first = Turn("first", self._first, (self.net["first"],))
        return first, first, Turn("second", self._second, (self.net["second"],))

    def _first(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        self.batches.append(batch.numpy().tobytes())
        return (self.net["first"] - batch[:, 0]) ** 2

    def _second(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        return (self.net["second"] - self.net["first"].detach()).expand(len(batch)) ** 2

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        return None


def test_each_turn_has_its_own_batch_and_moves_its_own_parameters() -> None:
    duel = Duel()
    list(train_loop(duel, Points(), Plain(), TrainPlan(steps=60, batch=16, weight_decay=0.0, rate=0.05), rng=stream(0)))
    assert len(set(duel.batches)) == 120
    mean = float(Points.values[:, 0].mean())
    assert abs(float(duel.net["first"].detach()) - mean) < 0.15
    assert abs(float(duel.net["second"].detach()) - float(duel.net["first"].detach())) < 0.15


def test_turns_resume_bit_for_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, first, second = Duel(), Duel(), Duel()
    list(train_loop(whole, Points(), Plain(), PLAN, rng=stream(1)))
    monkeypatch.setattr("semblance.learn.trainer.CHECKPOINT_SECONDS", -1.0)
    for tick in train_loop(first, Points(), Plain(), PLAN, rng=stream(1), resume=tmp_path / "c"):
        if tick.step == 7:
            break
    list(train_loop(second, Points(), Plain(), PLAN, rng=stream(1), resume=tmp_path / "c"))
    assert all(torch.equal(whole.net[k], second.net[k]) for k in ("first", "second"))


def test_a_diverged_training_is_refused() -> None:
    class Lost(Squares):
        def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
            return super().loss(batch, noise) * float("nan")

    with pytest.raises(DataError, match="diverged"):
        list(train_loop(Lost(), Points(), Plain(), PLAN, rng=stream(1)))


def test_a_rate_that_is_not_annealed_stays() -> None:
    plan = TrainPlan(steps=100, anneal=False, warmup=10)
    assert plan.rate_at(50) == plan.rate_at(99) == plan.rate


def test_a_step_computes_with_the_threads_of_its_plan_and_leaves_the_callers_alone() -> None:
    class Counting(Squares):
        seen: int = 0

        def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
            Counting.seen = torch.get_num_threads()
            return super().loss(batch, noise)

    before = torch.get_num_threads()
    for _ in train_loop(Counting(), Points(), Plain(), TrainPlan(steps=2, batch=16), rng=stream(0)):
        assert torch.get_num_threads() == before
    assert Counting.seen == 1


def test_training_to_the_end_is_the_loop_and_tells_every_step() -> None:
    loop, whole, ticks = Squares(), Squares(), list[int]()
    list(train_loop(loop, Points(), Plain(), PLAN, rng=stream(1)))
    train_to_end(whole, Points(), PLAN, rng=stream(1), watch=lambda tick: ticks.append(tick.step))
    assert weights(loop) == weights(whole)
    assert ticks == list(range(1, PLAN.steps + 1))
