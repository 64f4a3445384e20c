"""Delineation of waves whose truth is known, and classes whose beats are spoilt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.modalities.signal.metrics.morphology import NAMES, delineated, morphology
from tests.modalities.signal.evidences import evidence, few, plain
from tests.modalities.signal.simulated import AT, NORMAL, WIDTH, noisy, pieces, reversed_time

HALF = 2 * np.sqrt(2 * np.log(2))  # the width of a Gaussian at half its height


def ideal(scale=1.0):
    clock = np.arange(-100, 156) / 250
    bells = np.exp(-0.5 * ((clock[:, None] - AT) / WIDTH) ** 2)
    waves = scale * (NORMAL @ bells.T)[None].astype(np.float32)
    return replace(pieces(5, 0).take(np.arange(1)), waves=waves)


def told(data):
    return dict(zip(NAMES, delineated(data).mean(axis=0).tolist(), strict=True))


def test_an_ideal_beat_is_measured_as_it_was_drawn():
    made = told(ideal())
    assert made["p height"] == pytest.approx(0.12, abs=0.02)
    assert made["t height"] == pytest.approx(0.30, abs=0.03)
    assert made["t place"] == pytest.approx(0.29, abs=0.012)
    assert made["t width"] == pytest.approx(HALF * 0.055, abs=0.012)
    assert made["p width"] == pytest.approx(HALF * 0.025, abs=0.015)
    assert 0.06 < made["qrs width"] < 0.14


def test_heights_scale_and_times_do_not():
    one, twice = told(ideal()), told(ideal(2.0))
    for name in NAMES:
        assert twice[name] == pytest.approx((2 if "height" in name else 1) * one[name], rel=1e-4)


def test_ventricular_beats_are_wide_and_have_an_opposite_t():
    data = pieces(60, 1)
    normal, wide = (delineated(data.take(data.labels == one)) for one in "NV")
    assert np.median(wide[:, NAMES.index("qrs width")]) > 1.3 * np.median(normal[:, NAMES.index("qrs width")])
    assert np.median(wide[:, NAMES.index("t height")]) < 0 < np.median(normal[:, NAMES.index("t height")])


@pytest.mark.parametrize("spoil", [noisy, reversed_time])
def test_damage_is_seen(spoil):
    (good,), (bad,) = morphology(evidence()), morphology(evidence(spoil))
    assert good.estimate.value < 0.2
    assert bad.estimate.low > good.control.value
    assert {row["label"] for row in good.detail["classes"]} >= {"N", "V"}


def test_windows_have_no_waves_of_a_beat():
    assert morphology(plain())[0].status == "not_applicable"
    assert morphology(few())[0].status == "insufficient"
