from __future__ import annotations

import numpy as np

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
    made = kept(moment, channel, value, [(2, 1)])
    assert made.tolist() == [3, 1, 2, 5, 9, 7]
    assert kept(moment, channel, value, [(0, 1, 2)]).tolist() == [3, 2, 1, 9, 5, 7]
