from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.modalities.image.metrics.alike import likest, sights, sums, twins
from tests.modalities.image.evidences import contrasts, parts
from tests.modalities.image.simulated import images
from tests.modalities.image.tissue import masked


def test_the_twin_is_the_image_that_was_copied():
    train = parts()[0]
    likeness, where = twins(train.take(np.arange(9)), train, whole)
    assert likeness == pytest.approx(1, abs=1e-5) and where.tolist() == list(range(9))
    assert likest(images(5, 99), train, whole).max() < 0.999


def test_volumes_are_looked_for_as_well():
    data = images(6, 1, (8, 9, 10))
    assert likest(data, data, whole) == pytest.approx(1, abs=1e-5)


def whole(data):
    return data.light


def test_what_is_looked_at_of_images_together_changes_nothing():
    train, some = parts()[0], images(520, 5)
    alone = likest(some.take(np.arange(510, 520)), train, whole)
    assert likest(some, train, whole)[510:] == pytest.approx(alone, abs=1e-6)


def test_every_contrast_is_a_sight_and_masks_are_one():
    ev = contrasts()
    assert [*sights(ev.train)] == ["CT", "ADC"] and [*sights(masked(3, 1))] == ["image", "masks"]
    assert sights(ev.train)["ADC"](ev.train).max() < 1 < sights(ev.train)["CT"](ev.train).max()


def test_the_likeness_of_colours_is_not_that_of_their_cast():
    some = images(9, 1)
    cast = np.array([200.0, 100.0, 0.0], dtype=np.float32).reshape(1, 3, 1, 1)
    tinted = replace(some, pixels=np.repeat(some.pixels, 3, 1) * 0.2 + cast)
    other = replace(tinted, pixels=np.repeat(images(9, 99).pixels, 3, 1) * 0.2 + cast)
    bare = (likest(one, two, whole) for one, two in ((images(9, 99), some), (other, tinted)))
    assert next(bare) == pytest.approx(next(bare), abs=1e-4)


def test_sums_are_those_of_what_files_hold():
    some = images(4, 1)
    one = sums(some, some.layout)
    near = replace(some, pixels=some.pixels + np.float32(0.3))
    assert (sums(near, some.layout) == one).all() and len(np.unique(one)) == 4
    assert (sums(replace(some, pixels=some.pixels[..., ::-1].copy()), some.layout, mirrored=True) == one).all()
    assert (sums(near, replace(some.layout, stored="float32")) != one).all()
    assert sums(replace(some, pixels=np.zeros_like(some.pixels)), some.layout).tolist() == [[0]] * 4
