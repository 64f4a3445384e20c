"""Writing: what was read comes back text by text, or type by type."""

from __future__ import annotations

import csv
import gzip
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semblance.core.errors import UsageError
from semblance.core.modality import ReadOptions
from semblance.modalities.table.data import Table, from_frame, output_name, read, write
from semblance.modalities.table.notation import MISSING


def halves(table: Table) -> list[Table]:
    rows = np.arange(len(table))
    return [table.take(part) for part in np.array_split(rows, 2) if len(part)]


def cells(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return [row or [""] for row in csv.reader(stream)]


# One strategy per kind of column; within a column one missing token, one date format, one way to write numbers.
_labels = st.sampled_from(["a", " b", "c,d", 'e"f', "line\nbreak", "None", "ä", "007", "x;y"])
_texts = st.lists(_labels, min_size=1, max_size=6, unique=True).flatmap(st.sampled_from)
_wholes = st.integers(-(2**53), 2**53).map(str)
_decimals = st.integers(-(10**6), 10**6).map(lambda v: f"{v / 100:.2f}")
_dates = st.dates().filter(lambda d: d.year > 1000).map(lambda d: d.isoformat())
_booleans = st.sampled_from(["Yes", "No"])


@st.composite
def columns(draw, rows: int) -> list[str]:
    cell = draw(st.sampled_from([_texts, _wholes, _decimals, _dates, _booleans]))
    token = draw(st.sampled_from(MISSING))
    body = draw(st.lists(cell, min_size=rows, max_size=rows))
    gone = draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
    return [token if g else c for c, g in zip(body, gone, strict=True)]


@st.composite
def tables(draw) -> list[list[str]]:
    rows = draw(st.integers(1, 12))
    names = draw(
        st.lists(st.sampled_from(["n", "n m", "n-m", "n.m", "né", "n,m", 'n"']), min_size=1, max_size=4, unique=True)
    )
    body = [draw(columns(rows)) for _ in names]
    return [names, *map(list, zip(*body, strict=True))]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables())
def test_a_csv_comes_back_cell_by_cell(tmp_path, rows):
    source = tmp_path / "in.csv"
    with source.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    table, _ = read([source], ReadOptions())
    assert cells(write(halves(table), tmp_path / "out.csv")) == rows


def test_diabetes_comes_back_cell_by_cell(shared_data, tmp_path):
    path = shared_data / "tables" / "diabetes130.zip"
    table, _ = read([path], ReadOptions(subject="patient_nbr"))
    start = time.perf_counter()
    written = write(
        (table.take(np.arange(i, min(i + 8192, len(table)))) for i in range(0, len(table), 8192)), tmp_path / "s.csv"
    )
    assert time.perf_counter() - start < 30
    source = _member(path)
    again = pd.read_csv(written, dtype=str, keep_default_na=False)
    assert list(again) == list(source)
    keys = ["encounter_id", "patient_nbr"]
    pd.testing.assert_frame_equal(again.drop(columns=keys), source.drop(columns=keys))
    assert again["encounter_id"].tolist() == [str(i + 1) for i in range(len(again))]
    assert pd.factorize(again["patient_nbr"])[0].tolist() == pd.factorize(source["patient_nbr"])[0].tolist()


def _member(path: Path) -> pd.DataFrame:
    with zipfile.ZipFile(path) as archive, archive.open("dataset_diabetes/diabetic_data.csv") as stream:
        return pd.read_csv(stream, dtype=str, keep_default_na=False)


def test_adult_comes_back_cell_by_cell(shared_data, tmp_path):
    path = shared_data / "tables" / "adult.csv.gz"
    table, _ = read([path], ReadOptions(target="income"))
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        assert cells(write(halves(table), tmp_path / "s.csv")) == list(csv.reader(stream))


