from __future__ import annotations

import numpy as np

from semblance.core.bounds import between_patients, ends


def test_bounds_are_where_enough_patients_are():
    values = np.append(np.linspace(0, 100, 1000), [900, 901, 902, 903, 904, 905])
    low, high = ends(values, np.append(np.arange(1000), [1] * 6), rare=5)
    assert 0 < low < 1
    assert 99 < high < 100


def test_few_patients_have_but_one_value():
    assert ends(np.arange(9.0), np.arange(9), rare=5) == (4.0, 4.0)
    assert ends(np.empty(0), np.empty(0), rare=5) == (0.0, 0.0)


def test_bounds_are_means_over_enough_patients_and_no_value_of_one():
    low, high = ends(np.arange(20.0), np.arange(20), rare=2)
    assert (low, high) == (1.5, 17.5)
    assert between_patients(np.array([0.0, 0.0, 0.0, 6.0]), np.array([1, 1, 1, 2])) == 3.0
