"""The noise is the discrete Gaussian, and no seed reaches it."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.privacy.noise import chosen, noised, normal, sampled, seated


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
