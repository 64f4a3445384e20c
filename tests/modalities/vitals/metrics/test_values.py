from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance.modalities.vitals.metrics.values import change, values
from tests.modalities.vitals.evidences import evidence
from tests.modalities.vitals.simulated import Stays, shifted, unrelated


def moved(stays: Stays, rng: np.random.Generator) -> Stays:
    """Heart rates higher by half of the range of nine tenths of them."""
    own = stays.value[stays.channel == 2]
    far = (np.quantile(own, 0.95) - np.quantile(own, 0.05)) / 2
    return replace(stays, value=np.where(stays.channel == 2, stays.value + far, stays.value))


def test_a_shift_is_measured_in_units_of_the_range():
    (finding,) = values(evidence(moved))
    row = next(row for row in finding.detail["channels"] if row["name"] == "HR")
    assert 0.4 < row["value"] < 0.55
    assert finding.estimate.value > finding.control.value


def test_all_channels_shifted_are_worse():
    assert values(evidence(shifted))[0].estimate.value > values(evidence(moved))[0].estimate.value


def test_values_that_do_not_follow_each_other_are_seen():
    (before,), (after,) = change(evidence()), change(evidence(unrelated))
    assert after.estimate.value > before.estimate.value + 0.1
