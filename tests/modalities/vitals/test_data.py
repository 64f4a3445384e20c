from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.errors import UsageError
from semblance.modalities.vitals.data import Channel, Layout, concat
from tests.modalities.vitals.simulated import stays


def test_taken_stays_bring_their_own_measurements():
    whole = stays(12, 0)
    part = whole.take(np.array([7, 2, 7]))
    for i, k in enumerate((7, 2, 7)):
        mine, theirs = slice(*part.starts[i : i + 2]), slice(*whole.starts[k : k + 2])
        assert np.array_equal(part.minute[mine], whole.minute[theirs])
        assert np.array_equal(part.value[mine], whole.value[theirs])
    assert part.stay.max() == 2


def test_a_moment_is_one_time_of_one_stay():
    whole = stays(12, 0)
    pairs = np.unique(np.column_stack([whole.stay, whole.minute]), axis=0)
    assert whole.moment[-1] + 1 == len(pairs)


def test_joined_parts_are_the_whole():
    whole = stays(12, 0)
    again = concat([whole.take(np.arange(5)), whole.take(np.arange(5, 12))])
    assert np.array_equal(again.value, whole.value)
    assert np.array_equal(again.starts, whole.starts)
    with pytest.raises(UsageError, match="no stays"):
        concat([])


def test_channels_of_others_are_found_by_name():
    whole = stays(12, 0)
    made = whole.coded((Channel("HR"), Channel("unknown"), Channel("GCS")))
    assert set(made.channel) == {0, 2}
    assert (made.channel == 0).sum() == (whole.channel == 2).sum()
    assert made.coded(made.channels) is made


def test_measurements_need_a_place():
    whole = stays(3, 0)
    with pytest.raises(ValueError, match="every measurement"):
        replace(whole, minute=whole.minute[:-1])


def test_a_layout_is_told_and_read():
    layout = Layout(early=("Age",), columns=("a", "b"), unit="unit")
    assert Layout.from_json(layout.to_json()) == layout
