from __future__ import annotations

import numpy as np
import pytest

from semblance.core.dataset import Features
from semblance.evaluate.utility.outcome import outcome


def column(values, levels=()):
    return Features(np.array(values, dtype=float)[:, None], np.array([bool(levels)]), ("y",), levels=(levels,))


@pytest.mark.parametrize(
    ("levels", "happened"),
    [(("alive", "dead"), 1), (("dead", "alive"), 0), (("no", "relapse"), 1), (("Yes", "No"), 0), (("F", "M"), 1)],
)
def test_the_name_says_which_class_happened(levels, happened):
    made = outcome(column([0, 0, 0, 1, 1], levels), 0)
    assert made.two
    assert not made.rest
    assert made.name == f"y = {levels[happened]}"
    assert made.of(np.array([[0.0], [1.0], [np.nan], [2.0]])).tolist()[:2] == [1 - happened, happened]


def test_of_two_numbers_the_larger_happened():
    assert outcome(column([0, 0, 1]), 0).name == "y = 1"
    assert outcome(column([2, 2, 1]), 0).of(np.array([[1.0], [2.0], [np.nan]]))[:2].tolist() == [0, 1]


def test_of_three_classes_the_most_frequent_stands_against_the_rest():
    made = outcome(column([0, 0, 0, 1, 1, 2], ("A", "B", "C")), 0)
    assert (made.rest, made.name) == (True, "y = not A")
    assert made.of(np.array([[0.0], [2.0], [3.0]])).tolist() == [0, 1, 1]
    arms = outcome(column([3, 3, 1, 2]), 0, arms=True)
    assert arms.of(np.array([[3.0], [1.0]])).tolist() == [0, 1]


def test_a_number_is_in_standard_deviations_and_names_no_arms():
    values = np.arange(30.0)
    made = outcome(column(values), 0)
    assert (made.two, made.name) == (False, "y")
    assert made.of(values[:, None]).std() == pytest.approx(1)
    assert outcome(column(values), 0, arms=True) is None


def test_what_never_varies_is_no_outcome():
    assert outcome(column([1, 1, np.nan]), 0) is None
    assert outcome(column([np.nan]), 0) is None
    assert outcome(column([1e300, -1e300, 1e200]), 0) is None  # its spread is no number
