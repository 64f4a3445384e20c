from __future__ import annotations

import numpy as np

from semblance.core.rng import stream
from semblance.modalities.signal.spectrum import BANDS, band_of, band_power, noise


def test_the_bands_sum_to_the_variance():
    series = stream(0, "series").normal(size=1000).cumsum()
    assert np.isclose(band_power(series).sum(), series.var(), rtol=1e-2)


def test_noise_has_the_power_that_was_asked_in_each_band():
    bands = np.zeros(BANDS)
    bands[[3, 7]] = 4.0, 1.0
    drawn = np.mean([band_power(noise(bands, 4096, rng=stream(i, "noise"))) for i in range(30)], 0)
    assert np.allclose(drawn, bands, atol=0.35)


def test_a_wave_lies_in_one_band():
    wave = np.sin(2 * np.pi * 0.1 * np.arange(2000))
    power = band_power(wave)
    assert power.argmax() == band_of(np.array([0.1]))[0]
    assert power.max() > 0.95 * wave.var()
