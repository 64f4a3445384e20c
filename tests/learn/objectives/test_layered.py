from __future__ import annotations

import numpy as np
import pytest

from semblance.core.model import Tick
from semblance.core.rng import stream
from semblance.learn import trainer
from semblance.learn.drawn import Fitting, Learned
from semblance.learn.nets.beside import Beside
from semblance.learn.nets.conditioned import Parts
from semblance.learn.network import Network
from semblance.learn.objectives.layered import Layered
from semblance.learn.trainer import TrainPlan

SHAPE, AREA = (1, 8, 8), 64
PLAN = TrainPlan(steps=12, batch=16, look=3)


def built(parts: Parts, aside) -> Layered:
    """Of 64 painted numbers, 64 given ones and a fact."""
    sizes = {"width": 8, "blocks": 1, "components": 0, "side": 8}
    first = Beside(Parts(AREA, parts.given - AREA, parts.classes), SHAPE, 0, **sizes)
    net = Beside(parts, SHAPE, 1, **sizes)
    return Layered(first, net, steps=6, aside=aside, looked=50, part=20)


NETWORK = Network(built, 0.1, phases=lambda objective: objective.phases)


def rows(n: int) -> Learned:
    """What is given is of the sign of a fact, and what is painted is twice that."""
    rng = stream(0, "rows")
    fact = rng.choice([-1.0, 1.0], (n, 1))
    given = fact + 0.2 * rng.standard_normal((n, AREA))
    told = np.float32(np.concatenate([given, fact], 1))
    return Learned(np.float32(2 * given), np.zeros(n, int), told, np.arange(n), 1)


def fitting(watch=None, resume=None) -> Fitting:
    return Fitting(stream(0, "fit"), PLAN.to_json(), watch, resume)


@pytest.mark.parametrize("at", [4, 9])
def test_a_training_resumed_in_either_part_ends_in_the_same_bytes(at, tmp_path, monkeypatch):
    def stop(tick: Tick) -> None:
        if tick.step == at:
            raise InterruptedError

    data = rows(100)
    whole = NETWORK.learn(data, fitting()).arrays()
    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", -1.0)
    with pytest.raises(InterruptedError):
        NETWORK.learn(data, fitting(stop, tmp_path))
    again = NETWORK.learn(data, fitting(resume=tmp_path)).arrays()
    assert whole.keys() == again.keys() and all((weight == again[name]).all() for name, weight in whole.items())
    assert {name.split(".")[0] for name in whole} == {"first", "painter"}
