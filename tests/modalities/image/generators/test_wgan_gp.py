from __future__ import annotations

from semblance.modalities.image.generators.wgan_gp import WganGp
from tests.modalities.image.generators.test_network import apart


def test_a_few_steps_lead_half_the_way_to_the_mean_image_by_images_that_differ():
    off, _, varied = apart(WganGp, channels=4, turns=1)
    assert off < 25 and varied > 0.5
