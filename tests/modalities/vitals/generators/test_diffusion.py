from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance.core.rng import stream
from semblance.modalities.vitals.generators.diffusion import Diffusion
from tests.modalities.vitals.simulated import stays


def test_a_plan_fits_its_budget_and_steps_are_learned():
    train, spec = stays(60, 0), replace(Diffusion(), factors=8, width=32, steps=4)
    plan = spec.plan(train, rng=stream(0, "plan"), time_budget=1)
    assert 20 <= plan["steps"] <= 1000
    ticks = []
    model = spec.fit(train, rng=stream(0, "fit"), plan={**plan, "steps": 30, "look": 10}, watch=ticks.append)
    assert ticks[-1].step == 30
    made = next(model.sample(50, rng=stream(0, "sample")))
    assert np.isfinite(made.value).all()
    assert set(made.frame["died"]) <= {"0", "1"}
