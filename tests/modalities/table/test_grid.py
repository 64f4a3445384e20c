from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.modalities.table.grid import Grid, codes, counts, quantile_edges, within_reach


def test_only_held_categories_are_counted_most_frequent_first():
    column = pd.Series(pd.Categorical(["b", "a", "b", None, "c"], ["z", "c", "b", "a"]))
    assert counts(column).to_dict() == {"b": 2, "a": 1, "c": 1}
    assert list(counts(column).index) == ["b", "a", "c"]


def test_codes_follow_names_and_not_the_categories_order():
    column = pd.Series(pd.Categorical(["b", "x", None, "a"]))
    assert codes(column, pd.Index(["a", "b"]), other=7, missing=9).tolist() == [1, 7, 9, 0]


def test_infinities_come_within_reach_and_missing_stays():
    moved = within_reach(np.array([np.inf, -np.inf, np.nan, 3.0]), np.array([0.0, 10.0, np.inf]))
    assert moved[[0, 1, 3]].tolist() == [21.0, -11.0, 3.0]
    assert np.isnan(moved[2])


def test_tied_quantiles_make_fewer_bins():
    assert quantile_edges(np.array([0.0] * 90 + [1.0] * 10), 10).tolist() == pytest.approx([0.0, 0.1])
    assert len(quantile_edges(np.array([np.nan, np.inf]), 10)) == 0


def test_indicators_stand_side_by_side():
    grid = Grid(np.array([[0, 2], [1, 0], [1, 1]], dtype=np.uint8, order="F"), np.array([2, 3]))
    assert grid.starts.tolist() == [0, 2]
    assert grid.one_hot(slice(0, 2)).tolist() == [[1, 0, 0, 0, 1], [0, 1, 1, 0, 0]]
    assert grid.one_hot(np.array([2])).tolist() == [[0, 1, 0, 1, 0]]
    assert grid.only(np.array([1])).one_hot(slice(None)).tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
