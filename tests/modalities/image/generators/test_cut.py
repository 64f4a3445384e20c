from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.core.rng import stream
from semblance.modalities.image.generators.cut import Cut
from tests.modalities.image import tissue

PLAN = {"steps": 80, "batch": 8, "rate": 5e-3, "look": 20, "beta1": 0.5, "ema": 0.95}
SMALL = Cut(channels=8, side=8)


def off(made: np.ndarray, real: np.ndarray) -> float:
    return float(np.abs(made - real).mean())


def test_what_no_line_tells_is_learned_without_pairs_and_is_better_than_a_copy_and_the_mean_image(tmp_path):
    train, fresh = (tissue.windowed(tissue.paired(n, seed)) for n, seed in ((120, 1), (40, 2)))
    real, errors = fresh.pixels[:, 1], []
    for steps in (1, 60):
        model = SMALL.fit(tissue.halved(train), rng=stream(0, "fit"), plan={**PLAN, "steps": steps})
        made = model.impute(fresh.without("T2"), rng=stream(0, "complete"))
        errors.append(off(made.pixels[:, 1], real))
    copied, mean = off(fresh.pixels[:, 0], real), off(train.pixels[:, 1].mean(0), real)
    assert errors[1] < 0.75 * errors[0] and errors[1] < 0.85 * min(copied, mean)
    assert (made.pixels[:, 0] == fresh.pixels[:, 0]).all()
    model.save(tmp_path)
    again = Cut.load(tmp_path).impute(fresh.without("T2"), rng=stream(1, "complete"))
    assert again.pixels.tobytes() == made.pixels.tobytes()
    assert not any("head" in name or "critic" in name for name in model.learned.arrays())


def test_volumes_are_translated_and_sides_have_as_many_planes():
    whole = tissue.paired(20, 1, (8, 9, 10))
    model = Cut(channels=4, side=8).fit(tissue.halved(whole), rng=stream(0, "fit"), plan={**PLAN, "steps": 2})
    assert np.isfinite(model.impute(whole.without("T2"), rng=stream(0)).pixels).all()
    channels = (*whole.layout.channels, replace(whole.layout.channels[1], name="PD"))
    pixels = np.concatenate([whole.pixels, whole.pixels[:, 1:]], 1)
    with pytest.raises(DataError, match="from 1 planes to 2"):
        SMALL.refuse_unfit(replace(whole, pixels=pixels, layout=replace(whole.layout, channels=channels)))


def test_masks_are_no_planes_to_be_translated():
    whole = tissue.beside(tissue.paired(30, 1))
    data = tissue.halved(replace(whole, layout=replace(whole.layout, given=("0",), apart=True)))
    model = Cut(channels=4, side=8).fit(data, rng=stream(0, "fit"), plan={**PLAN, "steps": 2})
    (drawn,) = model.sample(3, rng=stream(0, "sample"))
    assert drawn.layout.channels == data.layout.channels and np.isfinite(drawn.pixels).all()
