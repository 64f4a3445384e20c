"""Where a table lies: members of a zip, sheets of a workbook."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pandas as pd
import pytest

from semblance.core.errors import DataError, UsageError
from semblance.core.modality import ReadOptions
from semblance.modalities.table.data import output_name, read


@pytest.fixture
def archive(tmp_path):
    packed = io.BytesIO()
    pd.DataFrame({"p": [1, 2]}).to_parquet(packed)
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("in/small.csv", "a\n1\n")
        target.writestr("in/large.csv", "b\n" + "1\n2\n" * 2000)
        target.writestr("in/typed.parquet", packed.getvalue())
        target.writestr("__MACOSX/in/._large.csv", "x" * 10_000)
        target.writestr("notes.txt", "x" * 10_000)
    return path


def test_the_largest_member_is_read_and_said_so(archive):
    table, profile = read([archive], ReadOptions())
    assert table.schema.names == ("b",)
    assert "holds 3 tables: using the largest, in/large.csv" in profile.notes[0]


@pytest.mark.parametrize(("member", "name"), [("in/small.csv", "a"), ("small.csv", "a"), ("typed.parquet", "p")])
def test_a_member_may_be_named(archive, member, name):
    table, profile = read([f"{archive}::{member}"], ReadOptions())
    assert table.schema.names == (name,)
    assert profile.notes == ()


def test_an_unknown_member_is_usage(archive):
    with pytest.raises(UsageError, match=r"in/small\.csv, in/large\.csv"):
        read([f"{archive}::other.csv"], ReadOptions())
    with pytest.raises(UsageError, match="only a zip"):
        (archive.parent / "t.csv").write_text("a\n1\n")
        read([f"{archive.parent / 't.csv'}::x"], ReadOptions())


def test_a_zip_without_tables_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as target:
        target.writestr("notes.txt", "x")
    with pytest.raises(DataError, match="holds no table"):
        read([tmp_path / "t.zip"], ReadOptions())


def test_the_output_follows_the_member(archive):
    assert output_name([archive]) == "synthetic.csv"
    assert output_name([f"{archive}::typed.parquet"]) == "synthetic.parquet"


def test_the_largest_sheet_is_read_and_a_sheet_may_be_named(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["a"])
    book.active.append([1])
    large = book.create_sheet("large")
    for row in (["b", 2020, None], [1, "x", None], [2.5, None, None], ["V1", "y", None], [None, None, None]):
        large.append(row)
    book.save(tmp_path / "t.xlsx")
    table, profile = read([tmp_path / "t.xlsx"], ReadOptions())
    assert (table.schema.names, len(table)) == (("b", "2020"), 3)
    assert "2 sheets" in profile.notes[0]
    assert list(table.frame["b"]) == ["1", "2.5", "V1"]
    assert read([f"{tmp_path / 't.xlsx'}::Sheet"], ReadOptions())[0].schema.names == ("a",)
    with pytest.raises(UsageError, match="Sheet, large"):
        read([f"{tmp_path / 't.xlsx'}::none"], ReadOptions())
