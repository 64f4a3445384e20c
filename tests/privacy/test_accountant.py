"""What noise costs: published vectors, closed forms, and laws of composition."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from semblance.core.promise import Answers, Noise, Steps
from semblance.privacy.accountant import (
    SMOOTH,
    _of_gaussians,
    answers_for,
    epsilon_of,
    epsilon_of_rho,
    noise_for,
    rho_of,
    steps_for,
)

# rho by cdp2adp.cdp_rho of the discrete Gaussian's authors; sigma of the exact continuous Gaussian (Balle & Wang 2018).
VECTORS = [
    (1.0, 1e-5, 0.0305566, 3.7306),
    (1.0, 1e-9, 0.0149731, 5.4953),
    (3.0, 1e-5, 0.224249, 1.3906),
    (0.5, 1e-5, 0.00850553, 7.0318),
]


@pytest.mark.parametrize(("epsilon", "delta", "rho", "_"), VECTORS)
def test_rho_is_the_published_one_and_never_above_it(epsilon, delta, rho, _):
    found = rho_of(epsilon, delta=delta)
    assert found == pytest.approx(rho, rel=2e-5)
    assert epsilon_of_rho(found, delta=delta) <= epsilon


@pytest.mark.parametrize(("epsilon", "delta", "_", "sigma"), VECTORS)
def test_noise_is_that_of_the_exact_gaussian_and_less_than_rho_asks_for(epsilon, delta, _, sigma):
    (noise,) = noise_for(epsilon, delta=delta, parts=[(1, 1)])
    # Little noise is coarse: the discrete Gaussian then asks for a little less than the continuous one.
    assert noise.sigma == pytest.approx(sigma, rel=0.03 if sigma < 2 else 0.01)
    assert noise.sigma < math.sqrt(1 / (2 * rho_of(epsilon, delta=delta)))
    assert epsilon_of([noise], delta=delta) <= epsilon


@pytest.mark.parametrize(("sigma", "delta"), [(0.8, 1e-4), (1.3524, 1e-5), (6.0, 1e-7)])
def test_the_bound_of_one_histogram_holds_by_its_definition(sigma, delta):
    values = np.arange(-400, 401)
    with_patient = np.exp(-(values**2) / (2 * sigma**2))
    with_patient /= with_patient.sum()
    epsilon = epsilon_of([Noise(sigma)], delta=delta)

    def beyond(e: float) -> float:
        return float(np.maximum(with_patient - np.exp(e) * np.roll(with_patient, 1), 0).sum())

    assert beyond(epsilon) <= delta * 1.001 < beyond(epsilon * 0.99) * 1.2


def gaussian_epsilon(sigma: float, delta: float) -> float:
    """Balle & Wang 2018, theorem 8, for sensitivity 1."""

    def slack(e: float) -> float:
        return norm.cdf(1 / (2 * sigma) - e * sigma) - math.exp(e) * norm.cdf(-1 / (2 * sigma) - e * sigma) - delta

    return float(brentq(slack, 0, 200))


@pytest.mark.parametrize(("sigma", "count"), [(20.0, 1), (40.0, 30), (15.0, 7)])
def test_the_exact_bound_of_many_histograms_is_that_of_one_gaussian(sigma, count):
    together = gaussian_epsilon(sigma / math.sqrt(count), 1e-6)
    found = epsilon_of([Noise(sigma, 1, count)], delta=1e-6)
    assert together * 0.999 <= found <= together * 1.01


def test_costs_add_up_in_any_order_and_noise_of_several_records_costs_more():
    a, b = Noise(30.0, 1, 4), Noise(50.0, 1, 9)
    assert epsilon_of([a, b], delta=1e-6) == pytest.approx(epsilon_of([b, a], delta=1e-6))
    assert epsilon_of([a, a], delta=1e-6) == pytest.approx(epsilon_of([Noise(30.0, 1, 8)], delta=1e-6))
    assert epsilon_of([a], delta=1e-6) < epsilon_of([a, b], delta=1e-6)
    assert epsilon_of([Noise(30.0, 3, 4)], delta=1e-6) > epsilon_of([a], delta=1e-6)
    assert Noise(30.0, 3, 4).rho == pytest.approx(4 * 9 / (2 * 900))
    assert epsilon_of([], delta=1e-6) == 0


def test_parts_use_up_what_is_left_and_not_more():
    before = (Noise(20.0, 1, 2),)
    parts = noise_for(1.0, delta=1e-6, parts=[(0.2, 5), (0.8, 10)], before=before)
    assert [noise.count for noise in parts] == [5, 10]
    assert parts[0].rho / parts[1].rho == pytest.approx(0.25)
    assert 0.995 < epsilon_of((*before, *parts), delta=1e-6) <= 1.0


def test_where_nothing_is_left_the_noise_has_no_end():
    spent = noise_for(1.0, delta=1e-6, parts=[(1, 3)])
    assert all(noise.sigma == math.inf for noise in noise_for(1.0, delta=1e-6, parts=[(1, 3)], before=spent))


# By the authors of TF Privacy for MNIST: noise 1.1, batches of 256 of 60,000, 60 epochs; by moments epsilon 3.0 at
# delta 1e-5, and less by exact accounting.
def test_steps_of_training_cost_less_than_their_moments_say():
    found = epsilon_of([Steps(1.1, 256 / 60_000, 60 * 60_000 // 256)], delta=1e-5)
    assert 2.3 < found < 3.01


def test_steps_on_everybody_are_one_gaussian():
    found = epsilon_of([Steps(50.0, 1.0, 100)], delta=1e-6)
    assert gaussian_epsilon(5.0, 1e-6) * 0.999 <= found <= gaussian_epsilon(5.0, 1e-6) * 1.01


@pytest.mark.parametrize("before", [(), (Noise(20.0, 1, 2),), (Noise(60.0, 3, 2), Answers(0.1, 2))])
def test_steps_use_up_what_is_left_and_not_more(before):
    found = steps_for(1.0, delta=1e-6, rate=0.01, count=500, before=before)
    assert 0.98 < epsilon_of((*before, found), delta=1e-6) <= 1.0
    assert epsilon_of((*before, replace(found, sigma=found.sigma * 0.99)), delta=1e-6) > 1.0


def test_noise_after_steps_is_what_they_left():
    steps = Steps(4.0, 0.02, 200)
    found = noise_for(1.0, delta=1e-6, parts=[(0.2, 3), (0.8, 5)], before=[steps])
    assert 0.97 < epsilon_of((steps, *found), delta=1e-6) <= 1.0
    spent = steps_for(1.0, delta=1e-6, rate=0.02, count=200)
    assert all(noise.sigma > 200 for noise in noise_for(1.0, delta=1e-6, parts=[(1.0, 3)], before=[spent]))


def test_steps_after_all_is_spent_have_noise_without_end():
    spent = noise_for(1.0, delta=1e-6, parts=[(1, 3)])
    assert steps_for(1.0, delta=1e-6, rate=0.5, count=500, before=spent).endless


def test_answers_add_up_as_closed_forms_say():
    assert epsilon_of([Answers(0.5)], delta=1e-9) == pytest.approx(0.5, rel=1e-3)
    # Basic composition bounds few of them, zero-concentrated privacy many.
    assert epsilon_of([Answers(0.5, 3)], delta=1e-9) <= 1.5 * 1.001
    assert epsilon_of([Answers(0.01, 1000)], delta=1e-6) <= epsilon_of_rho(1000 * 0.01**2 / 2, delta=1e-6)


def test_epsilons_of_answers_are_no_more_than_their_sum():
    assert epsilon_of([Answers(4.0)], delta=1e-6) <= 4
    assert epsilon_of([Answers(0.7, 2), Answers(1.1)], delta=1e-6) <= 0.7 * 2 + 1.1
    counts = Noise(40.0, 1, 5)
    assert epsilon_of([counts, Answers(3.0)], delta=1e-6) <= epsilon_of([counts], delta=1e-6) + 3


@pytest.mark.parametrize("before", [(), (Answers(0.3),), (Noise(20.0, 1, 2),), (Noise(60.0, 3, 2), Answers(0.1, 2))])
@pytest.mark.parametrize("count", [1, 3])
def test_answers_use_up_what_is_left_and_not_more(before, count):
    found = answers_for(1.0, delta=1e-6, count=count, before=before)
    assert found is not None and found.count == count
    assert 0.9 < epsilon_of((*before, found), delta=1e-6) <= 1.0


def test_after_all_is_spent_there_is_no_answer():
    assert answers_for(1.0, delta=1e-6, count=1, before=[Answers(1.0)]) is None


def test_a_threshold_takes_its_share_of_delta():
    plain, told = Noise(30.0, 1, 4), Noise(30.0, 1, 4, 5e-7)
    assert epsilon_of([told], delta=1e-6) == pytest.approx(epsilon_of([plain], delta=5e-7))
    assert epsilon_of([told, told], delta=1e-6) == math.inf


def test_several_kinds_cost_at_least_each_and_at_most_their_sum():
    parts = [Noise(40.0, 1, 5), Noise(60.0, 4, 2), Steps(2.0, 0.01, 300), Answers(0.2, 2)]
    together = epsilon_of(parts, delta=1e-6)
    assert together > max(epsilon_of([part], delta=1e-6) for part in parts)
    assert together <= sum(epsilon_of([part], delta=1e-6 / 4) for part in parts)


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("count", [300, 1081])
def test_what_is_left_after_columns_pays_for_many_tables_to_the_last_digit(epsilon: float, count: int) -> None:
    """47 columns and their 1,081 pairs: where concentrated privacy is the nearer bound, its rounding counts."""
    delta = 57_214**-1.1
    columns = noise_for(epsilon, delta=delta, parts=[(0.3, 47), (0.7, 1)])[0]
    pairs = noise_for(epsilon, delta=delta, parts=[(1.0, count)], before=[columns])
    assert 0.99 * epsilon < epsilon_of([columns, *pairs], delta=delta) <= epsilon


def test_a_budget_of_next_to_nothing_buys_noise_that_holds() -> None:
    """What delta alone covers costs no epsilon at all."""
    (found,) = noise_for(1e-4, delta=0.01, parts=[(1, 1)])
    assert not found.endless and epsilon_of([found], delta=0.01) <= 1e-4


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("count", [78, 1081])
def test_many_tables_lose_next_to_nothing_by_rounding(epsilon: float, count: int) -> None:
    """Rounded one by one, 78 had 7 % more noise at .1 than they need, 1,081 as much as concentrated privacy asks."""
    delta = 1e-5
    parts = noise_for(epsilon, delta=delta, parts=[(0.5, 14), (0.5, count)])
    (later,) = noise_for(epsilon, delta=delta, parts=[(1.0, count)], before=[parts[0]])
    rho = _of_gaussians(epsilon, delta=delta)  # Gaussians compose: many are one
    for part in (*parts, later):
        assert part.sigma == pytest.approx(math.sqrt(part.count / rho), rel=0.012)
    assert 0.99 * epsilon < epsilon_of([parts[0], later], delta=delta) <= epsilon


def test_the_sum_of_discrete_gaussians_is_one_as_far_as_numbers_show() -> None:
    """At the least noise of which the accountant says so (SMOOTH), and not at any; the published factor holds."""

    def pmf(variance: float) -> np.ndarray:
        found = np.exp(-(np.arange(-200, 201) ** 2) / (2 * variance))
        return found / found.sum()

    for sigma in (SMOOTH, 0.6, 0.4):
        one = pmf(sigma**2)
        whole = one
        for _ in range(9):
            whole = np.convolve(whole, one, mode="same")
        seen = pmf(10 * sigma**2) > 1e-5
        off = np.abs(np.log(whole[seen] / pmf(10 * sigma**2)[seen])).max()
        most = 10 * sum(math.exp(-2 * math.pi**2 * sigma**2 * j / (j + 1)) for j in range(1, 10))
        assert off <= most + 1e-12 and (off < 1e-12) == (sigma == SMOOTH)


@pytest.mark.parametrize(("sigma", "count"), [(3.0, 5), (4.0, 40), (30.0, 300)])
def test_tables_composed_as_one_sum_cost_what_they_cost_one_by_one(sigma: float, count: int) -> None:
    losses = pytest.importorskip("dp_accounting.pld.privacy_loss_distribution")
    grid = 1e-5
    one = losses.from_discrete_gaussian_mechanism(sigma, value_discretization_interval=grid)
    apart = one.self_compose(count).get_epsilon_for_delta(1e-6)
    found = epsilon_of([Noise(sigma, 1, count)], delta=1e-6)
    assert apart * (1 - 1e-4) - count * grid < found <= apart * 1.006
