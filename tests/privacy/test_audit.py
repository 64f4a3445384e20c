"""Lower bounds of epsilon: below the truth with their confidence, near it, and above a claim that is false."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from semblance.core.rng import stream
from semblance.privacy.audit import (
    Audit,
    attacked,
    epsilon_of_mu,
    from_guesses,
    from_one_run,
    from_rates,
    from_roc,
    of_counts,
)

HOW = {"delta": 1e-5, "confidence": 0.999}


def gaussian(mu: float, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = stream(seed, "scores")
    return rng.normal(mu, 1, n), rng.normal(0, 1, n)


@pytest.mark.parametrize("mu", [0.1, 0.5, 1.0, 2.0])
def test_epsilon_of_a_gaussian_mechanism_is_that_of_the_closed_form(mu):
    epsilon = epsilon_of_mu(mu, delta=1e-5)
    assert norm.cdf(mu / 2 - epsilon / mu) - math.exp(epsilon) * norm.cdf(-mu / 2 - epsilon / mu) == pytest.approx(
        1e-5, rel=1e-6
    )


@pytest.mark.parametrize("mu", [0.2, 1.0, 3.0])
def test_no_bound_exceeds_the_truth_and_the_curve_comes_near_it(mu):
    truth = epsilon_of_mu(mu, delta=1e-5)
    inside, outside = gaussian(mu, 20_000)
    assert 0.75 * truth < from_roc(inside, outside, **HOW) < truth
    assert from_rates(inside, outside, **HOW) < truth


@pytest.mark.parametrize(("mu", "runs"), [(0.5, 300), pytest.param(0.95, 60, marks=pytest.mark.slow)])
def test_a_bound_holds_as_often_as_it_says(mu, runs):
    truth = epsilon_of_mu(mu, delta=1e-5)
    drawn = [gaussian(mu, runs, seed) for seed in range(200)]
    for confidence, most in ((0.9, 0.16), (0.99, 0.035)):
        how = {"delta": 1e-5, "confidence": confidence}
        assert np.mean([from_roc(*scores, **how) > truth for scores in drawn]) < most
    assert np.mean([from_rates(*scores, delta=1e-5, confidence=0.9) > truth for scores in drawn[:60]]) < 0.12


def test_randomised_response_is_bounded_by_its_own_epsilon():
    rng, keep = stream(0, "coins"), math.exp(1) / (1 + math.exp(1))
    inside, outside = ((rng.random(40_000) < p).astype(float) for p in (keep, 1 - keep))
    assert 0.85 < from_rates(inside, outside, **HOW) < 1


def test_a_mechanism_without_noise_is_caught_by_few_runs():
    inside, outside = np.ones(100), np.zeros(100)
    assert from_rates(inside, outside, **HOW) > 1.5
    assert from_roc(inside, outside, **HOW) > 5


def test_an_attack_that_knows_nothing_bounds_nothing():
    inside, outside = gaussian(0, 1000)
    assert from_rates(inside, outside, **HOW) == 0 and from_roc(inside, outside, **HOW) == 0


def test_many_canaries_in_one_run():
    rng = stream(0, "canaries")
    there = rng.random(600) < 0.5
    assert from_one_run(there + 0.1 * rng.random(600), there, delta=1e-6, confidence=0.95) > 3
    assert from_one_run(rng.random(600), there, delta=1e-6, confidence=0.95) == pytest.approx(0, abs=1e-6)
    keep = math.exp(1) / (1 + math.exp(1))
    told = np.where(rng.random(600) < keep, there, ~there) + 0.1 * rng.random(600)
    assert 0.4 < from_one_run(told, there, delta=1e-6, confidence=0.95) < 1


# Canaries, guesses, right ones, delta, and the lower bound of epsilon with 95 % (Steinke et al. 2023, appendix D).
GUESSED = [
    (1000, 100, 100, 1e-5, 3.465),
    (1000, 100, 90, 1e-5, 1.626),
    (1000, 100, 75, 1e-5, 0.700),
    (1000, 1000, 750, 1e-5, 0.976),
    (1000, 1000, 520, 1e-5, 0.0),
    (500, 50, 45, 0.0, 1.394),
]


@pytest.mark.parametrize(("canaries", "guesses", "right", "delta", "bound"), GUESSED)
def test_right_guesses_bound_epsilon_as_published(canaries, guesses, right, delta, bound):
    found = from_guesses(canaries, guesses, right, delta=delta, confidence=0.95)
    assert found == pytest.approx(bound, abs=1e-3)


def test_a_large_delta_allows_what_a_small_one_does_not():
    rng = stream(0, "canaries")
    there = rng.random(300) < 0.5
    small, large = (from_one_run(there.astype(float), there, delta=d, confidence=0.95) for d in (1e-9, 1e-3))
    assert large < small


def test_a_claim_is_refuted_by_the_best_bound():
    assert Audit(1.0, 1e-5, 0.99, 100, 0.0, 0.9, 0.3).holds
    assert not Audit(1.0, 1e-5, 0.99, 100, 0.0, 0.9, 1.3).holds


def test_counts_are_scored_by_their_likelihood_ratio():
    """Two of three rows are counted; each column alone, and both together."""
    codes, subsets = np.array([[0, 1], [0, 1], [1, 1]]), [(0,), (0, 1)]
    expected = [np.array([4 / 3, 2 / 3]), np.array([[0, 4 / 3], [0, 2 / 3]])]
    noisy = [np.array([3.0, -1.0]), np.array([[5.0, 1.0], [2.0, 0.5]])]

    def log_density(around: list[np.ndarray]) -> float:
        return sum(norm.logpdf(x, m, 2.0).sum() for x, m in zip(noisy, around, strict=True))

    found = of_counts(noisy, subsets, codes, sigma=2.0, clip=2)
    assert found == pytest.approx(log_density(expected) - log_density([0 * m for m in expected]))
    assert of_counts(noisy, subsets, codes[:0], sigma=2.0) == 0


def test_runs_are_told_and_their_scores_bounded():
    heard, sides = [], []

    def score(inside: bool) -> float:
        sides.append(inside)
        return float(inside) + len(sides) / 100

    there = np.arange(30) % 2 == 0
    how = {"epsilon": 0.1, "delta": 0.0, "confidence": 0.9}
    found = attacked(
        score, lambda there: there.astype(float), there, trials=12, watch=lambda *at: heard.append(at), **how
    )
    assert heard == [(i, 24) for i in range(24)] and sides == [True] * 12 + [False] * 12
    assert not found.holds and min(found.gaussian, found.one_run) > 0.1
