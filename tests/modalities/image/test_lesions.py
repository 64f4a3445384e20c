from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, label

from semblance.core.errors import DataError, UsageError
from semblance.core.rng import stream
from semblance.modalities.image.data import Images
from semblance.modalities.image.lesions import MARGIN, Lesions, blended
from tests.modalities.image import tissue
from tests.modalities.image.simulated import images

SIDE = 32
X, Y = np.meshgrid(np.arange(SIDE), np.arange(SIDE))


@cache
def ovals(n: int = 40, seed: int = 0) -> Images:
    """Bright ovals, twice as long as wide, in the left of an organ; of one patient a huge one, far on the right."""
    whole = tissue.masked(n, seed, (SIDE, SIDE))
    pixels = np.zeros_like(whole.pixels)
    for i in range(n):
        rng = stream(seed, "oval", i)
        long, turn = (9.0, 0.0) if i == 0 else (rng.uniform(3.5, 5), rng.uniform(0, np.pi))
        x, y = (27, 16) if i == 0 else (rng.uniform(7, 12), rng.uniform(8, 24))
        along, across = (
            np.cos(turn) * (X - x) + np.sin(turn) * (Y - y),
            np.cos(turn) * (Y - y) - np.sin(turn) * (X - x),
        )
        pixels[i, 1] = (along / long) ** 2 + (across / (long / 2)) ** 2 <= 1
        pixels[i, 0] = np.where(X < 20, 100, 10) + 80 * pixels[i, 1] + rng.normal(0, 3, (SIDE, SIDE))
    return replace(whole, pixels=pixels.round().clip(0, 255).astype(np.float32))


def free(n: int, seed: int) -> Images:
    """The same organ without any lesion."""
    pixels = np.zeros((n, 2, SIDE, SIDE), dtype=np.float32)
    pixels[:, 0] = (np.where(X < 20, 100, 10) + stream(seed, "free").normal(0, 3, (n, SIDE, SIDE))).round().clip(0)
    return replace(ovals(n, seed), pixels=pixels)


def filled(placed: Images, light: float) -> Images:
    """What a model might make of the holes: lesions of one brightness, and around them one that is off by some."""
    pixels = placed.pixels.copy()
    gone = np.isnan(pixels[:, 0])
    pixels[:, 0] = np.where(gone, np.where(pixels[:, 1] > 0, 180, light), pixels[:, 0])
    return replace(placed, pixels=pixels)


def test_shapes_are_those_of_real_lesions_and_none_is_copied():
    lesions = Lesions.fit(ovals(), "lesion")
    placed = lesions.placed(free(60, 7), rng=stream(0, "place"))
    masks, real = placed.pixels[:, 1], ovals().pixels[1:, 1]
    areas = masks.sum((1, 2))
    assert 0.8 < areas.mean() / real.sum((1, 2)).mean() < 1.2
    assert areas.max() < 1.2 * real.sum((1, 2)).max() < ovals().pixels[0, 1].sum(), "no size of one patient alone"
    half = np.exp(lesions.axes)
    assert half[0] / half[1] == pytest.approx(2, rel=0.15) and half[0] == pytest.approx(4.25, rel=0.1)
    assert all(label(one)[1] == 1 for one in masks)
    assert not any((one == other).all() for one in masks for other in ovals().pixels[:, 1])


def test_lesions_lie_where_those_of_several_patients_do_and_among_what_lies_around_them():
    placed = Lesions.fit(ovals(), "lesion").placed(free(60, 7), rng=stream(0, "place"))
    columns = (placed.pixels[:, 1] * X).sum((1, 2)) / placed.pixels[:, 1].sum((1, 2))
    assert columns.max() < 18, "one patient has a lesion on the right"
    inside = [replace(free(60, 7), pixels=np.roll(free(60, 7).pixels, -5, 3))]  # the organ ends further left
    moved = Lesions.fit(ovals(), "lesion").placed(inside[0], rng=stream(0, "place"))
    beside = binary_dilation(moved.pixels[:, 1] > 0, iterations=1, structure=np.ones((1, 3, 3))) & np.isnan(
        moved.pixels[:, 0]
    )
    assert (inside[0].pixels[:, 0][beside] > 50).mean() > 0.95


