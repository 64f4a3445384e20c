"""TimeGAN's judge on waves whose course differs."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.modalities.signal.metrics.gru import discriminative, predictive, short
from tests.modalities.signal.evidences import evidence, few
from tests.modalities.signal.simulated import reversed_time, shuffled_time

pytest.importorskip("torch")


def test_waves_are_shortened_by_means():
    waves = np.arange(512.0).reshape(1, 2, 256)
    assert short(waves).shape == (1, 32, 2)
    assert short(waves)[0, 0].tolist() == [3.5, 259.5]


@pytest.mark.slow
def test_a_course_that_runs_backwards_is_told_and_another_patient_is_not():
    (good,), (bad,) = discriminative(evidence()), discriminative(evidence(reversed_time))
    assert good.estimate.value < 0.15
    assert bad.estimate.low > max(good.control.high, 0.3)


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [reversed_time, shuffled_time])
def test_other_dynamics_teach_a_network_badly(spoil):
    (good,), (bad,) = predictive(evidence()), predictive(evidence(spoil))
    assert good.estimate.value == pytest.approx(good.control.value, abs=0.02)
    assert bad.estimate.low > good.control.high
    assert good.control == bad.control


def test_few_are_not_judged():
    assert discriminative(few())[0].status == "insufficient" == predictive(few())[0].status
