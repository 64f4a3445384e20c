"""MiniRocket's features against convolutions by hand."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal.metrics.kernels import WEIGHTS, convolved, kernels, positive


def test_there_are_84_kernels_that_sum_to_zero():
    assert WEIGHTS.shape == (84, 9)
    assert (WEIGHTS.sum(axis=1) == 0).all()


@pytest.mark.parametrize("step", [1, 3])
def test_convolution_is_numpys(step):
    x = stream(0, "x").normal(size=(2, 2, 60)).astype(np.float32)
    leads = np.ones((84, 2), dtype=int)
    leads[:, 1] = np.arange(84) % 2
    made = convolved(x, step, leads)
    spaced = np.zeros(8 * step + 1)
    spaced[::step] = WEIGHTS[5]
    by_hand = [np.convolve(x[1, lead], spaced[::-1], mode="same") for lead in (0, 1)]
    assert made[5, 1] == pytest.approx(by_hand[0] + by_hand[1], abs=1e-4)
    assert made[4, 1].shape == (60,)


def test_positive_shares_are_counted_exactly():
    made = stream(0, "x").normal(size=(3, 4, 37)).astype(np.float32)
    bias = np.array([0.0, 0.5, -9.0], dtype=np.float32)
    assert positive(made, bias) == pytest.approx((made > bias[:, None, None]).mean(axis=2).T)


def test_a_wave_has_the_same_features_in_any_company_and_missing_samples_are_no_crash():
    x = stream(0, "x").normal(size=(150, 3, 64)).astype(np.float32)
    found = kernels(x, rng=stream(0, "k"))
    whole = found.of(x)
    assert found.of(x[120:]) == pytest.approx(whole[120:], abs=0.05)
    assert ((whole >= 0) & (whole <= 1)).all()
    x[0, :, :10] = np.nan
    assert np.isfinite(found.of(x[:1])).all()
    assert found.of(x[:0]).shape == (0, whole.shape[1])


@pytest.mark.parametrize(("leads", "length"), [(1, 16), (14, 64), (2, 10)])
def test_any_shape_has_features(leads, length):
    x = stream(0, "x").normal(size=(20, leads, length)).astype(np.float32)
    assert np.isfinite(kernels(x, rng=stream(0, "k")).of(x)).all()
