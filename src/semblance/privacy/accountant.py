"""What was measured costs together: an upper bound of epsilon, and the noise that a budget asks for.

Two bounds hold and the smaller one counts. Zero-concentrated differential privacy (Bun & Steinke 2016) converted by
Canonne, Kamath & Steinke (2020, corollary 13), and, where a patient moves one cell of each histogram by one, the exact
privacy loss distribution of the discrete Gaussian (Koskela et al. 2020; Google's dp-accounting).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
from scipy.optimize import brentq

from semblance.core.need import need
from semblance.core.promise import Noise, Spent, Steps

ALPHAS = 1 + np.geomspace(1e-3, 1e5, 4000)
HALVINGS = 60
CLOSE = 1e-3
"""Up to this share the noise is larger than it had to be, never smaller."""
LEAST = 1e-3
"""The share of a budget below which nothing is left of it."""
BEYOND = 9.0
"""Logarithm of the noise of a step above which nothing is left of a budget, and below whose inverse none is asked."""


def epsilon_of(spent: Sequence[Spent], *, delta: float) -> float:
    """An upper bound of epsilon of all of them together, at this delta; infinite where no epsilon holds at it."""
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
    return min(bound, _exact(_composed(spent), sum(part.rho for part in wide), left))


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
    total = sum(share for share, _ in parts)
    told = delta - sum(part.delta for part in before if isinstance(part, Noise))
    if told <= 0:
        return tuple(Noise(math.inf, 1, count) for _, count in parts)
    spread = rho_of(epsilon, delta=told)
    left = spread - sum(part.rho for part in before if not isinstance(part, Steps))

    def scaled(rho: float) -> tuple[Noise, ...]:
        return tuple(Noise(math.sqrt(count * total / (2 * rho * share)), 1, count) for share, count in parts)

    def fits(rho: float) -> bool:
        return epsilon_of((*before, *scaled(rho)), delta=delta) <= epsilon

    low, high = max(left, 0.0), max(left, 0.0) + 0.3 * spread
    while high - low > CLOSE * high and high > LEAST * spread:
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return scaled(low) if low > LEAST * spread else tuple(Noise(math.inf, 1, count) for _, count in parts)


def steps_for(epsilon: float, *, delta: float, rate: float, count: int, before: Sequence[Spent] = ()) -> Steps:
    """`count` steps of DP-SGD with the least noise that ends at (epsilon, delta) together with `before`.

    Where nothing is left, the noise is infinite.
    """

    left = epsilon - epsilon_of(before, delta=delta)
    if left <= LEAST * epsilon:
        return Steps(math.inf, rate, count)

    @cache
    def above(power: float) -> float:
        """How far the steps with noise of this logarithm exceed the budget, in logarithms."""
        found = epsilon_of((*before, Steps(math.exp(power), rate, count)), delta=delta)
        return math.log(found / epsilon)

    low, high = 0.0, 1.0
    while above(high) > 0:
        low, high = high, high + 2
        if high > BEYOND:
            return Steps(math.inf, rate, count)
    while above(low) <= 0 and low > -BEYOND:
        low, high = low - 0.5, low
    power = low if above(low) <= 0 else float(brentq(above, low, high, xtol=CLOSE / 4, rtol=CLOSE / 4)) + CLOSE / 2
    return Steps(math.exp(power if above(power) <= 0 else high), rate, count)


def _composed(spent: Sequence[Spent]) -> tuple[tuple[Spent, int], ...]:
    """Equal ones together, in an order that does not depend on theirs, and how often each."""
    found: dict[Spent, int] = {}
    for part in spent:
        if isinstance(part, Noise):
            if part.sensitivity == 1:
                key: Spent = Noise(part.sigma)
            else:
                continue
        else:
            key = replace(part, count=1)
        found[key] = found.get(key, 0) + part.count
    return tuple(sorted(found.items(), key=lambda item: repr(item[0])))


@lru_cache(maxsize=4096)
def _exact(parts: tuple[tuple[Spent, int], ...], rho: float, delta: float) -> float:
    """Epsilon from the composed privacy loss distributions, rounded up.

    What is only known to be `rho`-zCDP takes half of delta and counts as randomised response of what it implies there.
    """
    losses = need(
        "dp_accounting.pld.privacy_loss_distribution", extra="private", why="accounting for differential privacy"
    )
    total = losses.identity()
    for part, count in parts:
        total = total.compose(_loss(losses, part).self_compose(count))
    if rho:
        common = need("dp_accounting.pld.common", extra="private", why="accounting for differential privacy")
        said = common.DifferentialPrivacyParameters(epsilon_of_rho(rho, delta=delta / 2), delta / 2)
        total = total.compose(losses.from_privacy_parameters(said))
    return float(total.get_epsilon_for_delta(delta))


def _loss(losses: Any, part: Spent) -> Any:
    """The privacy loss distribution of one."""
    if isinstance(part, Noise):
        return losses.from_discrete_gaussian_mechanism(part.sigma)
    if isinstance(part, Steps):
        return losses.from_gaussian_mechanism(part.sigma, sampling_prob=part.rate)
    common = need("dp_accounting.pld.common", extra="private", why="accounting for differential privacy")
    return losses.from_privacy_parameters(common.DifferentialPrivacyParameters(part.epsilon, 0.0))
