"""Marks as pairs, as spans and as a label of every sample: each way back is the way there."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from semblance.modalities.signal.beats import marks_of_samples, marks_of_spans, samples_of_marks, without_repeats
from semblance.modalities.signal.data import Marks
from tests.modalities.signal.made import same_marks


@given(st.lists(st.sampled_from(["", "W", "N1"]), min_size=1, max_size=50))
def test_labels_of_samples_come_back(labels):
    marks = marks_of_samples(np.array(labels))
    assert samples_of_marks(marks, len(labels)).tolist() == labels
    assert same_marks(marks, without_repeats(marks))


def test_spans_end():
    marks = marks_of_spans([(0, 10, "a"), (10, 20, "b"), (30, 40, "b")], 50)
    assert same_marks(marks, Marks(np.array([0, 10, 20, 30, 40]), np.array(["a", "b", "", "b", ""], dtype=object)))
    assert len(marks_of_spans([], 50)) == 0
