import time

import pytest

from semblance.core.rng import stream
from semblance.learn.pace import steps_within, within_epochs
from semblance.learn.trainer import TrainPlan
from tests.learn.test_trainer import Points, Squares


class Slow(Squares):
    """Ten milliseconds a step, by a clock of its own: what else this machine does says nothing."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def loss(self, batch, noise):  # type: ignore[no-untyped-def]
        self.now += 0.01
        return super().loss(batch, noise)


def test_a_budget_becomes_as_many_steps_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow()
    monkeypatch.setattr("semblance.learn.pace.time", slow)
    steps = steps_within(slow, Points(), TrainPlan(steps=0), rng=stream(0), begun=0.0, budget=4.0)
    assert 350 <= steps <= 400


@pytest.mark.parametrize("budget", [1e-9, 0.01])
def test_a_tiny_budget_still_gives_a_few_steps(budget: float) -> None:
    spent = steps_within(Squares(), Points(), TrainPlan(steps=0), rng=stream(0), begun=time.monotonic(), budget=budget)
    assert spent >= 20


@pytest.mark.parametrize(
    ("steps", "records", "wanted"),
    [(5000, 25_600, 300), (100, 25_600, 100), (5000, 256, 50), (1, 0, 20), (5000, 3, 50)],
)
def test_steps_are_bounded_by_passes_over_the_data(steps: int, records: int, wanted: int) -> None:
    assert within_epochs(steps, epochs=3, records=records, batch=256, fewest=50) == wanted
