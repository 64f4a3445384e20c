from __future__ import annotations

import numpy as np

from semblance.core.rng import stream
from semblance.modalities.signal.generators.diffusion import Diffusion
from semblance.modalities.signal.pieces import Cut, pieces
from tests.modalities.signal.simulated import recordings


def test_trained_for_a_little_while_its_recordings_are_those_of_hearts():
    whole = recordings(60, 1)
    spec = Diffusion(components=32, width=96, blocks=2)
    plan = {**spec.plan(whole, rng=stream(0, "plan"), time_budget=0.5), "steps": 300, "look": 300}
    model = spec.fit(whole, rng=stream(0, "fit"), plan=plan)
    made = Cut.of(whole).pieces(next(iter(model.sample(30, rng=stream(0, "sample")))))
    real = pieces(whole, whole)
    for kind in ("N", "V"):
        usual, drawn = (part.take(part.labels == kind).waves for part in (real, made))
        assert np.corrcoef(usual.mean(0).ravel(), drawn.mean(0).ravel())[0, 1] > 0.95
