from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from semblance.modalities.vitals.encoding.order import found, kept, named, pairs
from tests.modalities.vitals.simulated import stays


def test_pressures_are_found_as_a_chain():
    whole = stays(150, 0)
    assert [tuple(whole.names[k] for k in chain) for chain in found(whole)] == [("SysABP", "MAP", "DiasABP")]


def test_chains_are_named_by_channels():
    whole = stays(20, 0)
    assert named([("SysABP", "none", "MAP"), ("none", "HR")], whole) == ((5, 4),)


def test_pairs_are_of_one_moment():
    whole = stays(20, 0)
    high, low = pairs(whole, 5, 0)
    assert len(high) == (whole.channel == 0).sum()
    assert (high > low).all()


def test_values_of_a_moment_are_put_in_order_and_others_stay():
    moment = np.array([0, 0, 0, 1, 1, 2])
    channel = np.array([0, 1, 2, 0, 2, 1])
    value = np.array([3.0, 1.0, 2.0, 5.0, 9.0, 7.0])
    made = kept(moment, channel, value, [(2, 1)], np.zeros(3, int))
    assert made.tolist() == [3, 1, 2, 5, 9, 7]
    assert kept(moment, channel, value, [(0, 1, 2)], np.zeros(3, int)).tolist() == [3, 2, 1, 9, 5, 7]


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 3), st.floats(0, 5, width=16)),
        max_size=12,
        unique_by=lambda r: r[:2],
    ),
    st.lists(st.integers(0, 2), min_size=4, max_size=4),
    st.sampled_from([[(0, 1, 2, 3)], [(0, 1, 3), (0, 2, 3)], [(0, 2), (1, 2)], [(0, 3), (0, 2)]]),
)
def test_orders_hold_after_rounding_whatever_the_decimals_and_where_chains_overlap(rows, decimals, chains):
    moment, channel = (np.array([row[i] for row in rows], dtype=int) for i in (0, 1))
    value, digits = np.array([row[2] for row in rows]), np.array(decimals)
    made = kept(moment, channel, value, chains, digits)
    told = {(m, c): round(v, decimals[c]) for m, c, v in zip(moment, channel, made, strict=True)}
    for m in range(3):
        for chain in chains:
            values = [told[m, c] for c in chain if (m, c) in told]
            assert values == sorted(values, reverse=True)
    inside = np.isin(channel, [c for chain in chains for c in chain])
    assert np.array_equal(made[~inside], value[~inside])
    assert all(told[m, c] == v for m, c, v in zip(moment[inside], channel[inside], made[inside], strict=True))


def test_chains_that_share_a_channel_are_joined():
    whole = stays(20, 0)
    assert named([("SysABP", "MAP"), ("MAP", "DiasABP")], whole) == ((5, 4, 0),)


def test_a_rate_above_a_lactate_is_no_order():
    whole = stays(150, 0)
    at = (whole.channel == 3) | (whole.channel == 7)
    both = replace(whole, channel=np.where(whole.channel == 7, 2, whole.channel)).kept(
        at
    )  # lactate, and a rate beside it
    lactate = both.value[both.channel == 3]
    value = both.value.copy()
    value[both.channel == 2] = 70 + 9 * lactate
    assert found(replace(both, value=value)) == ()
    value[both.channel == 2] = 1.5 * lactate
    assert found(replace(both, value=value)) == ((2, 3),)
