"""Public codes: they come from declarations alone, and what nobody declared is refused."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import UsageError
from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.modalities.table.data import Table, from_frame
from semblance.modalities.table.domain import CELLS, public_encoding

DECLARED = {
    "columns": {
        "age": {"kind": "integer", "min": 17, "max": 90},
        "gain": {"kind": "integer", "min": 0, "max": 99_999},
        "crp": {"kind": "numeric", "min": 0, "max": 300},
        "sex": {"categories": ["F", "M"]},
        "seen": {"kind": "date", "min": date(2020, 1, 1), "max": date(2024, 12, 31)},
    }
}


def patients(n: int, seed: int = 0, **said: object) -> Table:
    rng = stream(seed, "patients")
    frame = pd.DataFrame(
        {
            "age": rng.integers(17, 91, n),
            "gain": np.where(rng.random(n) < 0.8, 0, rng.integers(1, 50_000, n)),
            "crp": np.round(np.exp(rng.normal(1, 1, n)).clip(0, 300), 2),
            "sex": rng.choice(["F", "M"], n),
            "seen": (pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D")).strftime("%Y-%m-%d"),
        }
    )
    frame.loc[::7, "crp"] = np.nan
    return from_frame(frame, ReadOptions(declared={**DECLARED, **said}))[0]


def test_every_column_that_is_not_declared_is_told_with_what_to_write():
    table = patients(50, columns={"age": {"kind": "integer", "min": 17}, "sex": {"categories": ["F", "M"]}})
    with pytest.raises(UsageError) as refused:
        public_encoding(table.schema)
    assert [problem.column for problem in refused.value.problems] == ["age", "gain", "crp", "seen"]
    assert "min = ..., max = ..." in refused.value.problems[0].fix


def test_records_do_not_change_the_codes():
    one, two = public_encoding(patients(50, 1).schema), public_encoding(patients(90, 2).schema)
    assert one.to_json()["columns"] == two.to_json()["columns"]
    assert max(one.sizes) <= CELLS + 2


def test_values_come_back_within_their_cell_and_missing_ones_as_missing():
    table = patients(2000)
    encoding = public_encoding(table.schema)
    codes = encoding.encode(table)
    again = encoding.decode(codes, first_subject=0, rng=stream(0, "decode"))
    assert (encoding.encode(again) == codes).mean() > 0.999
    pd.testing.assert_series_equal(again.frame["age"], table.frame["age"].astype(float), check_dtype=False)
    assert again.frame["sex"].tolist() == table.frame["sex"].tolist()
    assert (again.frame["crp"].isna() == table.frame["crp"].isna()).all()
    zero = table.frame["gain"] == 0
    assert (again.frame["gain"][zero] == 0).all() and not np.signbit(again.frame["gain"][zero]).any()
    assert np.abs(again.frame["gain"] - table.frame["gain"]).max() <= 99_999 / (CELLS / 2)


def test_what_lies_outside_the_declared_bounds_counts_as_the_nearest_or_as_missing():
    table = patients(40)
    encoding = public_encoding(table.schema)
    frame = table.frame.assign(age=120.0, crp=-5.0)
    again = encoding.decode(encoding.encode(Table(table.schema, frame, table.subjects)), first_subject=0, rng=stream(0))
    assert (again.frame["age"] == 90).all()
    assert again.frame["crp"].between(0, 0.1).all()
