from __future__ import annotations

import numpy as np

from semblance.modalities.vitals.summary import NUMBERS, summary
from tests.modalities.vitals.simulated import stays


def test_a_channel_of_a_stay_is_told_by_hand():
    whole = stays(12, 0)
    made = summary(whole)
    assert made.shape == (12, len(whole.channels), len(NUMBERS))
    own = whole.value[(whole.stay == 3) & (whole.channel == 2)]
    expected = [own[0], own[-1], own.min(), own.max(), own.mean(), len(own)]
    assert np.allclose(made[3, 2], expected)


def test_what_was_not_measured_is_missing_and_counts_nothing():
    whole = stays(12, 0)
    made = summary(whole.kept(whole.channel != 2))
    assert np.isnan(made[:, 2, :-1]).all()
    assert (made[:, 2, -1] == 0).all()


def test_no_measurement_at_all():
    whole = stays(12, 0)
    assert (summary(whole.kept(whole.channel < 0))[..., -1] == 0).all()
