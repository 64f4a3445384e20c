from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.vitals.data import Channel
from semblance.modalities.vitals.encoding.encoding import Encoding
from tests.modalities.vitals.simulated import stays

OPTIONS = {"blocks": 4, "factors": 10, "rare": 5}


@pytest.fixture(scope="module")
def fitted():
    return Encoding.fit(stays(200, 0), **OPTIONS, rng=stream(0, "fit"))


def test_a_vector_becomes_a_stay_with_its_facts(fitted):
    encoding, learned = fitted
    whole = stays(200, 0)
    assert learned.sizes == encoding.sizes
    made = encoding.stays(learned.coefficients, learned.labels, first=7, rng=stream(1, "x"))
    assert made.frame["sex"].astype(str).tolist() == whole.frame["sex"].astype(str).tolist()
    assert made.frame["died"].astype(str).tolist() == whole.frame["died"].astype(str).tolist()
    assert np.corrcoef(made.frame["age"], whole.frame["age"])[0, 1] > 0.98
    assert made.subjects[0] == 7
    assert made.channels == whole.channels


def test_outcomes_are_as_frequent_as_they_were(fitted):
    encoding, learned = fitted
    drawn = encoding.known.usual(5000, rng=stream(0, "x"))
    assert abs(drawn.mean() - learned.labels.mean()) < 0.02


def test_stays_of_unknown_outcome_are_not_learned_from():
    whole = stays(100, 0)
    died = whole.frame["died"].astype(object).where(np.arange(100) >= 30).astype("category")
    encoding, learned = Encoding.fit(
        replace(whole, frame=whole.frame.assign(died=died)), **OPTIONS, rng=stream(0, "fit")
    )
    assert len(learned.labels) == 70
    made = encoding.stays(learned.coefficients, learned.labels, first=0, rng=stream(1, "x"))
    assert 0 < made.frame["died"].isna().mean() < 0.6


def test_rare_channels_leave_no_trace():
    whole = stays(60, 0)
    channel = whole.channel.copy()
    channel[:3] = 8
    planted = replace(whole, channels=(*whole.channels, Channel("Rarease")), channel=channel)
    encoding, _ = Encoding.fit(planted, **OPTIONS, rng=stream(0, "fit"))
    assert "Rarease" not in str(encoding.to_json())
