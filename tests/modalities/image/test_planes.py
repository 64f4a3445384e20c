from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.image.data import Channel, Layout
from semblance.modalities.image.planes import REACH, channels_of, coded, decoded, slots

TWO = Layout(channels=(Channel("image"), Channel("mask", ("background", "cell"), (0, 1), "uint8")))
THREE = replace(TWO, channels=(Channel("image"), Channel("mask", ("background", "a", "b"), (0, 1, 2), "uint8")))


@pytest.mark.parametrize(("layout", "shape"), [(TWO, (9, 11)), (THREE, (9, 11)), (THREE, (6, 7, 8))])
def test_any_mask_is_the_same_again(layout, shape):
    rng, classes = stream(0, "mask"), len(layout.channels[1].classes)
    pixels = np.stack([rng.normal(size=(5, *shape)), rng.integers(0, classes, (5, *shape))], 1).astype(np.float32)
    pixels[0, 1], pixels[1, 1] = 0, classes - 1
    planes = coded(pixels, layout)
    assert planes.shape[1] == (2 if classes == 2 else 4) and np.abs(planes[:, 1:]).max() <= 1
    assert (decoded(planes, layout) == pixels).all()
    assert channels_of(layout, planes.shape[1]) == 2
    assert [slot.start for slot in slots(layout, 2)] == [0, 1]


def test_distances_are_those_to_the_edge():
    pixels = np.zeros((1, 2, 1, 12), dtype=np.float32)
    pixels[0, 1, 0, 6:] = 1
    edge = coded(pixels, TWO)[0, 1, 0] * REACH
    assert edge.tolist() == [-4, -4, -3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 4, 4]


def test_what_nobody_knows_stays_unknown():
    pixels = np.zeros((2, 2, 8, 8), dtype=np.float32)
    pixels[0, 1] = np.nan
    assert np.isnan(coded(pixels, TWO)[0, 1]).all() and not np.isnan(coded(pixels, TWO)[1]).any()


def test_what_a_hole_may_hide_is_not_told_by_its_neighbours():
    """The edge may lie in the hole: only pixels that know of one no farther away have a distance."""
    pixels = np.zeros((1, 2, 1, 12), dtype=np.float32)
    pixels[0, 1, 0, 6:], pixels[0, 1, 0, 9] = 1, np.nan
    edge = coded(pixels, TWO)[0, 1, 0] * REACH
    assert edge[:8].tolist() == [-4, -4, -3.5, -2.5, -1.5, -0.5, 0.5, 1.5]
    assert np.isnan(edge[8:]).all()


@pytest.mark.parametrize(("layout", "shape"), [(TWO, (9, 11)), (THREE, (9, 11)), (THREE, (5, 6, 7))])
def test_what_is_told_beside_a_hole_holds_whatever_it_hides(layout, shape):
    rng, classes = stream(0, "hole"), len(layout.channels[1].classes)
    mask = (np.indices(shape).sum(0) // 5 % classes).astype(np.float32)
    hole = np.zeros(shape, dtype=bool)
    hole[2:4, 2:5] = True
    holed = np.where(hole, np.float32(np.nan), mask)
    filled = [np.where(hole, fill, mask) for fill in (*range(classes), rng.integers(0, classes, shape))]
    both = [coded(np.stack([mask, one])[None].astype(np.float32), layout)[0, 1:] for one in (holed, *filled)]
    told = np.isfinite(both[0])
    assert not told[:, hole].any() and told[:, ~hole].mean() > 0.3
    assert all((one[told] == both[0][told]).all() for one in both[1:])


def test_intensities_alone_are_left_as_they_are():
    pixels = np.ones((2, 3, 8, 8), dtype=np.float32)
    assert coded(pixels, Layout()) is pixels and decoded(pixels, Layout()) is pixels


@pytest.mark.parametrize("layout", [TWO, THREE])
def test_a_mask_that_nobody_knows_stays_unknown(layout):
    blank = np.full((1, 2, 6, 6), np.nan, dtype=np.float32)
    assert np.isnan(decoded(coded(blank, layout), layout)[:, 1]).all()
