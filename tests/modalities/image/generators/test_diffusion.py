from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.errors import DataError, UsageError
from semblance.core.model import Wanted
from semblance.core.rng import stream
from semblance.modalities.image.data import concat
from semblance.modalities.image.generators.diffusion import Diffusion
from tests.modalities.image.simulated import GAINS, images, scanned
from tests.modalities.image.tissue import paired

PLAN = {"steps": 60, "batch": 32, "rate": 2e-3, "look": 20}


@pytest.mark.parametrize("shape", [(12, 12), (8, 9, 10)])
def test_planes_and_volumes_are_learned_by_the_same_code(shape):
    data = images(60, 1, shape)
    model = Diffusion(channels=8, steps=6).fit(data, rng=stream(0, "fit"), plan=PLAN)
    made = concat(list(model.sample(40, rng=stream(0, "sample"))))
    assert made.pixels.shape == (40, 1, *shape)
    assert np.abs(made.pixels.mean(0) - data.pixels.mean(0)).mean() < 15


def test_guidance_makes_images_more_typical_of_their_label():
    data = images(200, 1)
    plain, guided = (
        Diffusion(channels=8, steps=8, guidance=g).fit(data, rng=stream(0, "fit"), plan={**PLAN, "steps": 100})
        for g in (1.0, 3.0)
    )
    gaps = []
    for model in (plain, guided):
        made = concat(list(model.sample(200, rng=stream(0, "sample"))))
        bright = made.pixels.max((1, 2, 3))
        gaps.append(bright[made.labels == "nodule"].mean() - bright[made.labels == "clear"].mean())
    assert gaps[1] > gaps[0] > 0


def test_the_contrast_of_a_scanner_that_is_asked_for_is_drawn():
    data = scanned(150, 1)
    spec = Diffusion(channels=4, hidden=64, layers=1, components=8, steps=4)
    model = spec.fit(data, rng=stream(0, "fit"), plan={**PLAN, "steps": 100})
    made = concat(list(model.sample(90, rng=stream(0, "sample"), wanted=Wanted(quota={"scanner": "balanced"}))))
    bright = made.pixels.mean((1, 2, 3))
    means = [float(bright[(made.frame["scanner"] == name).to_numpy()].mean()) for name in GAINS]
    assert means[0] > means[1] > means[2] and means[0] > means[2] + 8
    holed = replace(made.take(np.arange(3)), pixels=np.full((3, 1, 12, 12), np.nan, dtype=np.float32))
    assert np.isfinite(model.impute(holed, rng=stream(0, "impute")).pixels).all()


def test_noise_may_become_images_along_straight_lines():
    data = images(60, 1)
    kinds = [
        Diffusion(channels=8, steps=6, flow=flow).fit(data, rng=stream(0, "fit"), plan=PLAN) for flow in (False, True)
    ]
    one, other = (concat(list(model.sample(40, rng=stream(0, "sample")))).pixels for model in kinds)
    assert np.abs(other.mean(0) - data.pixels.mean(0)).mean() < 15 and not (one == other).all()
    pixels = data.pixels[:3].copy()
    pixels[:, :, :6] = np.nan
    made = kinds[1].impute(replace(data.take(np.arange(3)), pixels=pixels), rng=stream(0, "complete"))
    assert np.isfinite(made.pixels).all() and (made.pixels[:, :, 6:] == pixels[:, :, 6:]).all()
    with pytest.raises(UsageError, match="flow under differential privacy"):
        Diffusion(flow=True).refuse_undeclared(data.schema)


@pytest.mark.parametrize("shape", [(16, 16), (8, 9, 10)])
def test_large_images_are_drawn_by_their_latents(shape, tmp_path):
    data, spec = images(60, 1, shape), Diffusion(channels=8, steps=6, components=8, large=10)
    model = spec.fit(data, rng=stream(0, "fit"), plan={**PLAN, "ema": 0.97})
    made = concat(list(model.sample(40, rng=stream(0, "sample"))))
    assert made.pixels.shape == (40, 1, *shape)
    assert np.abs(made.pixels.mean(0) - data.pixels.mean(0)).mean() < 20
    model.save(tmp_path)
    again = concat(list(Diffusion.load(tmp_path).sample(40, rng=stream(0, "sample"))))
    assert again.pixels.tobytes() == made.pixels.tobytes()
    with pytest.raises(UsageError, match="latents of whole ones"):
        model.impute(replace(data, pixels=np.where(data.pixels > 100, np.nan, data.pixels)), rng=stream(0))
    with pytest.raises(DataError, match="channels that are given"):
        spec.fit(paired(20, 1, shape), rng=stream(0, "fit"), plan=PLAN)


def test_a_plan_of_large_images_fits_the_budget():
    plan = Diffusion(channels=8, large=8).plan(images(60, 1), rng=stream(0, "plan"), time_budget=1)
    assert 20 <= plan["steps"] < 2_000


def test_a_plan_fits_the_budget():
    plan = Diffusion(channels=8).plan(images(60, 1), rng=stream(0, "plan"), time_budget=1)
    assert 20 <= plan["steps"] < 2_000 and plan["batch"] == 32
    assert plan["averages"] == [0.05, 0.1] and plan["look"] >= 60  # three averages are scored at each look


def test_several_averages_are_resumed_and_the_weights_that_are_kept_may_be_any_of_them(tmp_path, monkeypatch):
    monkeypatch.setattr("semblance.learn.trainer.CHECKPOINT_SECONDS", -1.0)
    data, plan = images(60, 1), {**PLAN, "steps": 20, "look": 4, "averages": [0.05, 0.2]}
    spec = Diffusion(channels=4, hidden=32, layers=1, components=4, steps=2)

    def stopped(tick):
        if tick.step == 14:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spec.fit(data, rng=stream(0, "fit"), plan=plan, watch=stopped, resume=tmp_path)
    again = spec.fit(data, rng=stream(0, "fit"), plan=plan, resume=tmp_path).learned.arrays()
    whole, one = (
        spec.fit(data, rng=stream(0, "fit"), plan=p).learned.arrays() for p in (plan, {**plan, "averages": []})
    )
    assert all((again[name] == value).all() for name, value in whole.items())
    assert any((one[name] != value).any() for name, value in whole.items())
