from __future__ import annotations

from semblance.core.rng import stream
from semblance.modalities.image.generators.vae import Vae
from tests.modalities.image.generators.test_network import PLAN, apart
from tests.modalities.image.simulated import images


def test_images_of_each_label_are_learned():
    off, brighter, _ = apart(Vae, channels=8)
    assert off < 20 and brighter > 5


def test_volumes_are_learned_by_the_same_code():
    model = Vae(channels=2).fit(images(60, 1, (8, 9, 10)), rng=stream(0, "fit"), plan={**PLAN, "steps": 20})
    (made,) = model.sample(5, rng=stream(0, "sample"))
    assert made.pixels.shape == (5, 1, 8, 9, 10)
