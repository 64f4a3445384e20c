"""Ranges from noisy histograms: cells cover what they say, bounds are round, and only what is empty is cut off."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from semblance.core.rng import stream
from semblance.core.schema import Column
from semblance.modalities.table.ranges import CELLS, Doubling, Even, occupied, sure, trimmed

KINDS = ("integer", "numeric", "date")


def seconds(day: str) -> float:
    return float(np.datetime64(day, "s").astype(float))


@given(st.sampled_from(KINDS), st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=9))
def test_every_value_lies_between_the_bounds_of_its_cells(kind, values):
    held, doubling = np.array(values), Doubling.of(Column("x", kind))
    cells = doubling.cells(held)
    low, high = doubling.bounds(int(cells.min()), int(cells.max()))
    assert cells.min() >= 0 and cells.max() < doubling.size and low <= high
    assert low - doubling.unit <= held.min() and held.max() <= high + doubling.unit
    assert (np.argsort(held, kind="stable") == np.lexsort((np.arange(len(held)), held))).all()
    assert (np.diff(cells[np.argsort(held)]) >= 0).all()


@pytest.mark.parametrize(
    ("value", "bounds"), [(0, (0, 0)), (1, (1, 2)), (90, (64, 128)), (-3, (-4, -2)), (-1, (-2, -1))]
)
def test_cells_double(value, bounds):
    doubling = Doubling.of(Column("x", "integer"))
    (cell,) = doubling.cells(np.array([float(value)]))
    assert doubling.bounds(cell, cell) == bounds


def test_what_is_beyond_all_cells_counts_in_the_last():
    doubling = Doubling.of(Column("x", "integer"))
    assert doubling.cells(np.array([-np.inf, -1e99, 1e99, np.inf])).tolist() == [0, 0, 80, 80]


@given(st.sampled_from(("integer", "numeric")), st.floats(-1e6, 1e6), st.floats(1e-2, 1e6))
@example("numeric", -5e-324, 33.0)
def test_even_cells_cover_the_range_with_round_borders(kind, low, span):
    low, high = (round(low), round(low + span)) if kind == "integer" else (low, low + span)
    even = Even.of(Column("x", kind), low, high)
    assert 1 <= even.size <= CELLS + 2
    below, above = even.bounds(0, even.size - 1)
    assert below <= low + 1e-9 and high <= above + 1e-9
    width = float(even.borders[1] - even.borders[0])
    assert f"{width:.0e}"[0] in "125" and np.allclose(even.borders / width, np.round(even.borders / width), atol=1e-6)
    inside = np.linspace(low, high, 50)
    assert (even.cells(inside) >= 0).all()


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(16, 128, (15, 130)), (1, 16, (1, 16)), (0, 1, (0, 1)), (1024, 2048, (1000, 2050)), (64, 64, (64, 64))],
)
def test_bounds_of_whole_numbers(low, high, told):
    even = Even.of(Column("x", "integer"), low, high)
    assert even.bounds(0, even.size - 1) == told


@pytest.mark.parametrize(
    ("low", "high", "first", "last"),
    [
        ("1920-06-05", "2001-02-03", "1920-01-01", "2005-01-01"),
        ("2016-02-15", "2016-12-24", "2016-02-01", "2017-01-01"),
        ("2016-02-15", "2016-02-20", "2016-02-15", "2016-02-21"),
        ("1955-01-01", "2045-01-01", "1955-01-01", "2050-01-01"),
    ],
)
def test_bounds_of_dates_are_those_of_the_calendar(low, high, first, last):
    even = Even.of(Column("x", "date"), seconds(low), seconds(high))
    assert even.bounds(0, even.size - 1) == (seconds(first), seconds(last)) and even.size <= CELLS + 2


def test_a_value_outside_of_even_cells_is_in_none():
    even = Even.of(Column("x", "integer"), 16, 128)
    assert even.cells(np.array([14.0, 15, 19, 20, 130, 131, np.inf])).tolist() == [-1, 0, 0, 1, even.size - 1, -1, -1]


def test_a_range_begins_where_cells_stand_out_and_goes_on_while_they_hold_something():
    counts = np.array([0] * 20 + [15, 0, 12, 300, 9, 80, 13, 11, 2, 30, 0])
    assert occupied(counts, sigma=10.0) == (22, 27)
    assert occupied(counts, sigma=1000.0) is None
    assert occupied(counts, sigma=0.1) == (20, 29)


def test_noise_beside_zero_makes_no_number_negative():
    counts = np.array([0, 0, 19, 19, 500, 0, 90, 0, 0])
    assert occupied(counts, sigma=10.0) == (4, 6) and occupied(counts[::-1], sigma=10.0) == (2, 4)
    assert occupied(np.array([0, 0, 19, 19, 19, 0, 90, 0, 0]), sigma=10.0) == (6, 6)


def test_noise_alone_hardly_ever_makes_a_range():
    cells, sigma = 121, 50.0
    noise = stream(0, "noise").normal(0, sigma, (20_000, cells))
    assert (noise.max(axis=1) > sure(cells) * sigma).sum() <= 8  # 2 are expected


@pytest.mark.parametrize(("patients", "told"), [(20_000, (8, 23)), (400, (0, 31))])
def test_what_is_empty_is_cut_off_where_the_noise_lets_it_be_seen(patients, told):
    true = np.zeros(32)
    true[8:24] = patients / 16
    noise = stream(1, "noise").normal(0, 40, (200, 32))
    found = np.array([trimmed(true + one, sigma=40.0) for one in noise])
    assert (np.abs(np.median(found, axis=0) - told) <= 1).all()
    lost = [true[:first].sum() + true[last + 1 :].sum() for first, last in found]
    assert np.mean(lost) <= 0.02 * patients


def test_more_cells_ask_for_more_patients():
    assert 4 < sure(10) < sure(100) < 5
