from __future__ import annotations

from semblance.modalities.vitals.metrics.discriminative import discriminative
from tests.modalities.vitals.evidences import evidence
from tests.modalities.vitals.simulated import shifted


def test_real_stays_are_not_told_from_real_ones_and_shifted_ones_are():
    (before,), (after,) = discriminative(evidence()), discriminative(evidence(shifted))
    assert before.estimate.low < 0.06
    assert after.estimate.value > 0.45
    assert after.estimate.high <= 0.5
