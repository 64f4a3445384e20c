from __future__ import annotations

import threading
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from semblance.core.rng import stream
from semblance.evaluate.shared.models import MODELS, beside, design


@pytest.mark.parametrize("name", MODELS)
def test_probabilities_follow_the_asked_classes(name):
    rng = stream(0)
    y = rng.integers(0, 2, 200).astype(float)
    x = np.stack([y + 0.1 * rng.normal(size=200), rng.integers(0, 3, 200)], axis=1)
    made = MODELS[name](x, y, x, np.array([False, True]), np.array([1.0, 0.0, 5.0]), seed=0)
    assert ((made[:, 0] > 0.5) == (y == 1)).all()
    assert made[:, :2].sum(axis=1) == pytest.approx(1)
    assert (made[:, 2] == 0).all()


@pytest.mark.parametrize("name", MODELS)
def test_one_value_of_the_target_teaches_nothing(name):
    x = np.zeros((5, 1))
    assert (MODELS[name](x, np.ones(5), x, np.array([False]), np.array([0, 1]), seed=0) == 0.5).all()
    assert (MODELS[name](x, np.full(5, 3.5), x, np.array([False]), None, seed=0) == 3.5).all()


def test_design_is_scaled_on_what_was_learned_and_fills_gaps():
    x = np.array([[0.0, 0], [2.0, 1], [np.nan, 1]])
    learned, asked = design(x, np.array([[1.0, 7.0]]), np.array([False, True]))
    assert learned.tolist() == [[-1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 0, 1]]
    assert asked.tolist() == [[0, 0, 0, 0]]


def test_results_come_in_order_and_an_error_comes_through():
    assert beside([lambda i=i: i for i in range(5)]) == list(range(5))

    def broken() -> None:
        raise RuntimeError("no")

    before = threading.active_count()
    with pytest.raises(RuntimeError, match="no"):
        beside([broken, *[lambda: None] * 3])
    assert threading.active_count() == before


def test_expected_warnings_are_kept_and_others_are_given():
    def slow() -> None:
        warnings.warn("not yet", ConvergenceWarning, stacklevel=1)

    def odd() -> None:
        warnings.warn("look here", RuntimeWarning, stacklevel=1)

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        beside([slow, odd])
    assert [str(w.message) for w in heard] == ["look here"]
