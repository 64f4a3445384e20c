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


PRESSURES = np.linspace(60, 180, 200).round()


def test_a_pressure_of_zero_was_not_measured_and_is_told():
    made = sift(rows([0, 0, *PRESSURES], channel="SysABP"), Said(), rare=1)
    assert len(made.value) == 200 and made.notes == (
        "channel 'SysABP': 2 values of 0, far below all others, are missing",
    )


@pytest.mark.parametrize(
    ("values", "limits"),
    [
        ([0, 0, *PRESSURES], {"HR": (0.0, 300.0)}),  # declared to be plausible
        ([0] * 20 + [*PRESSURES], {}),  # a tenth: what is off is no rare slip
        ([0, 0, *np.linspace(5, 180, 200)], {}),  # others come near zero
        ([0, 0, *np.resize([8, 9, 10], 200)], {}),  # a score
        ([0, 0, *-PRESSURES], {}),
    ],
)
def test_other_zeros_are_values(values, limits):
    made = sift(rows(values), Said(limits=limits), rare=1)
    assert (made.value == 0).sum() == (np.array(values) == 0).sum()
