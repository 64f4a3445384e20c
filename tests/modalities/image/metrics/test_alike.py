from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.image.data import Images
from semblance.modalities.image.metrics.alike import STILL, equal, likest, sights, twins
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


@pytest.mark.parametrize("shape", [(28, 28), (33, 64), (64, 64), (128, 128), (5, 8, 9), (13, 30, 30)])
def test_a_copy_turned_over_along_any_axis_is_as_like_as_one_that_is_not(shape):
    data = textures(4, shape)
    axes = range(2, data.pixels.ndim)
    turns = [np.flip(data.pixels, some) for count in range(4) for some in combinations(axes, count)]
    turns += [np.rot90(data.pixels, k, (-2, -1)) for k in (1, 3)] if shape[-1] == shape[-2] else []
    for turned in turns:
        likeness, where = twins(replace(data, pixels=turned.copy()), data, whole, STILL)
        assert likeness == pytest.approx(1, abs=1e-5) and where.tolist() == [0, 1, 2, 3]


def test_a_move_is_by_a_place_along_every_axis():
    data = textures(4, (6, 8, 9))
    for axis in (2, 3, 4):
        moved = replace(data, pixels=np.roll(data.pixels, 1, axis))
        assert likest(moved, data, whole) == pytest.approx(1, abs=1e-5)
        assert likest(moved, data, whole, STILL).max() < 0.9
    thin = textures(4, (1, 8, 9))
    assert likest(thin, thin, whole) == pytest.approx(1, abs=1e-5)


def test_the_likeness_is_the_largest_correlation_over_all_turns_and_moves():
    data, other = textures(3, (7, 7)), images(5, 1, (7, 7))
    turns = [np.rot90(one, k, (-2, -1)) for one in (data.pixels, data.pixels[..., ::-1]) for k in range(4)]
    moved = [np.roll(x, steps, (-2, -1)) for x in turns for steps in product((-1, 0, 1), repeat=2)]
    middles = (x[..., 1:-1, 1:-1].reshape(len(x), -1) for x in (np.concatenate(moved), other.pixels))
    found = np.corrcoef(*middles)[: 72 * 3, 72 * 3 :].reshape(72, 3, 5).max(0)
    likeness, where = twins(data, other, whole)
    assert likeness == pytest.approx(found.max(1), abs=1e-5) and where.tolist() == found.argmax(1).tolist()


def textures(n: int, shape: tuple[int, ...]) -> Images:
    """Images of noise: nothing in them is alike either way round."""
    pixels = stream(0, "noise", *shape).normal(0, 50, (n, 1, *shape)).astype(np.float32)
    return replace(images(n, 1, shape), pixels=pixels)


def test_equal_is_what_files_hold():
    some, others = images(4, 1), images(4, 2)
    near = replace(some, pixels=some.pixels + np.float32(0.3))
    assert equal(near, some).all() and not equal(others, some).any()
    assert not equal(near, replace(some, layout=replace(some.layout, stored="float32"))).any()
    black = replace(some, pixels=np.zeros_like(some.pixels))
    assert not equal(black, black).any()


def test_the_same_pixels_elsewhere_are_another_image():
    some = images(4, 1)
    dealt = some.pixels.reshape(4, -1)[:, stream(0, "deal").permutation(144)].reshape(some.pixels.shape)
    assert not equal(replace(some, pixels=dealt), some).any()
