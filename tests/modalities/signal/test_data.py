from __future__ import annotations

import numpy as np
import pytest

from semblance.core.errors import UsageError
from semblance.modalities.signal.data import Marks, concat
from tests.modalities.signal.simulated import recordings


def test_marks_stand_in_order_each_with_its_symbol():
    with pytest.raises(ValueError, match="order"):
        Marks(np.array([3, 1]), np.array(["N", "N"], dtype=object))
    with pytest.raises(ValueError, match="symbol"):
        Marks(np.array([3]), np.array([], dtype=object))


def test_the_state_of_a_sample_is_that_of_the_last_mark_before_it():
    states = Marks(np.array([10, 20]), np.array(["open", "closed"], dtype=object))
    assert states.state_at(np.array([0, 10, 19, 20, 99])).tolist() == ["", "open", "open", "closed", "closed"]
    assert Marks().state_at(np.array([5])).tolist() == [""]


def test_taking_and_joining_keep_recordings_with_their_patients():
    whole = recordings(4, 0)
    parts = [whole.take(np.array([2, 0])), whole.take(np.array([False, True, False, True]))]
    joined = concat(parts)
    assert [one.name for one in joined.recordings] == [whole.recordings[i].name for i in (2, 0, 1, 3)]
    assert joined.subjects.tolist() == [2, 0, 1, 3]
    assert joined.frame["age"].tolist() == whole.frame["age"].iloc[[2, 0, 1, 3]].tolist()
    with pytest.raises(UsageError):
        concat([])
