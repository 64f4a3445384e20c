from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.modalities.image import MANIFEST
from semblance.modalities.image.metrics.copies import copies, likest, twins
from tests.modalities.image.evidences import evidence, parts
from tests.modalities.image.simulated import images
from tests.modalities.image.tissue import masked


def spoilt(how: str) -> np.ndarray:
    """Pixels of train, disguised."""
    pixels = parts()[0].pixels
    return {
        "plain": pixels,
        "mirrored": np.flip(pixels, -1),
        "moved": np.roll(pixels, (1, -1), (2, 3)),
        "brighter": 1.5 * pixels + 10,
        "noisy": pixels + stream(0, "noise").normal(0, 2, pixels.shape),
    }[how].astype(np.float32)


@pytest.mark.parametrize("how", ["plain", "mirrored", "moved", "brighter", "noisy"])
def test_copies_are_found_in_disguise(how):
    ev = evidence("copied")
    found = copies(replace(ev, synthetic=replace(ev.synthetic, pixels=spoilt(how)), _cache={}))[0]
    assert found.estimate.value > 0.5


def test_independent_images_are_none_and_so_is_the_control():
    found, unique = copies(evidence())
    assert found.estimate.low <= 0 <= found.estimate.high and abs(found.control.value) < 0.05
    assert unique.status == "not_applicable"


def test_the_twin_is_the_image_that_was_copied():
    train = parts()[0]
    likeness, where = twins(train.take(np.arange(9)), train)
    assert likeness == pytest.approx(1, abs=1e-5) and where.tolist() == list(range(9))
    assert likest(images(5, 99), train).max() < 0.999


def test_volumes_are_looked_for_as_well():
    data = images(6, 1, (8, 9, 10))
    assert likest(data, data) == pytest.approx(1, abs=1e-5)


def traced(data):
    """Masks drawn by a shaking hand: no two alike."""
    noise = stream(int(data.pixels[0].sum()), "hand").normal(0, 15, data.pixels[:, 0].shape)
    return (data.pixels[:, 0] + noise > 140).astype(np.float32)


def test_a_mask_that_was_taken_is_a_copy_under_any_pixels():
    train, held, fresh = (
        replace(part, pixels=np.stack([part.pixels[:, 0], traced(part)], 1))
        for part in (masked(120, seed, (16, 16)) for seed in (1, 2, 3))
    )
    plain = copies(Evidence(train, held, fresh, MANIFEST, tier="fast"))[0]
    assert plain.estimate.value < 0.1 and "masks" in plain.detail
    pixels = np.stack([fresh.pixels[:, 0], train.pixels[:, 1]], 1)
    taken = copies(Evidence(train, held, replace(fresh, pixels=pixels), MANIFEST, tier="fast"))[0]
    assert taken.estimate.value > 0.5 and abs(taken.control.value) < 0.1
