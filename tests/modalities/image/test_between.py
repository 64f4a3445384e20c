from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.image import between as module
from semblance.modalities.image.between import STOPS, between, mixed
from semblance.modalities.image.generators.dcgan import Dcgan
from semblance.modalities.image.generators.diffusion import Diffusion
from semblance.modalities.image.generators.floor import Floor
from semblance.modalities.image.generators.pggan import PgGan
from semblance.modalities.image.generators.stylegan import StyleGan
from semblance.modalities.image.generators.vae import Vae
from semblance.modalities.image.generators.vae_gan import VaeGan
from tests.modalities.image.simulated import images, scanned

SMALL = {"channels": 4, "hidden": 32, "layers": 1, "components": 8, "steps": 4}
SPECS = {
    "diffusion": Diffusion(**SMALL),
    "flow": Diffusion(**SMALL, flow=True),
    "latents": Diffusion(**SMALL, large=10),
    "vae": Vae(channels=2),
    "dcgan": Dcgan(channels=2),
    "vae_gan": VaeGan(channels=2),
    "stylegan": StyleGan(channels=2),
    "pggan": PgGan(channels=2),
}


@pytest.mark.parametrize("name", SPECS)
def test_a_way_leads_in_small_steps_from_one_drawn_image_to_another(name):
    spec = SPECS[name]
    model = spec.fit(images(40, 1), rng=stream(0, "fit"), plan=replace(spec.base, steps=4).to_json())
    made = between(model, rng=stream(0, "between"))
    assert made is not None and np.unique(made.subjects, return_counts=True)[1].tolist() == [STOPS, STOPS]
    assert made.labels.tolist() == ["clear"] * STOPS + ["nodule"] * STOPS  # the more frequent one first
    for way in (made.pixels[:STOPS], made.pixels[STOPS:]):
        steps = np.abs(np.diff(way, axis=0)).mean((1, 2, 3))
        assert 0 < steps.max() < np.abs(way[-1] - way[0]).mean()
    again = between(model, rng=stream(0, "between"))
    assert again is not None and (again.pixels == made.pixels).all()
    start = stream(0, "start").standard_normal((3, model.learned.noise))
    labels, given = np.zeros(3, np.int64), np.zeros((3, 0), np.float32)
    whole = model.learned.draw_from(start, labels, given)
    alone = model.learned.draw_from(start[1:2], labels[:1], given[:1])
    assert np.allclose(whole[1], alone[0], atol=1e-4)  # of its noise alone


def test_what_is_mixed_is_as_likely_as_what_is_drawn():
    ends = stream(0, "ends").standard_normal((2, 50_000))
    way = mixed(*ends)
    assert np.allclose(way[0], ends[0]) and np.allclose(way[-1], ends[1])
    assert np.abs(way.std(1) - 1).max() < 0.02
    assert ((ends[0] + ends[1]) / 2).std() < 0.75  # as those on a straight line are not


def test_what_is_known_stays_the_same_along_a_way():
    spec = Vae(channels=2)
    model = spec.fit(scanned(40, 1), rng=stream(0, "fit"), plan=replace(spec.base, steps=3).to_json())
    made = between(model, rng=stream(0, "between"))
    assert made is not None
    for way in np.unique(made.subjects):
        assert len(made.frame[made.subjects == way].astype(str).drop_duplicates()) == 1


def test_of_mixtures_there_is_nothing_between():
    assert between(Floor().fit(images(20, 1), rng=stream(0, "fit")), rng=stream(0, "between")) is None


def test_large_images_have_fewer_ways(monkeypatch):
    spec = Vae(channels=2)
    model = spec.fit(images(40, 1), rng=stream(0, "fit"), plan=replace(spec.base, steps=3).to_json())
    monkeypatch.setattr(module, "NUMBERS", STOPS * 12 * 12)
    made = between(model, rng=stream(0, "between"))
    assert made is not None and len(made) == STOPS
