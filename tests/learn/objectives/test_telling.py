"""A network that tells two kinds of sequences apart."""

from __future__ import annotations

import numpy as np
import torch

from semblance.core.rng import stream
from semblance.learn.objectives.telling import Recurrent, Telling, told_apart
from semblance.learn.trainer import TrainPlan

PLAN = TrainPlan(steps=60, batch=32, rate=1e-2, weight_decay=0.01, warmup=5)


def sequences(n, sign, seed):
    rng = stream(seed, "s")
    return (sign * np.linspace(-1, 1, 8)[:, None] + rng.normal(0, 0.5, (n, 8, 2))).astype(np.float32)


def learned(seed=0):
    x = np.concatenate([sequences(60, 1, 1), sequences(60, -1, 2)])
    test = np.concatenate([sequences(40, 1, 3), sequences(40, -1, 4)])
    return told_apart(x, np.repeat([True, False], 60), test, plan=PLAN, rng=stream(seed, "t"))


def test_rising_and_falling_sequences_are_told_apart_and_again_alike():
    scores = learned()
    assert (scores[:40] > 0).mean() > 0.9
    assert (scores[40:] < 0).mean() > 0.9
    assert np.array_equal(scores, learned())


def test_the_global_generator_is_not_touched():
    before = torch.get_rng_state()
    net = Recurrent(2)
    net.start(rng=stream(0, "n"))
    assert torch.equal(before, torch.get_rng_state())


def test_the_loss_is_one_number_per_record():
    net = Recurrent(2)
    net.start(rng=stream(0, "n"))
    records = torch.zeros(5, 1 + 16)
    records[:2, 0] = 1
    loss = Telling(net, 2).loss(records, torch.Generator())
    assert loss.shape == (5,)
    score = net(torch.zeros(1, 8, 2))[0]
    expected = torch.nn.functional.softplus(torch.stack([-score, score]))
    assert torch.allclose(loss[[0, 4]], expected)
