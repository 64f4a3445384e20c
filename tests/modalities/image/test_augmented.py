from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance.core.rng import stream
from semblance.modalities.image.augmented import augmented
from tests.modalities.image.evidences import contrasts
from tests.modalities.image.simulated import images
from tests.modalities.image.tissue import masked


def test_images_stay_what_they_were_but_are_no_longer_the_same():
    some = images(60, 1)
    made = augmented(some, rng=stream(0, "a"))
    assert (made.labels == some.labels).all() and made.pixels.shape == some.pixels.shape
    assert (np.abs(made.pixels - some.pixels).mean((1, 2, 3)) > 0.5).all()
    assert abs(made.pixels.mean() - some.pixels.mean()) < 10
    assert (augmented(some, rng=stream(0, "a")).pixels == made.pixels).all()


def test_half_of_them_are_turned_over_and_none_upside_down():
    some = images(200, 1)
    pixels = np.zeros_like(some.pixels)
    pixels[:, :, :4, :4] = 100  # in one corner
    made = augmented(replace(some, pixels=pixels), rng=stream(0, "a")).pixels[:, 0]
    left = made[:, :4, :4].mean((1, 2)) > made[:, :4, -4:].mean((1, 2))
    assert 0.35 < left.mean() < 0.65
    assert (made[:, :4].mean((1, 2)) > made[:, -4:].mean((1, 2))).all()


def test_a_mask_goes_where_its_lesion_goes():
    some = masked(40, 1)
    pixels = some.pixels.copy()
    pixels[:, 0] = 50 + 100 * pixels[:, 1]
    made = augmented(replace(some, pixels=pixels), rng=stream(0, "a")).pixels
    assert set(np.unique(made[:, 1])) == {0, 1}
    for image, mask in made:
        assert not mask.any() or image[mask == 1].min() > image[mask == 0].max()


def test_of_none_there_are_none():
    none = images(3, 1).take(np.arange(0))
    assert len(augmented(none, rng=stream(0, "a"))) == 0


def test_a_contrast_of_small_numbers_stays_what_it_was():
    some = contrasts(40).train
    made = augmented(some, rng=stream(0, "a")).pixels
    assert np.abs(made.mean((2, 3)) - some.pixels.mean((2, 3)))[:, 1].max() < 0.2
