from __future__ import annotations

import numpy as np

from semblance.modalities.vitals.metrics.presence import between, filled, gaps, presence
from tests.modalities.vitals.evidences import evidence, few
from tests.modalities.vitals.simulated import stays, thinned


def test_hours_with_a_channel_are_counted_once():
    whole = stays(12, 0)
    made = filled(whole)
    mine = (whole.stay == 2) & (whole.channel == 2)
    hours = np.unique(whole.minute[mine] // 60)
    last = whole.minute[whole.stay == 2].max() // 60 + 1
    assert np.isclose(made[2, 2], len(hours) / last)
    assert made[2, 8 + 2] == 1


def test_gaps_are_between_measurements_of_one_channel():
    whole = stays(12, 0)
    made = between(whole)
    assert made[:, 1 + 2].sum() == (whole.channel == 2).sum() - 12
    assert made[:, 1 + 2].sum(0).argmax() == 8  # from 55 to 65 minutes


def test_lost_measurements_are_seen():
    (before,), (after,) = presence(evidence()), presence(evidence(thinned))
    assert after.estimate.value > before.estimate.value + 0.1
    (before,), (after,) = gaps(evidence()), gaps(evidence(thinned))
    assert after.estimate.value > before.estimate.value + 0.2
    assert after.detail["channels"][0]["value"] >= after.detail["channels"][-1]["value"]


def test_few_stays_are_said():
    assert {f.status for f in (*presence(few()), *gaps(few()))} == {"insufficient"}
