"""Numbers and missing tokens: read, then written as they stood."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.core.schema import Column
from semblance.modalities.table import notation


def texts(*values: str) -> pa.Array:
    return pa.array(values, pa.string())


@pytest.mark.parametrize(
    "text", ["0", "-1", "12.50", ".5", "5.", "1e-3", "+7", " 39", "inf", "-Infinity", "9007199254740992"]
)
def test_is_a_number(text):
    assert notation.is_number(texts(text)).all()


OTHERS = ("", "007", "00", "-01.5", "9007199254740993", "1" * 40, "1,5", "0x10", "12kg", "1e", "--1", "Information")


@pytest.mark.parametrize("text", OTHERS)
def test_is_no_number(text):
    assert not notation.is_number(texts(text)).any()
    assert np.isnan(notation.read_numbers(texts(text))).all()


@pytest.mark.parametrize("text", ["007", "-01.5", "9007199254740993"])
def test_digits_that_are_no_number(text):
    assert notation.is_label(texts(text)).all()
    assert not notation.is_label(texts("9007199254740992", "0.5", "0", "x")).any()


def test_missing_tokens_may_stand_in_white_space_and_are_case_sensitive():
    assert notation.is_missing(texts(" ?", "", "NA ", "na", "None", "x"), tokens=notation.MISSING).tolist() == [
        True, True, True, False, False, False,
    ]  # fmt: skip


def test_decimals_are_counted_as_written():
    assert notation.count_decimals(texts("1", "1.50", "-0.125", "inf", "2e-3", "0." + "1" * 16)).tolist() == [
        0, 2, 3, 0, notation.SHORTEST, notation.SHORTEST,
    ]  # fmt: skip


@given(st.integers(0, 6), st.lists(st.integers(-(10**9), 10**9), min_size=1))
def test_fixed_decimals_come_back_exactly(decimals, wholes):
    column = Column("x", "numeric", decimals=decimals, fixed=decimals > 0)
    written = [f"{whole / 10**decimals + 0.0:.{decimals}f}" for whole in wholes]
    assert notation.number_texts(notation.read_numbers(texts(*written)), column=column).tolist() == written


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_shortest_form_loses_nothing(values):
    column = Column("x", "numeric", decimals=notation.SHORTEST)
    written = notation.number_texts(np.array(values), column=column)
    assert np.array_equal(notation.read_numbers(texts(*written)), np.array(values))


def test_a_synthetic_value_is_brought_to_the_precision_of_the_source():
    money = Column("x", "numeric", decimals=2, na="NA")
    assert notation.number_texts(np.array([1.23456, -0.001, np.nan, np.inf]), column=money).tolist() == [
        "1.23", "0", "NA", "inf",
    ]  # fmt: skip
    whole = Column("x", "integer", decimals=1, fixed=True)
    assert notation.number_texts(np.array([4.6]), column=whole).tolist() == ["5.0"]
