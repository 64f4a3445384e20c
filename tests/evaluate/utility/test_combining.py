from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t

from semblance.core.rng import stream
from semblance.evaluate.utility.combining import raab, raghunathan, reiter

Q, U = np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.7, 0.6])  # mean 2, between 1, within .6


def test_reiter_by_hand():
    made = reiter(Q, U)
    assert made.estimate == pytest.approx(2)
    assert made.variance == pytest.approx(0.6 + 1 / 3)
    assert made.freedom == pytest.approx(2 * (1 + 0.6 * 3 / 1) ** 2)


def test_raghunathan_by_hand_and_its_fix():
    made = raghunathan(Q, U, synthetic=100, observed=100)
    assert made.variance == pytest.approx(4 / 3 - 0.6)
    assert made.freedom == 1  # 2 (1 - .6 / (4/3))^2 is less
    assert raghunathan(Q * 3, U, synthetic=1, observed=1).freedom == pytest.approx(2 * (1 - 0.6 / 12) ** 2)
    fixed = raghunathan(Q, U * 5, synthetic=50, observed=100)  # 4/3 - 3 is no variance
    assert fixed.variance == pytest.approx(3 * 0.5)
    assert fixed.freedom == pytest.approx(2)


def test_raab_by_hand_and_from_one_copy():
    assert raab(Q, U, synthetic=200, observed=100).variance == pytest.approx(0.6 * (2 + 1 / 3))
    one = raab(Q[:1], U[:1], synthetic=100, observed=100)
    assert (one.estimate, one.variance, one.freedom) == (1, pytest.approx(1.0), math.inf)


def test_rules_that_need_the_spread_need_two_copies():
    with pytest.raises(ValueError, match="at least 2"):
        reiter(Q[:1], U[:1])
    with pytest.raises(ValueError, match="at least 2"):
        raghunathan(Q[:1], U[:1], synthetic=1, observed=1)


def test_many_estimates_at_once_and_copies_that_agree():
    made = reiter(np.stack([Q, Q + 1]).T, np.stack([U, U]).T)
    assert made.estimate == pytest.approx([2, 3])
    assert made.variance == pytest.approx([0.6 + 1 / 3] * 2)
    same = reiter(np.ones(3), U)
    assert same.variance == pytest.approx(0.6)
    assert same.freedom > 1e6


def copies(rng, *, runs, n, k, m, posterior):
    """Means and squared errors (m, runs) of normal copies of n observed records, whose true mean is 0."""
    observed = rng.normal(size=(runs, n))
    centre, spread = observed.mean(axis=1), observed.std(axis=1, ddof=1)
    drawn = rng.normal(size=(m, runs)) * spread / np.sqrt(n) * posterior + centre
    made = drawn[..., None] + spread[None, :, None] * rng.normal(size=(m, runs, k))
    return made.mean(axis=2), made.var(axis=2, ddof=1) / k


def covered(made):
    half = t.ppf(0.975, np.minimum(made.freedom, 1e6)) * np.sqrt(made.variance)
    return float((np.abs(made.estimate) <= half).mean())


@pytest.mark.parametrize(("m", "k"), [(1, 100), (5, 100), (5, 250)])
def test_raabs_intervals_cover_where_the_model_was_fitted_once(m, k):
    q, u = copies(stream(0, m, k), runs=2_000, n=100, k=k, m=m, posterior=False)
    assert covered(raab(q, u, synthetic=k, observed=100)) == pytest.approx(0.95, abs=0.02)


def test_the_other_rules_cover_where_copies_are_posterior_draws():
    q, u = copies(stream(1), runs=2_000, n=100, k=100, m=50, posterior=True)
    assert covered(reiter(q, u)) == pytest.approx(0.95, abs=0.02)
    assert covered(raghunathan(q, u, synthetic=100, observed=100)) == pytest.approx(0.95, abs=0.02)


def test_one_copy_taken_as_real_does_not_cover():
    q, u = copies(stream(2), runs=2_000, n=100, k=100, m=1, posterior=False)
    assert (np.abs(q[0]) <= 1.96 * np.sqrt(u[0])).mean() < 0.87
