from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.evaluate.utility.agreement import (
    Coefficients,
    coefficients,
    combined,
    decisions,
    karr,
    overlap,
    signs,
    told,
)
from semblance.evaluate.utility.regression import linear


def given(beta, errors=1.0, records=100):
    beta = np.asarray(beta, dtype=float)
    return Coefficients(beta, np.eye(len(beta)) * np.square(errors), math.inf, records, records)


def measured(n, slope, seed, p=6):
    rng = stream(seed)
    x = rng.normal(size=(n, p))
    y = x @ np.full(p, slope) + rng.normal(size=n)
    return coefficients(lambda terms: linear(terms, y), x, np.arange(n))


def test_overlap_by_hand():
    def share(a, a_half, b, b_half):
        return float(karr(np.array(a), np.array(a_half), np.array(b), np.array(b_half)))

    assert share(0.0, 1.0, 0.0, 1.0) == 1
    assert share(0.0, 1.0, 1.0, 1.0) == 0.5
    assert share(0.0, 1.0, 0.0, 2.0) == 0.75  # all of the one, half of the other
    assert share(0.0, 1.0, 5.0, 1.0) == 0  # disjoint: never below
    assert share(0.0, 1.0, math.nan, 1.0) == 0
    assert share(0.3, 1.0, 1.0, 2.0) == share(1.0, 2.0, 0.3, 1.0)


def test_two_samples_of_one_population_overlap_by_071():
    # half-lengths 1.96 s, difference N(0, 2 s^2): 1 - sqrt(4/pi) / (2 1.96)
    made = [overlap(measured(200, 0.3, 2 * k), measured(200, 0.3, 2 * k + 1), rng=stream(0)).value for k in range(150)]
    assert np.mean(made) == pytest.approx(1 - math.sqrt(4 / math.pi) / 3.92, abs=0.01)


def test_standard_deviations_in_the_place_of_errors_would_see_nothing():
    real, other = measured(2_000, 0.3, 0), measured(2_000, 0.0, 1)
    assert overlap(real, other, rng=stream(0)).high < 0.1
    scale = 2_000
    wrong = [replace(c, covariance=c.covariance * scale) for c in (real, other)]  # sd = se sqrt(n), as a peer takes it
    assert overlap(*wrong, rng=stream(0)).value > 0.9


@pytest.mark.parametrize("bias", [0.0, 1.0, 3.0])
def test_intervals_cover_what_samples_of_this_size_show(bias):
    rng = stream(0, int(bias))
    truth, moved = rng.normal(0, 3, 12), rng.normal(0, 1, 12) * bias
    pairs = [(given(truth + rng.normal(size=12)), given(truth + moved + rng.normal(size=12))) for _ in range(250)]
    for measure in (overlap, signs, decisions):
        made = [measure(*pair, rng=stream(1)) for pair in pairs]
        centre = np.mean([estimate.value for estimate in made])
        assert np.mean([e.low <= centre <= e.high for e in made]) >= 0.9


def test_signs_and_decisions_by_hand():
    real, other = given([5.0, -5.0, 5.0, 0.1], 0.1), given([5.0, 5.0, 0.01, 0.1], 0.1)
    assert signs(real, other, rng=stream(0)).value == pytest.approx(2 / 3)
    assert decisions(real, other, rng=stream(0)).value == pytest.approx(3 / 4)
    assert signs(given([0.1]), other, rng=stream(0)) is None


def test_a_term_that_one_side_cannot_estimate_agrees_in_nothing():
    x = np.column_stack([np.zeros(50), stream(0).normal(size=50)])
    made = coefficients(partial(linear, y=x[:, 1]), x, np.arange(50))
    assert np.isnan(made.beta).tolist() == [True, False]
    none = coefficients(partial(linear, y=x[:, 1]), np.zeros((50, 2)), np.arange(50))
    real = given([5.0, 5.0], 0.1)
    assert overlap(real, none, rng=stream(0)).value == 0
    assert signs(real, none, rng=stream(0)).value == 0
    assert told(["a", "b"], real, none)[0]["synthetic"] is None


def test_sizes_are_made_equal():
    one = given([0.0], 1.0, records=400).as_many(100)
    assert one.half == pytest.approx(2 * given([0.0]).half)
    few, rule = combined([given([0.0], 1.0, records=400)], 100)
    assert (few.half, rule) == (pytest.approx(one.half), "one copy, taken as real")


def test_several_copies_are_combined():
    made, rule = combined([given([1.0], 1.0), given([3.0], 1.0)], 100)
    assert (made.beta, made.covariance) == (pytest.approx(2), pytest.approx(1.5))  # u (1 + 1/2)
    assert rule.startswith("Raab")


def test_patients_who_repeat_widen_the_intervals():
    rng = stream(0)
    x, noise = rng.normal(size=(100, 1)), rng.normal(size=100)
    y = np.repeat(noise, 5)
    alone = coefficients(lambda terms: linear(terms, y), np.repeat(x, 5, axis=0), np.arange(500))
    known = coefficients(lambda terms: linear(terms, y), np.repeat(x, 5, axis=0), np.repeat(np.arange(100), 5))
    assert known.half > 1.7 * alone.half
    assert (known.patients, known.freedom) == (100, 99)
