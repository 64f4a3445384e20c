"""Normal distributions from noisy counts, and what counts say of one patient."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.learn.counts import Asked, normal_of, of_looks
from semblance.privacy.audit import of_counts

EDGES = np.linspace(-4, 4, 17)


@pytest.mark.parametrize(("mean", "spread"), [(0.0, 1.0), (1.5, 0.4), (-2.0, 0.8)])
def test_a_normal_distribution_is_found_under_noise(mean, spread):
    rng = np.random.default_rng(0)
    counts = np.histogram(rng.normal(mean, spread, 2000), EDGES)[0] + rng.normal(0, 15, 16).round()
    found, wide = normal_of(counts[None], EDGES, np.array([2000.0]), sigma=15.0, mean=0.0, around=1.5, spread=0.7)
    assert abs(found[0] - mean) < 0.1 and abs(wide[0] / spread - 1) < 0.2


def test_nothing_counted_is_what_was_expected():
    found, wide = normal_of(np.zeros((1, 16)), EDGES, np.zeros(1), sigma=15.0, mean=1.0, around=0.5, spread=0.7)
    assert found[0] == pytest.approx(1, abs=0.05) and 0.5 < wide[0] < 0.9


def test_all_looks_together_say_what_each_says_of_its_own_counts() -> None:
    rng, sizes = stream(0, "looks"), np.array([3, 4])
    first = Asked(rng.integers(0, 3, (1, 2)), sizes, np.zeros(1), ((0,), (1,)))
    second = Asked(rng.integers(0, 3, (4, 2)), sizes, np.zeros(4), ((0, 1),))
    counts = [rng.normal(size=shape) for shape in ((3,), (4,), (3, 4))]
    apart = of_counts(counts[:2], first.subsets, first.codes, sigma=2.0)
    apart += of_counts(counts[2:], second.subsets, second.codes, sigma=0.5, clip=2)
    assert of_looks(counts, [(first, 1), (second, 2)], (2.0, 0.5)) == pytest.approx(apart)
