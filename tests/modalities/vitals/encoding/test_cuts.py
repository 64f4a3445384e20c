from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from semblance.modalities.vitals.encoding.cuts import hidden, seen

SHARES = np.array([0.1, 0.0, 0.6, 0.3])


def test_numbers_of_choices_are_normal_and_the_way_back_is_exact():
    rng = np.random.default_rng(0)
    codes = rng.choice(4, 4000, p=SHARES)
    numbers = hidden(codes, SHARES, rng=rng)
    assert np.array_equal(seen(numbers, SHARES), codes)
    assert kstest(numbers, "norm").pvalue > 0.01


def test_normal_numbers_are_chosen_as_often_as_the_shares_say():
    made = seen(np.random.default_rng(1).standard_normal(20_000), SHARES)
    assert np.bincount(made, minlength=4) / 20_000 == pytest.approx(SHARES, abs=0.02)
    assert not (made == 1).any()


def test_none_is_any_number():
    numbers = hidden(np.full(4000, -1), SHARES, rng=np.random.default_rng(2))
    assert kstest(numbers, "norm").pvalue > 0.01
