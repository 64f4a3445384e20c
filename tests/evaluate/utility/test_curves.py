from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.evaluate.utility.censored import kaplan_meier, uncensored
from semblance.evaluate.utility.curves import Followed, area, curves, gap


def side(time, event, seed=0):
    return Followed.of(np.array(time, float), np.array(event, float), np.arange(len(time)), rng=stream(seed))


def drawn(n, seed, *, scale=1.0, shape=1.0):
    rng = stream(seed, "drawn")
    life, end = scale * rng.weibull(shape, n), rng.uniform(0.5, 3, n)
    return side(np.minimum(life, end), life <= end)


def test_areas_and_means_of_a_tiny_case_by_hand():
    """One dies at 1 of 4, another at 3; the others of the first side live. On the second side all live."""
    first = side([1, 3, 4, 4], [1, 1, 0, 0])
    found = gap(first, side([4, 4, 4, 4], [0, 0, 0, 0]), until=4)
    assert found.largest.value == pytest.approx(0.5)
    assert found.area.value == pytest.approx((2 * 0.25 + 1 * 0.5) / 4)
    assert found.mean.value == pytest.approx(found.area.value)


def test_curves_that_cross_have_an_area_though_their_means_agree():
    """Synthetic records that are as pessimistic early as optimistic late: the signed difference sees nothing."""
    a, b = side([1.0, 3.0], [1, 1]), side([2.0, 2.0], [1, 1])
    found = gap(a, b, until=4)
    assert found.mean.value == pytest.approx(0)
    assert found.area.value == pytest.approx(0.25)


def test_a_pessimist_is_as_far_as_an_optimist():
    real = drawn(800, 0)
    low, high = (gap(drawn(800, 1, scale=s), real, until=2).mean for s in (0.5, 2.0))
    assert low.value > 0.15 and high.value > 0.1
    assert min(low.low, high.low) > 0.05


def test_curves_are_kaplan_meiers_and_the_reverse_those_of_follow_up():
    made = drawn(300, 2)
    times = np.linspace(0, 2, 41)
    assert curves(made, np.unique(made.time))[0] == pytest.approx(kaplan_meier(made.time, made.event).survival)
    grid = np.unique(np.concatenate([made.time, times]))
    assert curves(made, grid, reverse=True)[0] == pytest.approx(uncensored(made.time, made.event).at(grid))


def test_a_block_left_out_is_the_curve_of_the_others():
    made = drawn(300, 3)
    grid = np.unique(made.time)
    rest = made.take(made.block != 4)
    assert curves(made, grid)[5] == pytest.approx(kaplan_meier(rest.time, rest.event).at(grid))


def test_like_samples_are_near_and_intervals_hold_what_their_size_shows():
    found = [gap(drawn(500, 10 + k), drawn(500, 50 + k), until=2).area for k in range(20)]
    expected = np.mean([e.value for e in found])
    assert expected < 0.05
    assert np.mean([e.low <= expected <= e.high for e in found]) >= 0.8


def test_areas_of_strata_are_averaged():
    gaps = [gap(drawn(200, k), drawn(200, 9 + k, scale=0.5), until=2) for k in range(3)]
    assert area(gaps).value == pytest.approx(np.mean([g.area.value for g in gaps]))


def test_nobody_is_alive_as_ever():
    found = gap(side([], []), drawn(50, 0), until=2)
    assert 0 < found.area.value <= 1
