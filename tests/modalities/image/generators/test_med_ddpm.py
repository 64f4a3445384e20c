from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.core.rng import stream
from semblance.modalities.image.data import concat
from semblance.modalities.image.generators.med_ddpm import MedDdpm
from tests.modalities.image.simulated import images
from tests.modalities.image.tissue import masked

PLAN = {"steps": 60, "batch": 32, "rate": 4e-3, "look": 20}
SMALL = MedDdpm(channels=8, steps=6, side=8)


@pytest.mark.parametrize("shape", [(16, 16), (8, 9, 10)])
def test_a_mask_is_painted_in_planes_and_volumes(shape):
    data = masked(60, 1, shape)
    model = SMALL.fit(data, rng=stream(0, "fit"), plan=PLAN)
    fresh = masked(12, 2, shape)
    blank = fresh.pixels.copy()
    blank[:, 0] = np.nan
    made = model.impute(replace(fresh, pixels=blank), rng=stream(0, "complete"))
    inside = fresh.pixels[:, 1] == 1
    assert (made.pixels[:, 1] == fresh.pixels[:, 1]).all()
    assert made.pixels[:, 0][inside].mean() > made.pixels[:, 0][~inside].mean() + 25


def test_masks_of_a_sample_are_new_ones():
    data = masked(120, 1)
    model = SMALL.fit(data, rng=stream(0, "fit"), plan={**PLAN, "steps": 300})
    made = concat(list(model.sample(60, rng=stream(0, "sample"))))
    known = {one.tobytes() for one in data.pixels[:, 1] if one.any()}
    drawn = [one for one in made.pixels[:, 1] if one.any()]
    assert len(drawn) > 30 and not any(one.tobytes() in known for one in drawn)


def test_new_masks_are_smooth_as_real_ones_are():
    """Mixtures of whole masks, lifted to their sizes, came out as specks."""
    data = masked(300, 1)
    model = MedDdpm(channels=16, steps=8).fit(data, rng=stream(0, "fit"), plan={**PLAN, "steps": 300})
    drawn = concat(list(model.sample(100, rng=stream(0, "sample")))).pixels[:, 1]
    real = data.pixels[:, 1]
    assert abs(drawn.mean() - real.mean()) < 0.05
    assert np.diff(drawn, axis=2).astype(bool).mean() < 1.3 * np.diff(real, axis=2).astype(bool).mean()


def test_images_without_a_mask_are_refused():
    with pytest.raises(DataError, match="without a mask"):
        SMALL.fit(images(20, 1), rng=stream(0, "fit"), plan=PLAN)


def test_a_network_of_one_place_has_masks_of_one():
    """Half of it once was none, which nothing can be divided by."""
    model = MedDdpm(channels=8, steps=2, side=1).fit(masked(20, 1), rng=stream(0, "fit"), plan={"steps": 4, "batch": 8})
    assert concat(list(model.sample(2, rng=stream(0, "sample")))).pixels.shape == (2, 2, 16, 16)
