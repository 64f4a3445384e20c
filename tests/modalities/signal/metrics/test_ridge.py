"""Ridge against scikit-learn's, whichever square is smaller."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from semblance.core.rng import stream
from semblance.modalities.signal.metrics.ridge import PENALTIES, ridge


@pytest.mark.parametrize("shape", [(60, 8), (12, 30)])
def test_scores_are_those_of_one_of_the_penalties(shape):
    rng = stream(0, "r")
    x, test = rng.normal(size=shape), rng.normal(size=(5, shape[1]))
    y = x[:, :2] + rng.normal(size=(len(x), 2))
    made = ridge(x, y)(test)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    apart = (test - x.mean(axis=0)) / x.std(axis=0)
    oracles = [Ridge(alpha=a * len(x)).fit(scaled, y).predict(apart) for a in PENALTIES]
    errors = [_left_out(scaled, y, a * len(x)) for a in PENALTIES]
    assert made == pytest.approx(oracles[int(np.argmin(errors))], abs=1e-3)


def _left_out(x, y, alpha):
    """By brute force; the level is that of all records, as in the closed form."""
    level = y.mean(axis=0)
    gone = []
    for i in range(len(x)):
        kept = np.arange(len(x)) != i
        model = Ridge(alpha=alpha, fit_intercept=False).fit(x[kept], y[kept] - level)
        gone.append(y[i] - level - model.predict(x[i : i + 1])[0])
    return float((np.array(gone) ** 2).mean())


def test_a_weight_of_two_is_the_record_twice():
    rng = stream(1, "r")
    x, y = rng.normal(size=(40, 4)), rng.normal(size=(40, 1))
    weight = np.where(np.arange(40) < 10, 2.0, 1.0)
    twice = np.concatenate([x, x[:10]]), np.concatenate([y, y[:10]])
    assert ridge(x, y, weight=weight)(x) == pytest.approx(ridge(*twice)(x), abs=0.1)


def test_constant_features_are_no_crash():
    assert np.isfinite(ridge(np.ones((5, 3)), np.arange(5.0)[:, None])(np.ones((2, 3)))).all()
