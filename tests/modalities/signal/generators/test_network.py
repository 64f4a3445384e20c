from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.learn.drawn import Fitting, Learned
from semblance.learn.network import _often
from semblance.learn.trainer import TrainPlan
from semblance.modalities.signal.generators.diffusion import Diffusion
from tests.modalities.signal.simulated import recordings

SMALL = Diffusion(width=64, blocks=2, steps=12)


def two_kinds(n: int = 4000) -> Learned:
    rng = stream(0, "kinds")
    labels, given = (np.arange(n) % 10 == 0).astype(int), rng.normal(0, 1, (n, 1)).astype(np.float32)
    numbers = np.where(labels, 1.0, -1.0)[:, None] + 0.7 * given + rng.normal(0, 0.3, (n, 3))
    return Learned(numbers.astype(np.float32), labels, given, np.arange(n), 2)


def test_a_trained_network_draws_what_it_is_given():
    plan = replace(SMALL.base, steps=400, batch=128, look=400).to_json()
    made = SMALL.learn(two_kinds(), Fitting(stream(1, "fit"), plan, None, None))
    labels, given = np.repeat([0, 1], 1500), np.tile(np.linspace(-1, 1, 1500), 2)[:, None].astype(np.float32)
    drawn = made.draw(labels, given, rng=stream(2, "draw"))
    apart = drawn[labels == 1].mean(0) - drawn[labels == 0].mean(0)
    assert apart == pytest.approx(np.full(3, 2.0), abs=0.25)
    assert np.polyfit(given[:1500, 0], drawn[:1500, 0], 1)[0] == pytest.approx(0.7, abs=0.15)


def test_rare_kinds_are_learned_oftener_than_they_come():
    labels = np.repeat([0, 1, 2], [900, 100, 1])
    often = np.bincount(labels[_often(labels)])
    assert often.tolist() == [900, 300, 30]


def test_a_resumed_training_ends_in_the_same_bytes(tmp_path):
    learned, plan = two_kinds(500), replace(SMALL.base, steps=30, batch=64, look=30).to_json()
    whole = SMALL.learn(learned, Fitting(stream(1, "fit"), plan, None, None))

    class Stopped(Exception):
        pass

    def stop(tick) -> None:
        if tick.step == 20:
            raise Stopped

    import semblance.learn.trainer as trainer

    before, trainer.CHECKPOINT_SECONDS = trainer.CHECKPOINT_SECONDS, -1.0
    try:
        with pytest.raises(Stopped):
            SMALL.learn(learned, Fitting(stream(1, "fit"), plan, stop, tmp_path))
        again = SMALL.learn(learned, Fitting(stream(1, "fit"), plan, None, tmp_path))
    finally:
        trainer.CHECKPOINT_SECONDS = before
    for name, weight in whole.arrays().items():
        assert np.array_equal(weight, again.arrays()[name]), name


def test_seconds_become_steps():
    plan = TrainPlan(**SMALL.plan(recordings(12, 1), rng=stream(0, "plan"), time_budget=0.5))
    assert plan.steps >= 20
    assert plan.batch == SMALL.base.batch