def rich(rows: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1000, rows), unit="D")
    return pd.DataFrame(
        {
            "whole": rng.integers(0, 9, rows),
            "small": rng.integers(0, 9, rows).astype("uint8"),
            "single": (rng.integers(0, 50, rows) / 10).astype("float32"),
            "double": rng.normal(size=rows),
            "gaps": pd.array([None if v < 2 else v for v in rng.integers(0, 9, rows)], dtype="Int64"),
            "truth": rng.random(rows) < 0.5,
            "doubt": pd.array([None, True] * (rows // 2), dtype="boolean"),
            "label": pd.Categorical(rng.choice(["x", "y"], rows)),
            "stage": pd.Categorical(rng.choice(["lo", "mid"], rows), categories=["lo", "mid", "hi"], ordered=True),
            "coded": pd.Categorical(rng.choice([1, 2, 3], rows)),
            "day": days,
            "moment": days.tz_localize("Europe/Berlin"),
            "word": rng.choice(["a", "b", None], rows),
            "object": pd.Series(rng.choice(["a", "b"], rows), dtype=object),
            "string": pd.Series(rng.choice(["a", "b"], rows), dtype="string"),
            "nothing": [None] * rows,
        }
    )


def test_pandas_in_pandas_out():
    frame = rich()
    table, _ = from_frame(frame, ReadOptions())
    pd.testing.assert_frame_equal(table.to_pandas(), frame, check_categorical=True)


def test_integers_that_go_missing_become_nullable():
    table, _ = from_frame(pd.DataFrame({"a": [1, 2], "b": [True, False]}), ReadOptions())
    gaps = Table(table.schema, pd.DataFrame({"a": [1.0, np.nan], "b": pd.Categorical(["True", None])}), table.subjects)
    assert gaps.to_pandas().dtypes.astype(str).tolist() == ["Int64", "boolean"]


@pytest.mark.parametrize(("suffix", "load"), [("parquet", parquet.read_table), ("feather", feather.read_table)])
def test_typed_files_keep_their_types(tmp_path, suffix, load):
    drop = ["coded"] if suffix == "parquet" else []  # Parquet itself has no categories but texts
    first, second = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    write([from_frame(rich().drop(columns=drop), ReadOptions())[0]], first)
    write(halves(read([first], ReadOptions())[0]), second)
    assert load(second).schema.equals(load(first).schema)
    pd.testing.assert_frame_equal(load(second).to_pandas(), load(first).to_pandas())


def test_categories_may_grow_from_chunk_to_chunk(tmp_path):
    tables = [
        from_frame(pd.DataFrame({"c": pd.Categorical([a, b])}), ReadOptions())[0] for a, b in (("x", "y"), ("z", "x"))
    ]
    for name in ("t.parquet", "t.feather", "t.csv"):
        again, _ = read([write(tables, tmp_path / name)], ReadOptions())
        assert "".join(again.to_pandas()["c"]) == "xyzx"


def test_a_rare_class_is_text_in_a_csv_and_missing_where_the_type_knows_no_text(tmp_path):
    frame = pd.DataFrame({"b": [True, False], "c": pd.Categorical([1, 2]), "n": [1, 2]})
    table, _ = from_frame(frame, ReadOptions(declared={"columns": {"n": {"kind": "categorical"}}}))
    labels = {"b": ["True", "(rare)"], "c": ["1", "(rare)"], "n": ["1", "(rare)"]}
    made = Table(table.schema, pd.DataFrame({k: pd.Categorical(v) for k, v in labels.items()}), np.arange(2))
    assert cells(write([made], tmp_path / "t.csv"))[1:] == [["True", "1", "1"], ["(rare)"] * 3]
    assert made.to_pandas().isna().to_numpy().tolist() == [[False] * 3, [True] * 3]
    assert parquet.read_table(write([made], tmp_path / "t.parquet")).column("n").to_pylist() == [1, None]


def test_large_floats_are_numbers():
    frame = pd.DataFrame({"x": [9007199254740994.0, 1e300, -2.5, np.inf]})
    table, _ = from_frame(frame, ReadOptions())
    assert table.schema["x"].kind == "numeric"
    pd.testing.assert_frame_equal(table.to_pandas(), frame)


def test_large_integers_are_labels_and_come_back_whole():
    frame = pd.DataFrame({"big": np.array([2**63, 2**63 + 1] * 15, dtype="uint64")})
    table, _ = from_frame(frame, ReadOptions())
    assert table.schema["big"].kind == "categorical"
    pd.testing.assert_frame_equal(table.to_pandas(), frame)


def test_excel_keeps_what_excel_knows(tmp_path):
    frame = rich()[["whole", "double", "truth", "day", "word"]].assign(text=["=1+1", "x"] * 20)
    table, _ = from_frame(frame, ReadOptions())
    first = write(halves(table), tmp_path / "a.xlsx")
    again, _ = read([first], ReadOptions())
    pd.testing.assert_frame_equal(again.to_pandas(), frame)
    assert write(halves(again), tmp_path / "b.xlsx").read_bytes() == first.read_bytes()


def test_keys_and_patients_are_numbered_anew(tmp_path):
    table, _ = from_frame(
        pd.DataFrame({"patient_id": ["b", "a", "b"], "visit_id": [9, 8, 7], "x": [1, 2, 3]}),
        ReadOptions(subject="patient_id"),
    )
    made = read(
        [write([table, table], tmp_path / "t.parquet")],
        ReadOptions(declared={"columns": {"visit_id": {"role": "feature"}, "patient_id": {"role": "feature"}}}),
    )[0].to_pandas()
    assert made["visit_id"].tolist() == [1, 2, 3, 4, 5, 6]
    assert made["patient_id"].tolist() == ["1", "2", "1"] * 2
    assert table.to_pandas(offset=10)["visit_id"].tolist() == [11, 12, 13]


def test_nothing_is_half_written(tmp_path):
    table, _ = from_frame(pd.DataFrame({"x": [1, 2]}), ReadOptions())

    def broken():
        yield table
        raise RuntimeError

    for name in ("t.csv", "t.csv.gz", "t.parquet", "t.feather", "t.xlsx"):
        with pytest.raises(RuntimeError):
            write(broken(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_wrong_outputs_are_usage(tmp_path):
    table, _ = from_frame(pd.DataFrame({"x": [1, 2]}), ReadOptions())
    with pytest.raises(UsageError):
        write([table], tmp_path / "t.doc")
    with pytest.raises(UsageError):
        write([], tmp_path / "t.csv")


def test_the_output_is_named_after_the_input(tmp_path):
    names = {
        "a.csv": "csv",
        "A.CSV": "csv",
        "a.csv.gz": "csv",
        "a.parquet": "parquet",
        "a.feather": "feather",
        "a.xlsx": "xlsx",
    }
    assert {name: output_name([name]) for name in names} == {n: f"synthetic.{s}" for n, s in names.items()}


def test_same_records_same_bytes(tmp_path):
    table, _ = from_frame(rich(), ReadOptions())
    for suffix in ("csv", "csv.gz", "parquet", "feather", "xlsx"):
        first = write(halves(table), tmp_path / f"a.{suffix}").read_bytes()
        assert write(halves(table), tmp_path / f"b.{suffix}").read_bytes() == first
