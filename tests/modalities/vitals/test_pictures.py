from __future__ import annotations

import json

import numpy as np

from semblance.app.plots import pictures as drawn
from semblance.core.dataset import Evidence
from semblance.modalities.vitals import MANIFEST
from semblance.modalities.vitals.pictures import pictures
from tests.modalities.vitals.simulated import stays


def test_stays_and_channels_are_drawn_side_by_side():
    told = pictures(Evidence(stays(60, 0), stays(30, 1), stays(60, 2), MANIFEST))
    assert json.loads(json.dumps(told, allow_nan=False))
    assert [one["title"] for one in told] == ["Stays", "What is measured when", "Through the stay", "How often"]
    assert all(picture["plots"] for picture in drawn(told))


def test_where_nothing_was_measured_there_is_nothing_to_see():
    none = stays(30, 1).take(np.arange(3)).kept(stays(30, 1).take(np.arange(3)).channel < 0)
    assert pictures(Evidence(stays(60, 0), stays(30, 1), none, MANIFEST)) == []
