from __future__ import annotations

import numpy as np
import torch

from semblance.core.rng import stream
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.translate import Patches, Translation
from semblance.learn.objectives.paired import Pix2Pix
from semblance.learn.rows import Rows
from semblance.learn.trainer import TrainPlan, train_to_end

PARTS = Parts(64, 64, 1)


def objective(aside=None) -> Pix2Pix:
    net, critic = Translation(PARTS, (1, 8, 8), 1, width=8, side=8), Patches((2, 8, 8), width=4, layers=2)
    return Pix2Pix(net, critic, PARTS, near=100.0, aside=aside)


def pairs(n: int) -> np.ndarray:
    """A target that is no linear function of its source."""
    x = stream(n, "x").normal(size=(n, 64))
    return np.column_stack([np.abs(x) - 0.8, x, np.zeros(n)]).astype(np.float32)


def test_what_no_line_tells_is_learned_and_the_rest_is_kept():
    rows, fresh = pairs(200), pairs(50)
    made = objective()
    made.start(rows, rng=stream(0, "start"))
    before = np.abs(made.sample(fresh[:, 64:128], np.zeros(50), rng=stream(0, "s")) - fresh[:, :64]).mean()
    plan = TrainPlan(steps=150, batch=16, rate=3e-3, weight_decay=0.0, beta1=0.5, ema=0.9)
    train_to_end(made, Rows(rows, np.arange(200)), plan, rng=stream(0, "train"))
    after = np.abs(made.sample(fresh[:, 64:128], np.zeros(50), rng=stream(0, "s")) - fresh[:, :64]).mean()
    assert after < 0.6 * before
    holed = fresh[:, :64].copy()
    holed[:, :5] = np.nan
    whole = made.complete(holed, fresh[:, 64:128], np.zeros(50), rng=stream(0, "s"))
    assert (whole[:, 5:] == fresh[:, 5:64]).all() and np.isfinite(whole).all()


def test_the_judge_is_the_distance_of_those_kept_aside():
    made = objective(torch.from_numpy(pairs(9)))
    made.start(pairs(9), rng=stream(0, "start"))
    gap = np.abs(made.sample(pairs(9)[:, 64:128], np.zeros(9), rng=stream(0, "s")) - pairs(9)[:, :64]).mean()
    assert abs(made.held_out(made.net.state_dict()) - gap) < 1e-5
