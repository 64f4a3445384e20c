from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semblance.core.rng import stream
from semblance.modalities.table.cells import MISSING, OTHERS, cells
from tests.contracts.samples import table


def drawn(frame: pd.DataFrame, name: str, **options):
    made = table(frame, **options)
    return cells(made, made, made.schema[name])


def test_a_rare_category_has_no_cell_of_its_own():
    shown = drawn(pd.DataFrame({"c": ["a"] * 100 + ["b"] * 50 + ["rare"] * 10, "x": range(160)}), "c")
    assert {cell["label"] for cell in shown} == {"a", OTHERS}
    assert [cell["train"] for cell in shown] == [0.625, 0.375]


def test_missing_is_a_cell_where_enough_patients_miss_it():
    shown = drawn(pd.DataFrame({"c": ["a"] * 100 + [None] * 50, "x": range(150)}), "c")
    assert {cell["label"]: cell["train"] for cell in shown} == {"a": 0.6667, MISSING: 0.3333}


def test_patients_are_counted_and_not_records():
    frame = pd.DataFrame({"pid": [f"p{i}" for i in range(50)] * 2 + ["q"] * 40, "c": ["a"] * 100 + ["b"] * 40})
    assert [cell["label"] for cell in drawn(frame, "c", subject="pid")] == [OTHERS]


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(12, 400))
def test_no_numeric_cell_is_small_and_no_edge_is_an_extreme(seed, n):
    values = stream(seed).lognormal(3, 1, n).round(4)
    made = table(pd.DataFrame({"x": values}))
    shown = cells(made, made, made.schema["x"])
    assert all(round(cell["train"] * n) >= 11 for cell in shown)
    assert sum(cell["train"] for cell in shown) == pytest.approx(1, abs=0.01)
    text = " ".join(cell["label"] for cell in shown)
    assert f"{values.max():.10g}" not in text.split()
    assert f"{values.min():.10g}" not in text.split()


def test_a_tiny_column_is_not_drawn():
    assert drawn(pd.DataFrame({"x": np.arange(10) / 3, "c": list("aabbccddee")}), "x") == []
    assert drawn(pd.DataFrame({"x": np.arange(10) / 3, "c": list("aabbccddee")}), "c") == []


def test_dates_are_labelled_as_dates():
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(300), unit="D")
    assert drawn(pd.DataFrame({"d": days, "x": range(300)}), "d")[0]["label"].startswith("below 20")


def test_bins_of_whole_numbers_name_the_numbers_they_hold():
    labels = [cell["label"] for cell in drawn(pd.DataFrame({"x": np.arange(600) % 6, "y": range(600)}), "x")]
    assert labels == ["up to 0", "1", "2", "3", "4", "5 or more"]


def test_a_patient_with_many_records_hides_nobody_behind_him():
    """The first records of a cell are one patient's, and still the others are found."""
    frame = pd.DataFrame({"pid": ["q"] * 900 + [f"p{i}" for i in range(100)], "c": ["a"] * 950 + ["b"] * 50})
    shown = drawn(frame, "c", subject="pid")
    assert {cell["label"]: cell["train"] for cell in shown} == {"a": 0.95, "b": 0.05}
