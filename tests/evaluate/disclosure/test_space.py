from __future__ import annotations

import numpy as np
import pytest

from semblance.core.dataset import Features
from semblance.core.rng import stream
from semblance.evaluate.disclosure.space import WIDTH, gaps, right, spread, vectors

NAN = np.nan


def features(x, categorical):
    x = np.asarray(x, dtype=float)
    return Features(x, np.array(categorical), tuple(map(str, range(x.shape[1]))))


def test_the_spread_is_that_of_the_inner_ninety_percent():
    train = features(np.stack([np.arange(101.0), np.arange(101.0), np.full(101, NAN)], axis=1), [False, True, False])
    assert spread(train).tolist() == [90, 0, 0]


def test_gowers_distance_by_hand():
    categorical, scale = np.array([False, True, False]), np.array([10.0, 0.0, 0.0])
    made = gaps(np.array([[1.0, 2, 3], [NAN, NAN, 3]]), np.array([[6.0, 3, 4], [NAN, 1, 3]]), categorical, scale)
    assert made.tolist() == [[0.5, 1, 1], [0, 1, 0]]


def test_a_negative_guess_is_not_always_right():
    """A peer divides the error by the guess with its sign, so that every negative guess counts as a success."""
    scale, number = np.array([100.0]), np.array([False])
    guess, truth = np.array([[-50.0], [-4.0], [-50.0]]), np.array([[50.0], [0.0], [-46.0]])
    assert right(guess, truth, number, scale)[:, 0].tolist() == [False, True, True]


def test_missing_is_guessed_right_by_missing_only():
    both, either = np.array([[NAN, NAN]]), np.array([[1.0, 1.0]])
    categorical, scale = np.array([False, True]), np.array([5.0, 0.0])
    assert right(both, both, categorical, scale).all()
    assert not right(both, either, categorical, scale).any()
    assert not right(either, both, categorical, scale).any()


@pytest.mark.parametrize("levels", [4, 150])
def test_equal_records_are_at_distance_zero_and_others_are_not(levels):
    rng = stream(0, "space")
    x = np.stack([rng.normal(size=300), rng.integers(0, levels, 300).astype(float)], axis=1)
    x[::7, 0] = NAN
    x[::11, 1] = NAN
    train = features(x, [False, True])
    made = vectors(x, train, (0, 1), spread(train))
    assert made.dtype == np.float32
    assert made.shape[1] <= WIDTH
    assert np.isfinite(made).all()
    again = vectors(x[:20].copy(), train, (0, 1), spread(train))
    assert np.abs(again - made[:20]).max() < 1e-5
    assert np.abs(made[0] - made[1]).sum() > 0


def test_an_unknown_category_and_no_columns():
    train = features([[0.0], [1.0]], [True])
    made = vectors(np.array([[7.0], [NAN], [0.0]]), train, (0,), spread(train))
    assert len(np.unique(made, axis=0)) == 3
    assert vectors(train.x, train, (), spread(train)).shape == (2, 0)
