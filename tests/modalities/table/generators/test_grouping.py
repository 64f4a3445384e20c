"""Codes that count as one: common ones apart, rare ones together, numbers in their order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.modalities.table.generators.grouping import cells, classes, frequent, neighbours, sizes, split, summed

SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=40).map(lambda v: np.array(v) + 1e-6).map(lambda v: v / v.sum())


@given(SHARES, st.integers(1, 12), st.floats(0, 0.2))
def test_every_code_has_one_group_and_there_are_not_too_many(shares, most, least):
    for group in (frequent(shares, most=most, least=least), neighbours(shares, most=most, least=least)):
        assert len(group) == len(shares) and set(group) == set(range(int(group.max()) + 1))
    assert int(frequent(shares, most=most, least=least).max()) < most


@given(SHARES, st.integers(1, 12))
def test_neighbours_stay_in_order(shares, most):
    assert (np.diff(neighbours(shares, most=most, least=0.0)) >= 0).all()


def test_the_frequent_stand_alone_and_the_rare_together():
    group = frequent(np.array([0.01, 0.5, 0.02, 0.4, 0.07]), most=4, least=0.05)
    assert group.tolist() == [3, 0, 3, 1, 2]


def test_a_spike_leaves_the_groups_to_the_rest():
    shares = np.array([0.9, *[0.0125] * 8])
    assert neighbours(shares, most=5, least=0.0).tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_a_rest_too_rare_to_be_a_class_goes_with_the_rarest():
    assert classes(np.array([0.6, 0.395, 0.005]), most=4, least=0.02).tolist() == [0, 1, 1]
    assert classes(np.array([0.6, 0.3, 0.1]), most=4, least=0.02).tolist() == [0, 1, 2]


def test_sums_keep_the_total():
    group = np.array([0, 1, 0, 2])
    assert summed(np.array([[1.0, 2, 3, 4], [0, 1, 0, 1]]), group).tolist() == [[4, 2, 4], [0, 1, 1]]
    assert sizes([group, np.zeros(3, dtype=np.int64)]).tolist() == [3, 1]


@pytest.mark.parametrize("least", [0.0, 0.3])
def test_one_code_is_one_group(least):
    assert neighbours(np.ones(1), most=4, least=least).tolist() == [0]


@given(SHARES, st.lists(st.integers(0, 39), max_size=4), st.floats(0, 0.2))
def test_groups_are_split_where_it_is_said_and_both_parts_are_enough(shares, cuts, least):
    whole, cuts = neighbours(shares, most=4, least=least), sorted({cut for cut in cuts if cut < len(shares)})
    parts = split(whole, shares, cuts, least=least)
    assert (np.diff(parts) >= 0).all() and set(parts) == set(range(int(parts.max()) + 1))
    assert all(len(set(whole[parts == part])) == 1 for part in set(parts))
    made = [cut for cut in range(1, len(parts)) if parts[cut] != parts[cut - 1] and whole[cut] == whole[cut - 1]]
    assert set(made) <= set(cuts)
    assert all(parts[cut] != parts[cut - 1] for cut in cuts if cut) or least > 0


def test_few_children_are_not_put_together_with_young_adults():
    shares = np.array([0.0, 0.01, 0.03, 0.03, 0.03, 0.9])
    assert cells(shares, most=2, least=0.005).tolist() == [0, 0, 0, 0, 0, 1]
    assert cells(shares, most=2, least=0.005, cuts=[2]).tolist() == [0, 0, 1, 1, 1, 2]
    assert cells(shares, most=2, least=0.02, cuts=[2]).tolist() == [0, 0, 0, 0, 0, 1]
