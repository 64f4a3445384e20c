"""What was measured costs together: an upper bound of epsilon, and the noise that a budget asks for.

Several bounds hold; the smallest one counts. Zero-concentrated differential privacy (Bun & Steinke 2016) converted by
Canonne, Kamath & Steinke (2020, corollary 13), and, where a patient moves one cell of each histogram by one, the exact
privacy loss distribution of the discrete Gaussian (Koskela et al. 2020; Google's dp-accounting). The epsilons of
randomised answers also simply add up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, lru_cache, reduce
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr

from semblance.core.need import need
from semblance.core.promise import Answers, Noise, Spent, Steps

ALPHAS = 1 + np.geomspace(1e-3, 1e5, 4000)
HALVINGS = 60
CLOSE = 1e-3
"""Up to this share the noise is larger than it had to be, never smaller."""
FINE, COARSE = 1e-4, 1e-3
"""Steps of the grid on which privacy losses are rounded up, at most; those (times epsilon) on which the noise of
training is looked for: less work, and as they are rounded up no less of a bound."""
LOST, FINEST = 0.01, 1e-5
"""The share of epsilon that rounding may take, half of it on average, where the grid is not finer than this share."""
SMOOTH, LARGE = 3.0, 5e3
"""The least noise of tables that are composed as one sum, and the largest of a sum, which bounds the work."""
ROUNDED = 1e-9
"""The share of what concentrated privacy says is left that its rounding may take."""
GROWTH = 0.55
"""Of the power with which epsilon grows with rho, a guess: it is between a half, where both are small, and one."""
LEAST = 1e-3
"""The share of a budget below which nothing is left of it."""
BEYOND = 9.0
"""Logarithm of the noise of a step above which nothing is left of a budget, and below whose inverse none is asked."""


def epsilon_of(spent: Sequence[Spent], *, delta: float) -> float:
    """An upper bound of epsilon of all of them together, at this delta; infinite where no epsilon holds at it."""
    return _bound(spent, delta, FINE)


def _bound(spent: Sequence[Spent], delta: float, grid: float) -> float:
    if not spent:
        return 0.0
    left = delta - sum(part.delta for part in spent if isinstance(part, Noise))
    if left <= 0:
        return math.inf
    costs = [part.rho for part in spent if not isinstance(part, Steps)]
    bound = epsilon_of_rho(sum(costs), delta=left) if len(costs) == len(spent) else math.inf
    wide = [part for part in spent if isinstance(part, Noise) and part.sensitivity != 1]
    if wide and math.isfinite(bound):
        return bound
    others = [part for part in spent if not isinstance(part, Answers)]
    if len(others) < len(spent):
        # Epsilons of answers add up (Dwork et al. 2006), to those of whatever else there is.
        answers = sum(part.count * part.epsilon for part in spent if isinstance(part, Answers))
        bound = min(bound, _bound(others, delta, grid) + answers)
    parts = _composed(spent)
    if len(costs) == len(spent) and math.isfinite(bound) and bound > 0:
        step = bound * max(LOST / max(sum(math.ceil(n / _summed(part)) for part, n in parts), 1), FINEST)
        grid = min(grid, 2.0 ** math.floor(math.log2(step)))  # what was composed once serves the next look
    return min(bound, _exact(parts, sum(part.rho for part in wide), left, grid))


def epsilon_of_rho(rho: float, *, delta: float) -> float:
    """The least epsilon that rho-zCDP implies at delta: the minimum over orders of the Renyi divergence."""
    orders = ALPHAS
    found = orders * rho + (np.log1p(-1 / orders) * (orders - 1) - math.log(delta) - np.log(orders)) / (orders - 1)
    return max(0.0, float(found.min()))


@lru_cache(maxsize=256)
def rho_of(epsilon: float, *, delta: float) -> float:
    """The largest rho of which rho-zCDP implies (epsilon, delta): the inverse of `epsilon_of_rho`, from below."""
    low, high = 0.0, epsilon
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if epsilon_of_rho(middle, delta=delta) <= epsilon else (low, middle)
    return low


def noise_for(
    epsilon: float, *, delta: float, parts: Sequence[tuple[float, int]], before: Sequence[Spent] = ()
) -> tuple[Noise, ...]:
    """The least noise for `parts`, (share, histograms) each, that ends at (epsilon, delta) together with `before`.

    A part's share is that of the budget in zero-concentrated terms; within a part all histograms get the same noise. A
    patient moves one cell of each by one. Where nothing is left, the noise is infinite.
    """
    return _least(epsilon, delta, tuple(parts), tuple(before))


@lru_cache(maxsize=256)
def _least(
    epsilon: float, delta: float, parts: tuple[tuple[float, int], ...], before: tuple[Spent, ...]
) -> tuple[Noise, ...]:
    total, told = sum(share for share, _ in parts), delta - sum(p.delta for p in before if isinstance(p, Noise))
    if told <= 0:
        return tuple(Noise(math.inf, 1, count) for _, count in parts)
    spread, trained = rho_of(epsilon, delta=told), any(isinstance(part, Steps) for part in before)
    # Steps have no such cost: after them nothing is known to be left, and on the fine grid every look takes seconds.
    left = 0.0 if trained else spread - sum(part.rho for part in before if not isinstance(part, Steps))
    left = max(left, 0.0) * (1 - ROUNDED)
    grid = COARSE * epsilon if trained else FINE

    def scaled(rho: float) -> tuple[Noise, ...]:
        return tuple(Noise(math.sqrt(count * total / (2 * rho * share)), 1, count) for share, count in parts)

    spent = sum(part.rho for part in before if not isinstance(part, Steps))
    guess = math.nan if trained else _of_gaussians(epsilon, delta=told) - spent
    looks = 0
    low, high = left, spread if trained else left + 0.3 * spread
    while high - low > CLOSE * high and high > LEAST * spread:
        middle, looks = guess if low < guess < high and looks % 3 < 2 else (low + high) / 2, looks + 1
        found = _bound((*before, *scaled(middle)), delta, grid)
        low, high = (middle, high) if found <= epsilon else (low, middle)
        if not trained:
            # To the other side of where it should be met, so that both ends close in.
            beyond = 1 + math.copysign(CLOSE / 3, epsilon - found)
            # What delta alone covers costs no epsilon: nothing can be guessed from that.
            guess = (spent + middle) * (epsilon / found) ** (1 / GROWTH) * beyond - spent if found > 0 else math.nan
    return scaled(low) if low > LEAST * spread else tuple(Noise(math.inf, 1, count) for _, count in parts)


def _of_gaussians(epsilon: float, *, delta: float) -> float:
    """The rho of continuous Gaussian noise that ends at (epsilon, delta) exactly (Balle & Wang 2018, theorem 8)."""

    def over(power: float) -> float:
        mu = math.sqrt(2 * math.exp(power))
        return float(ndtr(mu / 2 - epsilon / mu) - np.exp(epsilon + log_ndtr(-mu / 2 - epsilon / mu)) - delta)

    return math.exp(brentq(over, -40, math.log1p(epsilon) + 1))


def steps_for(epsilon: float, *, delta: float, rate: float, count: int, before: Sequence[Spent] = ()) -> Steps:
    """`count` steps of DP-SGD with the least noise that ends at (epsilon, delta) together with `before`.

    Where nothing is left, the noise is infinite.
    """
    return _least_steps(epsilon, delta, rate, count, tuple(before))


@lru_cache(maxsize=256)
def _least_steps(epsilon: float, delta: float, rate: float, count: int, before: tuple[Spent, ...]) -> Steps:
    left = epsilon - epsilon_of(before, delta=delta)
    if left <= LEAST * epsilon:
        return Steps(math.inf, rate, count)

    @cache
    def above(power: float) -> float:
        """How far the steps with noise of this logarithm exceed the budget, in logarithms."""
        found = _bound((*before, Steps(math.exp(power), rate, count)), delta, COARSE * epsilon)
        return math.log(max(found / epsilon, LEAST))  # what delta alone covers costs nothing, which has no logarithm

    low, high = 0.0, 1.0
    while above(high) > 0:
        low, high = high, high + 2
        if high > BEYOND:
            return Steps(math.inf, rate, count)
    while above(low) <= 0 and low > -BEYOND:
        low, high = low - 0.5, low
    power = low if above(low) <= 0 else float(brentq(above, low, high, xtol=CLOSE / 4, rtol=CLOSE / 4)) + CLOSE / 2
    found = Steps(math.exp(power if above(power) <= 0 else high), rate, count)
    return found if epsilon_of((*before, found), delta=delta) <= epsilon else replace(found, sigma=math.exp(high))


def answers_for(epsilon: float, *, delta: float, count: int, before: Sequence[Spent] = ()) -> Answers | None:
    """`count` answers of one epsilon that end at (epsilon, delta) together with `before`; None if nothing is left."""
    left = epsilon - epsilon_of(before, delta=delta)
    while left > LEAST * epsilon:
        found = Answers(left / count, count)
        if epsilon_of((*before, found), delta=delta) <= epsilon:
            return found
        left *= 1 - CLOSE
    return None


def _composed(spent: Sequence[Spent]) -> tuple[tuple[Spent, int], ...]:
    """Equal ones together, in an order that does not depend on theirs, and how often each."""
    found: dict[Spent, int] = {}
    for part in spent:
        if isinstance(part, Noise) and part.sensitivity != 1:  # only what it costs at most is known
            continue
        key = Noise(part.sigma) if isinstance(part, Noise) else replace(part, count=1)
        found[key] = found.get(key, 0) + part.count
    return tuple(sorted(found.items(), key=lambda item: repr(item[0])))


@lru_cache(maxsize=4096)
def _exact(parts: tuple[tuple[Spent, int], ...], rho: float, delta: float, grid: float) -> float:
    """Epsilon from the composed privacy loss distributions, rounded up to a `grid`.

    What is only known to be `rho`-zCDP takes half of delta and counts as randomised response of what it implies there.
    """
    losses = need(
        "dp_accounting.pld.privacy_loss_distribution", extra="private", why="accounting for differential privacy"
    )
    found = [_repeated(part, count, grid) for part, count in parts]
    if rho:
        common = need("dp_accounting.pld.common", extra="private", why="accounting for differential privacy")
        said = common.DifferentialPrivacyParameters(epsilon_of_rho(rho, delta=delta / 2), delta / 2)
        found.append(losses.from_privacy_parameters(said, value_discretization_interval=grid))
    total = reduce(lambda one, other: one.compose(other), found)
    return float(total.get_epsilon_for_delta(delta))


@lru_cache(maxsize=16)
def _repeated(part: Spent, count: int, grid: float) -> Any:
    """The privacy loss distribution of so many of one: what was spent before is asked for again and again while the
    noise of what follows is looked for."""
    losses = need(
        "dp_accounting.pld.privacy_loss_distribution", extra="private", why="accounting for differential privacy"
    )
    together = min(_summed(part), count)
    times, rest = divmod(count, together)
    found = _loss(losses, part, together, grid).self_compose(times)
    return found.compose(_loss(losses, part, rest, grid)) if rest else found


def _summed(part: Spent) -> int:
    """How many of one kind are composed as one, and so rounded once.

    What `n` counts with discrete Gaussian noise of one sigma tell of a patient, their sum tells. It is within a factor
    exp(t) of one discrete Gaussian of sigma sqrt(n), with t = 10 sum_j exp(-2 pi^2 sigma^2 j / (j + 1)) for j < n
    (Kairouz, Liu & Steinke, ICML 2021): from SMOOTH on t is below 1e-36 n, which no floating-point delta shows.
    """
    return max(int((LARGE / part.sigma) ** 2), 1) if isinstance(part, Noise) and part.sigma >= SMOOTH else 1


def _loss(losses: Any, part: Spent, together: int, grid: float) -> Any:
    """The privacy loss distribution of so many `together`; of noise, of their sum, which a patient moves by as many."""
    if isinstance(part, Noise):
        sigma = part.sigma * math.sqrt(together)
        return losses.from_discrete_gaussian_mechanism(sigma, sensitivity=together, value_discretization_interval=grid)
    if isinstance(part, Steps):
        return losses.from_gaussian_mechanism(part.sigma, sampling_prob=part.rate, value_discretization_interval=grid)
    common = need("dp_accounting.pld.common", extra="private", why="accounting for differential privacy")
    said = common.DifferentialPrivacyParameters(part.epsilon, 0.0)
    return losses.from_privacy_parameters(said, value_discretization_interval=grid)
