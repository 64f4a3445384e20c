from __future__ import annotations

import numpy as np

from semblance.core.rng import stream
from semblance.modalities.vitals.encoding.residuals import Residuals, firsts


def test_what_lasts_and_what_is_shared_come_again():
    true = Residuals(
        np.array([2.0, 1.0]), np.full(2, 0.6), np.full(2, 16.0), np.array([[1, 0], [0.8, 0.6]]),
        np.array([100.0]),
    )  # fmt: skip
    values = true.draw(400, 60, rng=stream(0, "x")) * true.spread
    stay, bins, channel = (part.ravel() for part in np.indices(values.shape))
    told = {"stay": stay, "bins": bins, "channel": channel, "moment": stay * 60 + bins}
    order = np.lexsort((channel, bins, stay))
    found = Residuals.fit(values.ravel()[order], **{k: v[order] for k, v in told.items()}, c=2)
    assert np.allclose(found.spread, true.spread, rtol=0.05)
    assert np.allclose(found.lasting, 0.6, atol=0.1)
    assert np.allclose((found.root @ found.root.T)[0, 1], 0.8, atol=0.05)


def test_the_first_measurement_of_each_channel():
    made = firsts(np.array([0, 0, 0, 1, 1]), np.array([1, 0, 1, 1, 1]), 2)
    assert made.tolist() == [True, True, False, True, False]


def test_tails_are_as_heavy_as_they_were():
    rng = stream(0, "t")
    heavy = rng.standard_t(5, 20_000)
    zeros = np.zeros(20_000, dtype=np.int64)
    told = {"stay": np.arange(20_000), "bins": zeros, "channel": zeros, "moment": np.arange(20_000)}
    assert Residuals.fit(heavy, **told, c=1).freedom[0] < 9
    assert Residuals.fit(rng.standard_normal(20_000), **told, c=1).freedom[0] > 30
