from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semblance.core.rng import stream
from semblance.core.shares import largest_remainder
from semblance.modalities.table.wanted.weighing import rake, whole


def margins(shape: tuple[int, ...], targets: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(zip(np.unravel_index(np.arange(np.prod(shape)), shape), targets, strict=True))


def test_raking_keeps_odds_ratios_and_has_the_margins():
    mass = np.array([[4.0, 1], [2, 3]])
    made = rake(mass.ravel(), margins((2, 2), [np.array([0.3, 0.7]), np.array([0.5, 0.5])])).reshape(2, 2)
    assert np.allclose(made.sum(1), [0.3, 0.7]) and np.allclose(made.sum(0), [0.5, 0.5])
    ratio = [x[0, 0] * x[1, 1] / (x[0, 1] * x[1, 0]) for x in (mass, made)]
    assert ratio[0] == pytest.approx(ratio[1])


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 300), st.integers(0, 10_000))
def test_two_margins_are_kept_exactly_and_every_cell_is_rounded_down_or_up(a, b, n, seed):
    rng = stream(seed, "cells")
    targets = [largest_remainder(rng.dirichlet(np.ones(k)), n) for k in (a, b)]
    expected = rake(rng.random(a * b) + 0.01, margins((a, b), targets))
    found = whole(expected, margins((a, b), targets))
    assert found is not None
    assert [found.reshape(a, b).sum(1).tolist(), found.reshape(a, b).sum(0).tolist()] == [t.tolist() for t in targets]
    assert (np.abs(found - expected) < 1 + 1e-4).all()


def test_three_margins_are_kept_exactly_and_zeros_stay_zero():
    rng = stream(3, "cells")
    shape, n = (3, 4, 5), 137
    targets = [largest_remainder(rng.dirichlet(np.ones(k)), n) for k in shape]
    start = rng.random(60) * (rng.random(60) < 0.8)
    found = whole(rake(start, margins(shape, targets)), margins(shape, targets))
    assert found is not None and (found[start == 0] == 0).all()
    cube = found.reshape(shape)
    assert [cube.sum((1, 2)).tolist(), cube.sum((0, 2)).tolist(), cube.sum((0, 1)).tolist()] == [
        t.tolist() for t in targets
    ]


def test_margins_that_exclude_each_other_have_no_numbers():
    only = np.array([1.0, 0, 0, 1])  # men are never pregnant, women always: the margins must agree
    assert whole(only, margins((2, 2), [np.array([5, 5]), np.array([8, 2])])) is None
