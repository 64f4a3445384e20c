from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.modalities.image.metrics.histogram import counts, histogram
from tests.modalities.image.evidences import contrasts, evidence, noise_in_the_second
from tests.modalities.image.simulated import images


def test_a_shift_by_a_tenth_of_the_range_is_a_tenth():
    ev = evidence()
    middle = replace(ev.holdout, pixels=np.clip(ev.holdout.pixels, 60, 160))
    ev = replace(ev, train=middle, holdout=middle, _cache={})
    moved = replace(middle, pixels=middle.pixels + np.float32(10))
    found = histogram(replace(ev, synthetic=moved, _cache={}))[0].estimate.value
    assert found == pytest.approx(0.1, abs=0.03)


def test_shares_of_each_image_sum_to_one():
    made = counts(images(5, 1), (np.zeros(1), np.full(1, 255.0)))
    assert made.shape == (5, 1, 128) and np.allclose(made.sum(2), 1)


def test_a_contrast_of_small_numbers_counts_as_one_of_large_ones():
    ev = contrasts()
    fresh, (spoilt,) = histogram(ev)[0], histogram(noise_in_the_second(ev))
    assert spoilt.estimate.low > 0.04 > 2 * fresh.estimate.value
