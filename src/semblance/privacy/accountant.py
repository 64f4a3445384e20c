"""What noisy counts cost together: an upper bound of epsilon, and the noise that a budget asks for.

Two bounds hold and the smaller one counts. Zero-concentrated differential privacy (Bun & Steinke 2016) converted by
Canonne, Kamath & Steinke (2020, corollary 13), and, where a patient moves one cell of each histogram by one, the exact
privacy loss distribution of the discrete Gaussian (Koskela et al. 2020; Google's dp-accounting).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from semblance.core.need import need
from semblance.core.promise import Noise

ALPHAS = 1 + np.geomspace(1e-3, 1e5, 4000)
HALVINGS = 60
CLOSE = 1e-3
"""Up to this share the noise is larger than it had to be, never smaller."""
LEAST = 1e-3
"""The share of a budget below which nothing is left of it."""


def epsilon_of(noises: Sequence[Noise], *, delta: float) -> float:
    """An upper bound of epsilon of all of them together, at this delta."""
    if not noises:
        return 0.0
    bound = epsilon_of_rho(sum(noise.rho for noise in noises), delta=delta)
    if any(noise.sensitivity != 1 for noise in noises):
        return bound
    return min(bound, _exact(tuple(sorted(_by_sigma(noises).items())), delta))


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
    epsilon: float, *, delta: float, parts: Sequence[tuple[float, int]], before: Sequence[Noise] = ()
) -> tuple[Noise, ...]:
    """The least noise for `parts`, (share, histograms) each, that ends at (epsilon, delta) together with `before`.

    A part's share is that of the budget in zero-concentrated terms; within a part all histograms get the same noise. A
    patient moves one cell of each by one. Where nothing is left, the noise is infinite.
    """
    return _least(epsilon, delta, tuple(parts), tuple(before))


@lru_cache(maxsize=256)
def _least(
    epsilon: float, delta: float, parts: tuple[tuple[float, int], ...], before: tuple[Noise, ...]
) -> tuple[Noise, ...]:
    total = sum(share for share, _ in parts)
    left = rho_of(epsilon, delta=delta) - sum(noise.rho for noise in before)
    spread = rho_of(epsilon, delta=delta)

    def scaled(rho: float) -> tuple[Noise, ...]:
        return tuple(Noise(math.sqrt(count * total / (2 * rho * share)), 1, count) for share, count in parts)

    def fits(rho: float) -> bool:
        return epsilon_of((*before, *scaled(rho)), delta=delta) <= epsilon

    low, high = max(left, 0.0), max(left, 0.0) + 0.3 * spread
    while high - low > CLOSE * high and high > LEAST * spread:
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return scaled(low) if low > LEAST * spread else tuple(Noise(math.inf, 1, count) for _, count in parts)


@lru_cache(maxsize=4096)
def _exact(noises: tuple[tuple[float, int], ...], delta: float) -> float:
    """Epsilon from the composed privacy loss distributions of (sigma, histograms), rounded up."""
    losses = need(
        "dp_accounting.pld.privacy_loss_distribution", extra="private", why="accounting for differential privacy"
    )
    total = losses.identity()
    for sigma, count in noises:
        total = total.compose(losses.from_discrete_gaussian_mechanism(sigma).self_compose(count))
    return float(total.get_epsilon_for_delta(delta))


def _by_sigma(noises: Sequence[Noise]) -> dict[float, int]:
    found: dict[float, int] = {}
    for noise in noises:
        found[noise.sigma] = found.get(noise.sigma, 0) + noise.count
    return found
