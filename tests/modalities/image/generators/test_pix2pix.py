from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.image.data import concat
from semblance.modalities.image.generators.pix2pix import Pix2Pix
from tests.modalities.image.tissue import masked, paired

PLAN = {"steps": 40, "batch": 8, "rate": 2e-3, "look": 20, "beta1": 0.5}
SMALL = Pix2Pix(channels=8, side=8)


@pytest.mark.parametrize("shape", [(16, 16), (8, 9, 10)])
def test_a_contrast_is_made_from_another(shape):
    model = SMALL.fit(paired(60, 1, shape), rng=stream(0, "fit"), plan=PLAN)
    fresh = paired(20, 2, shape)
    pixels = fresh.pixels.copy()
    pixels[:, 1] = np.nan
    made = model.impute(replace(fresh, pixels=pixels), rng=stream(0, "complete"))
    assert (made.pixels[:, 0] == fresh.pixels[:, 0]).all()
    assert np.abs(made.pixels[:, 1] - fresh.pixels[:, 1]).mean() < 8
    again = model.impute(replace(fresh, pixels=pixels), rng=stream(1, "complete"))
    assert (again.pixels == made.pixels).all()
    (drawn,) = model.sample(20, rng=stream(0, "sample"))
    assert np.corrcoef(drawn.pixels[:, 0].ravel(), drawn.pixels[:, 1].ravel())[0, 1] < -0.9


def test_a_mask_is_painted_where_nothing_else_is_given():
    data = masked(60, 1)
    made = concat(list(SMALL.fit(data, rng=stream(0, "fit"), plan=PLAN).sample(20, rng=stream(0, "sample"))))
    inside = made.pixels[:, 1] == 1
    assert made.pixels[:, 0][inside].mean() > made.pixels[:, 0][~inside].mean() + 40
