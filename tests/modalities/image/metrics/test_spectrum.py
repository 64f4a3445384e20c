from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.modalities.image.metrics.spectrum import power_spectrum, rings
from tests.modalities.image.evidences import contrasts, evidence
from tests.modalities.image.simulated import images


def test_a_wave_has_its_power_in_its_ring():
    wave = np.sin(2 * np.pi * 5 * np.arange(32) / 32)[None, None, None, :].repeat(32, 2).astype(np.float32)
    data = replace(images(1, 1, (32, 32)), pixels=wave)
    assert rings(data).shape == (1, 1, 16) and rings(data)[0, 0].argmax() == 4


def test_blur_lacks_fine_detail_by_the_right_amount():
    (found,) = power_spectrum(evidence("blurred"))
    assert found.detail["rings"][-1] < -5 < 0 and found.estimate.value > 3
    (fresh,) = power_spectrum(evidence())
    assert fresh.estimate.value < 1 and 0.5 < fresh.detail["ratio"] < 2 < found.detail["ratio"]


def test_twice_as_bright_is_six_decibels():
    ev = evidence()
    loud = replace(ev.holdout, pixels=2 * ev.holdout.pixels)
    assert power_spectrum(replace(ev, synthetic=loud, _cache={}))[0].estimate.value == pytest.approx(6.02, abs=0.01)


@pytest.mark.parametrize("channel", [0, 1])
def test_one_grey_lacks_all_power_that_counts_and_no_more(channel):
    ev = contrasts()
    grey = ev.synthetic.pixels.copy()
    grey[:, channel] = 0.5
    (found,) = power_spectrum(replace(ev, synthetic=replace(ev.synthetic, pixels=grey), _cache={}))
    assert 20 < found.estimate.value < 45  # the mean of two channels, of which one is as it should be
