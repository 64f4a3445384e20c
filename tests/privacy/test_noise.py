"""The noise is the discrete Gaussian, and no seed reaches it."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from semblance.core.rng import stream
from semblance.privacy.noise import chosen, common, noised, normal, sampled, seated, tails, threshold


@pytest.mark.parametrize("sigma", [0.7, 8.0])
def test_it_is_whole_and_has_the_probabilities_of_the_discrete_gaussian(sigma):
    drawn = noised(np.zeros(20_000, dtype=np.int64), sigma=sigma)
    assert drawn.dtype == np.int64
    values = np.arange(-60, 61)
    shares = np.exp(-(values**2) / (2 * sigma**2))
    shares /= shares.sum()
    counts = np.bincount((drawn + 60).clip(0, 120), minlength=121)
    enough = shares * len(drawn) >= 5
    squared = ((counts - shares * len(drawn))[enough] ** 2 / (shares * len(drawn))[enough]).sum()
    assert squared < enough.sum() + 6 * np.sqrt(2 * enough.sum())


def test_the_shape_is_kept_and_no_seed_repeats_it():
    counts = np.arange(600).reshape(20, 30)
    one, two = (noised(counts, sigma=5.0) for _ in range(2))
    assert one.shape == (20, 30)
    assert (one != two).any()
    assert abs(float((one - counts).mean())) < 5 * 5.0 / np.sqrt(600)


def test_at_most_so_many_records_of_a_patient_are_kept_and_any_may_be():
    subjects = stream(0, "subjects").integers(0, 50, 400)
    kept = [chosen(subjects, most=2) for _ in range(60)]
    for one in kept:
        assert (np.bincount(subjects[one], minlength=50) == np.minimum(np.bincount(subjects, minlength=50), 2)).all()
    assert np.any(kept, axis=0).mean() > 0.99
    assert not chosen(np.zeros(0, dtype=np.int64), most=1).any()


def test_normal_numbers_are_normal_whatever_the_seed():
    from scipy.stats import kstest

    np.random.seed(0)
    drawn = normal(50_001)
    np.random.seed(0)
    again = normal(50_001)
    assert len(drawn) == 50_001 and kstest(drawn, "norm").pvalue > 1e-4
    assert not np.isin(drawn, again).all() and abs(np.corrcoef(drawn[:25_000], drawn[25_000:50_000])[0, 1]) < 0.03


def test_each_is_in_a_sample_by_a_coin_of_its_own():
    drawn = [sampled(40, rate=0.25) for _ in range(2000)]
    sizes = np.array([len(one) for one in drawn])
    # The size varies as that of a Poisson sample does; in a shuffled epoch it would not.
    assert sizes.mean() == pytest.approx(10, abs=0.4) and sizes.var() == pytest.approx(7.5, rel=0.2)
    assert np.bincount(np.concatenate(drawn), minlength=40) == pytest.approx(np.full(40, 500), abs=100)
    assert len(sampled(7, rate=1.0)) == 7 and not len(sampled(0, rate=0.5))


@pytest.mark.parametrize(("patients", "seats"), [(30, 50), (30, 30), (50, 20), (0, 4)])
def test_there_are_as_many_seats_as_is_public_whoever_is_there(patients, seats):
    subjects = stream(0, "seats").permutation(np.repeat(np.arange(patients), 3))
    rows = seated(subjects, seats=seats)
    held = rows[rows >= 0]
    assert len(rows) == seats and len(held) == min(patients, seats)
    assert len(set(subjects[held])) == len(held)  # one record of each


def test_any_patient_may_sit_anywhere_or_be_left_out():
    found = np.array([seated(np.arange(5), seats=4) for _ in range(4000)])
    for row in range(5):
        assert (found == row).mean(0) == pytest.approx(0.2, abs=0.04)


# Which of unknown values are told


@pytest.mark.parametrize("sigma", [0.4, 3.0, 55.5])
def test_tails_are_sums_of_the_probabilities_and_never_below_them(sigma):
    exact = [math.exp(-(Fraction(x) ** 2) / (2 * Fraction(sigma) ** 2)) for x in range(-2000, 2001)]
    whole, told = math.fsum(exact), tails(int(5 * sigma), sigma=sigma)
    for at in range(0, int(5 * sigma) + 1, max(1, int(sigma))):
        assert 1 <= told[at] / (math.fsum(exact[2000 + at :]) / whole) <= 1 + 1e-8


@given(st.floats(0.2, 500), st.floats(1e-12, 0.3))
def test_a_lone_patient_reaches_the_threshold_with_at_most_delta_and_one_below_with_more(sigma, delta):
    at = threshold(sigma=sigma, delta=delta)
    chances = tails(at, sigma=sigma)  # its count is one and the noise
    assert at >= 2 and chances[at - 1] <= delta < chances[at - 2] * (1 + 1e-8)
    assert at <= 2 + sigma * math.sqrt(2 * math.log(1 / delta)) + 1


def test_it_is_near_the_quantile_of_normal_noise_that_others_take():
    for sigma, delta in ((20.0, 1e-6), (300.0, 1e-9)):
        assert threshold(sigma=sigma, delta=delta) == pytest.approx(1 + norm.isf(delta) * sigma, abs=1.5)


def test_what_a_lone_patient_holds_is_told_as_often_as_was_said_and_what_nobody_holds_never():
    sigma, delta = 1.5, 0.05
    told = common(np.repeat([0, 1, 40], 20_000), sigma=sigma, delta=delta).reshape(3, -1)
    exact = float(tails(9, sigma=sigma)[threshold(sigma=sigma, delta=delta) - 1])
    assert not told[0].any() and (told[2] > 0).all()
    assert (told[1] > 0).mean() == pytest.approx(exact, abs=5 * math.sqrt(exact / 20_000)) and exact <= delta
    assert set(np.unique(told[1])) <= {0, *range(threshold(sigma=sigma, delta=delta), 40)}
