from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.vitals.generators.floor import Floor
from semblance.modalities.vitals.summary import NUMBERS, summary
from tests.modalities.vitals.simulated import stays


@pytest.fixture(scope="module")
def made():
    return next(Floor().fit(stays(400, 0), rng=stream(0, "fit")).sample(400, rng=stream(0, "sample")))


def test_the_ill_die_and_are_measured_more(made):
    real = stays(400, 0)
    for stays_ in (real, made):
        died = (stays_.frame["died"] == "1").to_numpy()
        told = summary(stays_)
        counts, rates = told[:, 3, NUMBERS.index("count")], told[:, 2, NUMBERS.index("mean")]
        assert counts[died].mean() > 1.15 * counts[~died].mean()
        assert np.nanmean(rates[died]) > np.nanmean(rates[~died]) + 5


def test_channels_are_missing_in_as_many_stays(made):
    real = stays(400, 0)
    ever = [(summary(s)[..., NUMBERS.index("count")] > 0).mean(0) for s in (real, made)]
    assert np.abs(ever[0] - ever[1]).max() < 0.08
