from __future__ import annotations

import math

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.evaluate.utility.agreement import Coefficients
from semblance.evaluate.utility.cox import explained
from semblance.evaluate.utility.effects import bias, inflation


def one(*beta, spread=0.05):
    made = np.array(beta, float)
    return Coefficients(made, np.eye(len(made)) * spread**2, math.inf, 500, 500)


def cohort(n, seed, strength=1.0):
    rng = stream(seed, "effects")
    x = rng.normal(size=(n, 2))
    life, end = rng.exponential(np.exp(-strength * x[:, 0])), rng.uniform(0.5, 3, n)
    return x, np.minimum(life, end), (life <= end).astype(float)


def test_bias_is_the_mean_distance_and_less_where_chance_explains_it():
    found = bias(one(0.5, -0.2), one(0.9, -0.2), rng=stream(0))
    assert found.value == pytest.approx(0.2)
    assert found.low > 0.05
    assert bias(one(0.5, -0.2), one(0.5, -0.2), rng=stream(0)).value == 0


def test_a_term_that_cannot_be_estimated_has_no_effect():
    assert bias(one(0.6, 0.2), one(math.nan, 0.2), rng=stream(0)).value == pytest.approx(0.3)


def test_inflation_of_itself_is_none():
    score = explained(*cohort(400, 0))
    ratio, distance = inflation(score, score)
    assert (ratio.value, distance.value) == (1, 0)


def test_intervals_of_the_ratio_cover_one_for_like_samples():
    hits = 0
    for seed in range(100):
        a, b = (explained(*cohort(300, 2 * seed + k)) for k in (0, 1))
        ratio, _ = inflation(a, b)
        hits += ratio.low <= 1 <= ratio.high
    assert 88 <= hits <= 100


def test_too_strong_and_too_weak_are_alike():
    real = explained(*cohort(600, 0))
    strong, weak = (inflation(real, explained(*cohort(600, 1, strength=s))) for s in (2.0, 0.5))
    assert strong[0].low > 1 and weak[0].high < 1
    assert min(strong[1].low, weak[1].low) > 0


def test_nobody_dies():
    x, time, event = cohort(100, 0)
    ratio, distance = inflation(explained(x, time, event), explained(x, time, event * 0))
    assert ratio.value < 0.1 and np.isfinite(distance.high)
