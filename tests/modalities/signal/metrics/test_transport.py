"""Wasserstein's distance against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from semblance.core.rng import stream
from semblance.modalities.signal.metrics.transport import unit, wasserstein


def test_the_distance_is_scipys():
    rng = stream(0, "w")
    a, b = rng.normal(size=(400, 3)), rng.normal(0.4, 1.5, size=(800, 3))
    oracle = [wasserstein_distance(x, y) for x, y in zip(a.T, b.T, strict=True)]
    assert wasserstein(a, b) == pytest.approx(oracle, rel=0.02)


def test_a_shift_is_its_length_and_nothing_is_no_distance():
    a = stream(0, "w").normal(size=(300, 2))
    assert wasserstein(a, a + np.array([0.5, -2.0])) == pytest.approx([0.5, 2.0])
    assert (wasserstein(a, a[::-1]) == 0).all()


def test_missing_numbers_are_left_out():
    a = stream(0, "w").normal(size=(400, 1))
    torn = np.concatenate([a, np.full((50, 1), np.nan)])
    assert wasserstein(torn, a) == pytest.approx([0.0])
    assert np.isnan(wasserstein(np.full((5, 1), np.nan), a))


def test_the_unit_is_the_middle_nine_tenths():
    assert unit(np.linspace(0, 1, 1001)[:, None]) == pytest.approx([0.9])
    assert unit(np.zeros((5, 1))) == pytest.approx([1.0])
    assert unit(np.full((5, 1), np.nan)) == pytest.approx([1.0])
