from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import DataError
from semblance.modalities.vitals.times import clock_of, grain_of, minutes, told

STAY = np.array([0, 0, 1])


@pytest.mark.parametrize(
    ("cells", "name", "clock", "expected"),
    [
        ([0, 90, 15], "minute", "minutes", [0, 90, 15]),
        ([0, 1.5, 0.25], "hour", "hours", [0, 90, 15]),
        (["00:00", "01:30", "00:15"], "time", "HH:MM", [0, 90, 15]),
        (["2101-05-02 10:00", "2101-05-02 11:30", "2099-01-01 00:00"], "charttime", "timestamps", [0, 90, 0]),
    ],
)
def test_times_are_minutes_since_the_stay_began(cells, name, clock, expected):
    column = pd.Series(cells)
    assert clock_of(column, name) == clock
    assert np.array_equal(minutes(column, STAY, clock, name), expected)


@pytest.mark.parametrize("clock", ["minutes", "hours", "HH:MM", "timestamps"])
def test_what_is_told_is_read_again(clock):
    minute = np.array([0.0, 75.0, 0.0])
    assert np.allclose(minutes(told(minute, clock, 1.0), STAY, clock, "t"), minute)


def test_what_is_no_time_is_refused_with_its_row_and_without_its_text():
    with pytest.raises(DataError, match="1 cell is no time") as error:
        minutes(pd.Series(["00:00", "noon", "01:00"]), STAY, "HH:MM", "time")
    assert error.value.problems[0].row == 2
    assert "noon" not in str(error.value)


def test_timestamps_may_have_seconds_here_and_none_there():
    cells = pd.Series(["2101-05-02 10:00", "2101-05-02 11:30:30", "2099-01-01T00:00:00.5"])
    assert minutes(cells, STAY, "timestamps", "charttime").tolist() == [0, 90.5, 0]
    with pytest.raises(DataError, match="1 cell is no time"):
        minutes(pd.Series(["2101-05-02 10:00", "soon", "2099-01-01"]), STAY, "timestamps", "charttime")


@pytest.mark.parametrize(
    ("clock", "cells", "grain"),
    [
        ("minutes", [0, 7, 65], 1),
        ("minutes", [0, 7.5, 65], 0.1),
        ("hours", [0, 1.25, 3], 0.6),
        ("hours", [0, 0.016667, 0.05], 60e-6),
        ("HH:MM", ["00:00", "00:07", "01:05"], 1),
        ("HH:MM", ["00:00:30", "00:07:00", "01:05:00"], 1 / 60),
    ],
)
def test_times_are_told_as_finely_as_they_were(clock, cells, grain):
    minute = minutes(pd.Series(cells), STAY, clock, "t")
    assert grain_of(minute, clock) == pytest.approx(grain)
    assert told(minute, clock, grain).tolist() == cells
    again = told(minute + 0.2 * grain, clock, grain)
    assert again.tolist() == cells


def test_one_odd_cell_is_told_and_not_all_others():
    for cells, odd in (
        (["2020-01-01 10:00"] * 9, "12:30"),
        (["12:30"] * 9, "2020-01-01"),
        (list("123456789"), "12:30"),
    ):
        column = pd.Series([odd, *cells])
        with pytest.raises(DataError, match="row 1: 1 cell is no time"):
            minutes(column, np.zeros(10, dtype=int), clock_of(column, "time"), "time")
