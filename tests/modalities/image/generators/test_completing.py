from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.app.face import Fitted
from semblance.app.records import Data
from semblance.core.errors import UsageError
from semblance.core.modality import Profile
from semblance.core.rng import stream
from semblance.modalities.image import MANIFEST
from semblance.modalities.image.generators.diffusion import Diffusion
from tests.modalities.image.simulated import images
from tests.modalities.image.tissue import masked

PLAN = {"steps": 60, "batch": 32, "rate": 2e-3, "look": 20}


def learned(data):
    return Diffusion(channels=8, steps=6).fit(data, rng=stream(0, "fit"), plan=PLAN)


def test_a_hole_is_filled_as_its_surroundings_are():
    model, fresh = learned(images(120, 1)), images(12, 2)
    pixels = fresh.pixels.copy()
    pixels[:, :, 4:8, 4:8] = np.nan
    made = model.impute(replace(fresh, pixels=pixels), rng=stream(0, "complete"))
    known = np.isfinite(pixels)
    assert (made.pixels[known] == pixels[known]).all() and np.isfinite(made.pixels).all()
    inside = np.s_[:, :, 4:8, 4:8]
    usual = np.abs(images(120, 1).pixels.mean(0)[:, 4:8, 4:8] - fresh.pixels[inside]).mean()
    assert (
        np.abs(made.pixels[inside] - fresh.pixels[inside]).mean() < 1.5 * usual
    )  # a draw is farther off than the mean, by the root of 2
    assert made.pixels[inside].mean() > made.pixels[:, :, 0].mean() + 40


def test_a_lesion_is_put_where_a_new_mask_says():
    model, fresh = learned(masked(150, 1)), masked(10, 2)
    pixels = fresh.pixels.copy()
    pixels[:, 1] = 0
    pixels[:, 1, 6:11, 6:11] = 1
    pixels[:, 0, 5:12, 5:12] = np.nan
    made = model.impute(replace(fresh, pixels=pixels), rng=stream(0, "complete")).pixels
    assert (made[:, 1] == pixels[:, 1]).all() and (made[:, 0, :5] == pixels[:, 0, :5]).all()
    assert made[:, 0, 7:10, 7:10].mean() > images(150, 1).pixels.mean() + 40


def test_other_channels_and_sizes_are_refused():
    model = Diffusion(channels=4, steps=4).fit(masked(40, 1), rng=stream(0, "fit"), plan={**PLAN, "steps": 2})
    with pytest.raises(UsageError, match="as they were learned: 2x16x16"):
        model.impute(images(3, 0), rng=stream(0, "complete"))
    other = masked(3, 0)
    named = (replace(other.layout.channels[0], name="PET"), other.layout.channels[1])
    strange = replace(other, layout=replace(other.layout, channels=named))
    with pytest.raises(UsageError, match="other channels"):
        model.impute(strange, rng=stream(0, "complete"))


def test_images_and_data_are_completed_by_the_public_face():
    data = masked(40, 1)
    model = Diffusion(channels=4, steps=4).fit(data, rng=stream(0, "fit"), plan={**PLAN, "steps": 2})
    fitted = Fitted(model, MANIFEST, {})
    blank = data.take(np.arange(3)).without("image")
    one = fitted.complete(blank)
    other = fitted.complete(Data(blank, Profile(3, 3, ()), MANIFEST))
    assert np.isfinite(one.records.pixels).all() and (one.records.pixels == other.records.pixels).all()
