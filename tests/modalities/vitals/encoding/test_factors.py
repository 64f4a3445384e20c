from __future__ import annotations

import numpy as np

from semblance.core.rng import stream
from semblance.modalities.vitals.encoding.factors import Factors


def made(missing: float, n: int = 1500):
    rng = stream(0, "factors")
    axes = rng.normal(size=(12, 2))
    true = rng.normal(size=(n, 2)) @ axes.T + np.arange(12.0)
    count = np.where(rng.random((n, 12)) < missing, 0, 3)
    noisy = true + 0.3 * rng.normal(size=true.shape)
    return true, np.where(count > 0, noisy, 0.0), count.astype(float)


def test_what_is_missing_is_told_by_what_is_not():
    true, means, count = made(0.6)
    factors = Factors.fit(means, count, k=2, rng=stream(1, "fit"))
    found = factors.means(factors.draw(means, count, rng=stream(2, "draw")))
    gone = (count == 0) & (count.sum(1) >= 12)[:, None]
    error = found[gone] - true[gone]
    assert np.abs(factors.centre - np.arange(12)).max() < 0.4
    assert error.std() < 0.5 * (true[gone] - np.broadcast_to(np.arange(12.0), true.shape)[gone]).std()


def test_numbers_are_drawn_normal_also_where_little_was_measured():
    _, means, count = made(0.8)
    factors = Factors.fit(means, count, k=2, rng=stream(1, "fit"))
    numbers = factors.draw(means, count, rng=stream(2, "draw"))
    assert np.allclose(numbers.std(0), 1, atol=0.15)
    assert np.abs(numbers.mean(0)).max() < 0.15


def test_nothing_measured_is_no_crash():
    factors = Factors.fit(np.zeros((5, 0)), np.zeros((5, 0)), k=3, rng=stream(0, "x"))
    assert factors.draw(np.zeros((5, 0)), np.zeros((5, 0)), rng=stream(0, "y")).shape == (5, 0)
