from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import UsageError
from semblance.core.rng import stream
from semblance.modalities.image.encode import Encoding
from semblance.modalities.image.generators.med_ddpm import MedDdpm
from semblance.modalities.image.generators.translator import Sides, Translator, given_of
from tests.modalities.image.tissue import masked, paired

PLAN = {"steps": 4, "batch": 32, "rate": 3e-3, "look": 20}


def test_planes_are_parted_and_joined():
    encoding, learned = Encoding.fit(masked(30, 1), rare=5)
    sides = Sides.of(encoding)
    assert (sides.source, sides.target) == ((1,), (0,))
    assert (sides.join(*sides.split(learned.coefficients)) == learned.coefficients).all()
    assert given_of(paired(5, 1).layout) == ("T1",) and given_of(masked(5, 1).layout) == ("lesion",)


def test_what_is_given_is_known_whole_or_not_at_all():
    data = masked(60, 1)
    model = MedDdpm(channels=4, steps=4, side=8).fit(data, rng=stream(0, "fit"), plan=PLAN)
    few = data.take(np.arange(3))
    pixels = few.pixels.copy()
    pixels[0], pixels[1, 0] = np.nan, np.nan
    frame = pd.DataFrame({"label": pd.Categorical(["strange", "clear", "clear"])})
    made = model.impute(replace(few, pixels=pixels, frame=frame), rng=stream(0, "complete"))
    assert np.isfinite(made.pixels).all() and (made.pixels[2] == few.pixels[2]).all()
    pixels[1, 1, :3] = np.nan
    with pytest.raises(UsageError, match="in part"):
        model.impute(replace(few, pixels=pixels), rng=stream(0, "complete"))


def test_a_subclass_says_how_it_paints():
    with pytest.raises(TypeError, match="what is trained"):
        Translator().objective(None, None, None)
