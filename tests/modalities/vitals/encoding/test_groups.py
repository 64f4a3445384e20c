from __future__ import annotations

import numpy as np

from semblance.modalities.vitals.encoding.groups import Groups, together
from tests.modalities.vitals.simulated import stays


def test_channels_that_come_together_are_one_group():
    whole = stays(40, 0)
    groups = Groups.find(whole)
    of = dict(zip(whole.names, groups.of, strict=True))
    assert of["SysABP"] == of["MAP"] == of["DiasABP"]
    assert of["Lactate"] == of["pH"]
    assert of["HR"] == 0
    assert len(groups) == 4
    assert np.allclose(groups.share, 1)


def test_moments_with_both_are_counted():
    whole = stays(40, 0)
    made = together(whole)
    assert made[0, 5] == (whole.channel == 0).sum() == made[0, 0]
    assert np.array_equal(made, made.T)
