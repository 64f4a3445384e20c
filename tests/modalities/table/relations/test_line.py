"""Conversions of units are found with their textbook factors; what no line gives exactly is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.table.relations.line import line

FACTORS = [
    (2.20462, 0.0, 1),
    (1.8, 32.0, 1),
    (0.393701, 0.0, 2),
    (88.42, 0.0, 0),
    (1 / 18.0182, 0.0, 3),
    (-3.0, 7.5, 2),
]


@pytest.mark.parametrize(("slope", "offset", "decimals"), FACTORS)
def test_every_value_is_given_back_rounding_included(slope, offset, decimals):
    x = stream(0).normal(80, 20, 5000).round(1)
    y = np.round(slope * x + offset, decimals)
    found = line(x, y, unit=10.0**-decimals)
    assert found is not None
    assert (np.round(found[0] * x + found[1], decimals) == y).all()
    assert found[0] == pytest.approx(slope, rel=1e-3)


def test_a_plain_factor_is_found_as_it_stands_in_the_textbook():
    x = stream(0).normal(37, 1, 20_000).round(1)
    assert line(x, np.round(1.8 * x + 32, 1), unit=0.1) == (1.8, 32.0)


def test_numbers_without_a_unit_are_met_to_a_billionth():
    x = stream(0).normal(size=500)
    found = line(x, 2.5 * x + 1.25, unit=0.0)
    assert found == pytest.approx((2.5, 1.25), abs=1e-8)


def test_one_value_off_the_line_is_enough():
    x = np.arange(300.0)
    y = 2 * x + 1
    y[150] += 1
    assert line(x, y, unit=1.0) is None


def test_noise_beyond_rounding_is_no_line():
    rng = stream(0)
    x = rng.normal(size=400).round(2)
    assert line(x, (x + rng.normal(0, 0.02, 400)).round(2), unit=0.01) is None


@pytest.mark.parametrize("x", [np.zeros(0), np.zeros(5), np.ones(1)])
def test_there_is_no_line_through_one_point(x):
    assert line(x, x, unit=1.0) is None


def test_dates_may_only_be_moved():
    x = np.arange(10.0) * 86_400
    assert line(x, x + 86_400, unit=86_400.0, whole=True) == (1.0, 86_400.0)
    assert line(x, 2 * x, unit=86_400.0, whole=True) is None
