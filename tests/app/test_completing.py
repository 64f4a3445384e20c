"""Gaps of frames of every library."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from semblance.app.completing import filled

GAPS = pd.DataFrame({"n": [False, True, False], "c": [True, False, False], "i": [False, False, True]})
DRAWN = pd.DataFrame({"n": [9.0, 2.5, 9], "c": ["z", "q", "q"], "i": [9, 9, 7]})


def test_a_pandas_frame_keeps_index_order_types_and_what_it_held() -> None:
    frame = pd.DataFrame(
        {"key": [7, 8, 9], "n": [1.25, np.nan, 3], "c": pd.Categorical([None, "x", "y"]), "i": [1.0, 2, None]},
        index=[5, 3, 1],
    )
    before = frame.copy()
    made = filled(frame, DRAWN, GAPS)
    assert made.index.tolist() == [5, 3, 1]
    assert made.to_dict("list") == {"key": [7, 8, 9], "n": [1.25, 2.5, 3], "c": ["z", "x", "y"], "i": [1, 2, 7]}
    assert made["c"].dtype == "category"
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_other_libraries_keep_their_types(library: str) -> None:
    module: Any = pytest.importorskip(library)
    columns = {"n": [1.25, None, 3.0], "c": [None, "x", "y"], "i": [1, 2, None]}
    frame = module.DataFrame(columns) if library == "polars" else module.table(columns)
    made = filled(frame, DRAWN, GAPS)
    assert type(made) is type(frame)
    assert made.schema == frame.schema
    held = made.to_dict(as_series=False) if library == "polars" else made.to_pydict()
    assert held == {"n": [1.25, 2.5, 3], "c": ["z", "x", "y"], "i": [1, 2, 7]}
