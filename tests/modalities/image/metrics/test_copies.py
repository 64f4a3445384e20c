from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.image.metrics.copies import copies, likest, twins
from tests.modalities.image.evidences import evidence, parts
from tests.modalities.image.simulated import images


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
