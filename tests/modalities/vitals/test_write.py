from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from semblance.core.errors import UsageError
from semblance.modalities.vitals.data import Layout
from semblance.modalities.vitals.write import write
from tests.modalities.vitals.simulated import stays


def test_nothing_is_written_of_no_stays(tmp_path):
    with pytest.raises(UsageError, match="nothing to write"):
        write([], tmp_path / "synthetic")


def test_early_facts_stand_among_the_measurements_and_not_in_the_table(tmp_path):
    whole = stays(20, 0)
    layout = Layout(long="m.parquet", table="t.csv.gz", early=("age",), unit="unit", clock="HH:MM")
    folder = write([replace(whole, layout=layout)], tmp_path / "synthetic")
    long, table = pd.read_parquet(folder / "m.parquet"), pd.read_csv(folder / "t.csv.gz")
    assert list(table.columns) == ["stay", "sex", "died"]
    ages = long[long["channel"] == "age"]
    assert ages["value"].tolist() == whole.frame["age"].tolist()
    assert set(ages["minute"]) == {"00:00"}
    assert (long["unit"] == "").all()


def test_a_missing_fact_is_an_empty_cell(tmp_path):
    whole = stays(20, 0)
    frame = whole.frame.assign(age=whole.frame["age"].where(whole.frame.index != 3))
    table = pd.read_csv(write([replace(whole, frame=frame)], tmp_path / "synthetic") / "stays.csv")
    assert table["age"].isna().tolist() == [i == 3 for i in range(20)]
