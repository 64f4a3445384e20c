from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from semblance.core.shares import largest_remainder

SHARES = st.lists(st.floats(0.001, 1), min_size=1, max_size=8).map(lambda x: np.array(x) / sum(x))


@given(SHARES, st.integers(0, 500))
def test_largest_remainders_sum_to_n_and_are_within_one(shares, n):
    found = largest_remainder(shares, n)
    assert found.sum() == n
    assert (np.abs(found - shares * n) < 1 + 1e-6).all()


def test_largest_remainder_by_hand():
    assert largest_remainder(np.array([0.4, 0.35, 0.25]), 10).tolist() == [4, 4, 2]
    assert largest_remainder(np.array([1 / 3] * 3), 10).tolist() == [4, 3, 3]
