from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.vitals.encoding.flags import above, encoded

N = 40_000


@pytest.mark.parametrize("share", [0.004, 0.05, 0.3, 0.5, 0.9, 0.99])
def test_flags_come_back_and_those_of_a_gaussian_are_as_many(share):
    rng, shares = stream(0, "x"), np.array([share])
    flags = np.arange(N)[:, None] < round(share * N)
    numbers = encoded(flags, shares)
    assert np.array_equal(above(numbers + rng.normal(0, 0.1, (N, 1)), shares) > 0, flags)
    drawn = rng.normal(numbers.mean(), numbers.std(), (N, 1))
    assert (above(drawn, shares) > 0).mean() == pytest.approx(share, rel=0.15)


@pytest.mark.parametrize("shares", [(0.02, 0.98), (0.03, 0.07, 0.9), (0.02, 0.08, 0.3, 0.6), (0.25,) * 4])
def test_levels_come_back_and_rare_ones_of_a_gaussian_do_not_vanish(shares):
    rng, shares = stream(0, "x"), np.array(shares)
    levels = rng.choice(len(shares), N, p=shares)
    numbers = encoded(levels[:, None] == np.arange(len(shares)), shares)
    noisy = numbers + rng.normal(0, 0.1, numbers.shape)
    assert np.array_equal(above(noisy, shares).argmax(axis=1), levels)
    drawn = rng.multivariate_normal(numbers.mean(0), np.cov(numbers.T), N)
    made = np.bincount(above(drawn, shares).argmax(axis=1), minlength=len(shares)) / N
    assert np.allclose(made, shares, rtol=0.5, atol=0.005), made


def test_what_all_or_none_have_is_so():
    made = above(np.zeros((2, 2)), np.array([0.0, 1.0])) > 0
    assert made.tolist() == [[False, True]] * 2
