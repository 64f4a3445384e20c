from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.image.generators.paired_flow import PairedFlow
from tests.modalities.image.tissue import paired

PLAN = {"steps": 40, "batch": 8, "rate": 4e-3, "look": 20, "ema": 0.95}
SMALL = PairedFlow(channels=8, side=8)


@pytest.mark.parametrize("shape", [(16, 16), (8, 9, 10)])
def test_a_contrast_is_made_from_another(shape):
    train, fresh = paired(60, 1, shape), paired(20, 2, shape)
    model = SMALL.fit(train, rng=stream(0, "fit"), plan=PLAN)
    pixels = fresh.pixels.copy()
    pixels[:, 1] = np.nan
    made = model.impute(replace(fresh, pixels=pixels), rng=stream(0, "complete"))
    assert (made.pixels[:, 0] == fresh.pixels[:, 0]).all()
    assert np.abs(made.pixels[:, 1] - fresh.pixels[:, 1]).mean() < 8
    (drawn,) = model.sample(20, rng=stream(0, "sample"))
    assert np.corrcoef(drawn.pixels[:, 0].ravel(), drawn.pixels[:, 1].ravel())[0, 1] < -0.9
