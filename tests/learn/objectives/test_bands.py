from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from semblance.core.rng import stream
from semblance.learn.objectives.bands import apart, bands

SHAPE = (1, 16, 16)


def blobs(n: int, seed: int) -> torch.Tensor:
    """Smooth images with a little texture."""
    rng = stream(seed, "blobs")
    coarse = torch.from_numpy(rng.normal(size=(n, 1, 4, 4)).astype(np.float32))
    fine = torch.from_numpy(0.3 * rng.normal(size=(n, 1, 16, 16)).astype(np.float32))
    return (interpolate(coarse, size=(16, 16)) + fine).flatten(1)


REAL = blobs(300, 0)


@pytest.mark.parametrize("shape", [(2, 9, 13), (1, 8, 9, 10), (1, 28, 28)])
def test_bands_add_up_to_the_image(shape):
    rows = torch.randn((3, int(np.prod(shape))), generator=torch.Generator().manual_seed(0))
    *fine, last = bands(rows, shape)
    sides = [shape[1:]]
    while max(sides[-1]) > 4:
        sides.append(tuple(-(-side // 2) for side in sides[-1]))
    whole = last.reshape(3, shape[0], *sides[-1])
    for band, side in zip(reversed(fine), reversed(sides[:-1]), strict=True):
        whole = interpolate(whole, size=side) + band.reshape(3, shape[0], *side)
    assert torch.allclose(whole.flatten(1), rows, atol=1e-5)


def test_another_sample_is_near_and_one_image_again_and_again_is_far():
    assert abs(apart(blobs(300, 1), REAL, shape=SHAPE)) < 0.02
    assert apart(REAL[:1].repeat(300, 1), REAL, shape=SHAPE) > 0.3


def test_a_sample_without_detail_is_far_at_the_fine_end():
    coarse = interpolate(REAL.reshape(-1, *SHAPE), size=(4, 4), mode="area")
    smooth = interpolate(coarse, size=(16, 16)).flatten(1)
    assert apart(smooth, REAL, shape=SHAPE) > 0.2


def test_images_that_are_all_alike_divide_by_no_zero():
    assert np.isfinite(apart(torch.zeros(3, 256), torch.zeros(4, 256), shape=SHAPE))
