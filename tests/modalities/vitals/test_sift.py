from __future__ import annotations

import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.modalities.vitals.declare import Said
from semblance.modalities.vitals.long import Rows
from semblance.modalities.vitals.sift import sift


def rows(value, channel="HR", minute=None) -> Rows:
    n = len(value)
    record = np.array([f"r{i}" for i in range(n)], dtype=object)
    minutes = np.zeros(n) if minute is None else np.array(minute, dtype=float)
    return Rows(record, record, minutes, np.full(n, channel, dtype=object), np.array(value, dtype=float), {})


def test_negative_values_are_values_where_there_are_several():
    made = sift(rows([-1, -2, 3, 4]), Said(), rare=1)
    assert len(made.value) == 4
    assert made.notes == ()


def test_every_repair_is_said_in_turn():
    made = sift(rows([-1, 5, np.inf, 7, 999], minute=[0, 0, 0, -5, 0]), Said(missing=(999.0,)), rare=1)
    assert made.value.tolist() == [5]
    assert len(made.notes) == 4


def test_where_nothing_is_left_it_is_refused():
    with pytest.raises(DataError, match="no measurement is left"):
        sift(rows([1, 2, 3]), Said(), rare=5)
