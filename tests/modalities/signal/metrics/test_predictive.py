"""Prediction of values ahead."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal.metrics.predictive import AHEAD, LAGS, predictive, steps
from tests.modalities.signal.evidences import evidence, few, plain
from tests.modalities.signal.simulated import reversed_time, shuffled_time, windows


def test_the_value_ahead_follows_the_known_ones():
    data = windows(5, 0)
    known, ahead = steps(data, np.ones(3), rng=stream(0, "s"))
    assert known.shape == (60, 3 * LAGS)
    wave = data.waves[0].astype(float)
    start = int(np.flatnonzero((wave[0][:, None] == known[0, :1]).all(axis=1))[0])
    assert known[0, :LAGS] == pytest.approx(wave[0, start : start + LAGS])
    assert ahead[0] == pytest.approx(wave[:, start + LAGS - 1 + AHEAD])


@pytest.mark.parametrize("spoil", [reversed_time, shuffled_time])
def test_other_dynamics_teach_badly(spoil):
    (good,), (bad,) = predictive(evidence()), predictive(evidence(spoil))
    assert good.estimate.value == pytest.approx(good.control.value, abs=0.02)
    assert bad.estimate.low > good.control.high


def test_windows_are_predicted_and_few_are_not():
    assert predictive(plain())[0].status == "measured"
    assert predictive(few())[0].status == "insufficient"
