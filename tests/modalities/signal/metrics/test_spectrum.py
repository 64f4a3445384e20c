"""Power spectra and autocorrelations: known spectra, and corruptions that must be seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal.metrics.spectrum import (
    autocorrelation,
    correlated,
    power,
    power_spectrum,
    spectral_distance,
)
from tests.modalities.signal.evidences import evidence, few, plain
from tests.modalities.signal.simulated import noisy, pieces, shuffled_time, smoothed


def of(waves):
    return replace(pieces(5, 0).take(np.arange(len(waves))), waves=waves.astype(np.float32))


def test_a_sine_has_its_power_where_it_swings():
    clock = np.arange(256) / 250
    made = power(of(np.sin(2 * np.pi * 25 * clock)[None, None].repeat(2, axis=1)))
    assert made.shape == (1, 2, 128)
    assert np.fft.rfftfreq(256, 1 / 250)[1:][made[0, 0].argmax()] == pytest.approx(25, abs=1)


def test_twice_the_power_is_three_decibels():
    x = stream(0, "x").random((10, 2, 5)) + 1
    assert spectral_distance(2 * x, x) == pytest.approx([3.0103, 3.0103], abs=1e-3)
    assert spectral_distance(x, 2 * x) == pytest.approx(spectral_distance(2 * x, x))
    assert (spectral_distance(x, x) == 0).all()


def test_autocorrelation_is_the_textbooks():
    wave = stream(0, "x").normal(size=64)
    centred = wave - wave.mean()
    by_hand = [(centred[k:] * centred[:-k]).sum() / (centred**2).sum() for k in range(1, 32)]
    assert correlated(of(wave[None, None]))[0, 0] == pytest.approx(by_hand, abs=1e-5)
    assert np.isfinite(correlated(of(np.ones((1, 1, 64))))).all()


@pytest.mark.parametrize("metric", [power_spectrum, autocorrelation])
@pytest.mark.parametrize("spoil", [noisy, smoothed, shuffled_time])
def test_damage_is_seen(metric, spoil):
    (good,), (bad,) = metric(evidence()), metric(evidence(spoil))
    assert bad.estimate.value > 1.5 * good.estimate.value
    assert bad.estimate.low > good.control.value
    assert good.estimate.value < good.control.high


@pytest.mark.parametrize("metric", [power_spectrum, autocorrelation])
def test_windows_without_beats_are_measured_and_few_are_not(metric):
    assert metric(plain())[0].status == "measured"
    assert metric(few())[0].status == "insufficient"
