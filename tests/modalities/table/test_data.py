"""Table: its contract, taking and joining."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.core.dataset import Dataset
from semblance.core.errors import UsageError
from semblance.core.modality import ReadOptions
from semblance.modalities.table.data import Table, concat, from_frame


@pytest.fixture
def table() -> Table:
    frame = pd.DataFrame({"patient_id": [1, 1, 2, 3], "x": [1.5, None, 2.0, 4.0], "c": ["a", "b", "c", None]})
    return from_frame(frame, ReadOptions(subject="patient_id"))[0]


def test_a_table_is_a_dataset(table):
    assert isinstance(table, Dataset)
    assert len(table) == 4


def test_take_renumbers_rows_and_keeps_categories(table):
    part = table.take(np.array([3, 0]))
    assert part.frame.index.tolist() == [0, 1]
    assert part.subjects.tolist() == [2, 0]
    assert part.frame["c"].cat.categories.tolist() == ["a", "b", "c"]
    pd.testing.assert_frame_equal(table.take(table.subjects == 0).frame, table.take(np.array([0, 1])).frame)


def test_concat_undoes_a_split(table):
    parts = [table.take(np.array([0, 1])), table.take(np.array([2])), table.take(np.array([3]))]
    pd.testing.assert_frame_equal(concat(parts).frame, table.frame)
    assert concat(parts).subjects.tolist() == table.subjects.tolist()


def test_concat_joins_categories(table):
    other = Table(table.schema, pd.DataFrame({"x": [1.0], "c": pd.Categorical(["z"])}), np.array([9]))
    joined = concat([table, other])
    assert joined.frame["c"].astype(object).tolist()[-1] == "z"
    assert joined.frame["c"].cat.categories.tolist() == ["a", "b", "c", "z"]
    with pytest.raises(UsageError):
        concat([])


def test_a_frame_that_breaks_the_contract_is_refused(table):
    with pytest.raises(ValueError, match="learned columns"):
        Table(table.schema, table.frame[["c", "x"]], table.subjects)
    with pytest.raises(ValueError, match="patient"):
        Table(table.schema, table.frame, table.subjects[:2])
