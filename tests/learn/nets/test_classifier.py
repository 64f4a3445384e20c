from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.learn.nets.classifier import describer
from semblance.learn.trainer import TrainPlan

PLAN = TrainPlan(steps=60, batch=32, rate=3e-3, weight_decay=0.0, ema=0.9, look=10**9, warmup=0)


@pytest.mark.parametrize("shape", [(1, 10, 10), (2, 8, 8, 8)])
def test_what_describes_images_has_learned_what_tells_classes_apart(shape):
    rng = stream(0, "x")
    classes = rng.integers(0, 2, 200)
    x = rng.standard_normal((200, *shape))
    x[classes == 1, :, 2:5, 2:5] += 2
    rows = x.reshape(200, -1).astype(np.float32)
    described = describer(rows, classes, shape, width=8, plan=PLAN, rng=stream(0, "learn"))
    again = describer(rows, classes, shape, width=8, plan=PLAN, rng=stream(0, "learn"))
    told = described(rows)
    assert told.shape == (200, 8) and np.array_equal(told, again(rows))
    gap = np.abs(told[classes == 1].mean(0) - told[classes == 0].mean(0)) / (told.std(0) + 1e-9)
    assert gap.max() > 1.2