def test_what_is_drawn_goes_over_into_the_image_without_an_edge():
    before = free(30, 7)
    placed = Lesions.fit(ovals(), "lesion").placed(before, rng=stream(0, "place"))
    hole = np.isnan(placed.pixels[:, 0])
    lesion = placed.pixels[:, 1] > 0
    assert hole.any((1, 2)).all() and (hole & lesion == lesion).all() and not np.isnan(placed.pixels[:, 1]).any()
    rough = filled(placed, 125.0)
    after = blended(before, rough, "lesion")
    assert (after.pixels[:, 0][~hole] == before.pixels[:, 0][~hole]).all() and (after.pixels[:, 1] == lesion).all()
    assert np.abs(after.pixels[:, 0][lesion] - 155).max() < 6, "as much brighter than what is around as it was drawn"
    assert (after.pixels % 1 == 0).all()

    def steps(light: np.ndarray, where: np.ndarray) -> float:
        return float(np.abs(np.diff(light, axis=2))[where].mean())

    border = hole[:, :, 1:] != hole[:, :, :-1]
    away = ~hole[:, :, 1:] & ~hole[:, :, :-1] & (np.abs(X[None, :, 1:] - 20) > 1) & (X[None, :, 1:] < 20)
    border &= X[None, :, 1:] < 19
    usual = steps(before.pixels[:, 0], away)
    assert steps(rough.pixels[:, 0], border) > 4 * usual, "a model that is off leaves an edge"
    assert steps(after.pixels[:, 0], border) <= 1.1 * usual
    kind = filled(placed, 100.0)
    assert steps(blended(before, kind, "lesion").pixels[:, 0], border) <= 1.1 * usual


def test_lesions_keep_their_distance_and_where_there_is_no_room_nothing_is_put():
    lesions = Lesions.fit(ovals(), "lesion")
    there = ovals(40, 0)
    placed = lesions.placed(there, rng=stream(0, "place"))
    new = (placed.pixels[:, 1] > 0) & (there.pixels[:, 1] == 0)
    assert new.any((1, 2)).sum() > 5
    for one, old in zip(new, there.pixels[:, 1] > 0, strict=True):
        assert not (one & binary_dilation(old, iterations=MARGIN)).any()
    full = replace(there, pixels=np.where(np.arange(2)[:, None, None] == 1, np.float32(1), there.pixels))
    assert (lesions.placed(full, rng=stream(0, "place")).pixels == full.pixels).all()


def test_the_same_seed_gives_the_same_and_an_image_does_not_depend_on_others():
    lesions = Lesions.fit(ovals(), "lesion")
    one, two = (lesions.placed(free(6, 7), rng=stream(0, "place"), label="nodule") for _ in range(2))
    few = lesions.placed(free(6, 7).take(np.arange(3)), rng=stream(0, "place"))
    assert one.pixels.tobytes() == two.pixels.tobytes() and few.pixels.tobytes() == one.pixels[:3].tobytes()
    assert set(one.labels) == {"nodule"} and (few.labels == free(6, 7).labels[:3]).all()


def test_volumes_have_lesions_as_well():
    train = tissue.masked(40, 1, (12, 13, 14))
    placed = Lesions.fit(train, "lesion").placed(images_without(train), rng=stream(0, "place"))
    sizes = (placed.pixels[:, 1] > 0).sum((1, 2, 3))
    real = (train.pixels[:, 1] > 0).sum((1, 2, 3))
    assert 0.5 < sizes[sizes > 0].mean() / real[real > 0].mean() < 1.5 and np.isnan(placed.pixels[:, 0]).any()


def images_without(train: Images) -> Images:
    pixels = np.concatenate([images(len(train), 3, train.pixels.shape[2:]).pixels, 0 * train.pixels[:, 1:]], 1)
    return replace(train, pixels=pixels)


def test_what_cannot_be_is_told():
    with pytest.raises(DataError, match="of 3 patients"):
        Lesions.fit(ovals().take(np.arange(3)), "lesion")
    with pytest.raises(UsageError, match="no mask 'tumour'"):
        Lesions.fit(ovals(), "tumour")
    with pytest.raises(UsageError, match="no class 'edema'"):
        Lesions.fit(ovals(), "lesion", kind="edema")
    with pytest.raises(DataError, match="only some channels"):
        Lesions.fit(tissue.halved(tissue.beside(tissue.paired(20, 1))), "lesion")
    lesions = Lesions.fit(ovals(), "lesion")
    with pytest.raises(UsageError, match="another size"):
        lesions.placed(tissue.masked(3, 1), rng=stream(0))
    with pytest.raises(UsageError, match="no label 'strange'"):
        lesions.placed(free(3, 1), rng=stream(0), label="strange")
