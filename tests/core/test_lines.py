"""Lines of CSV by themselves: what is wrong with one is seen in no other."""

from __future__ import annotations

import csv
import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.core import lines

CELL = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00\x1c\x1d\x1e\x85\u2028\u2029"), max_size=5)


def test_rows_are_those_of_the_csv_with_what_lacks_left_empty(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text('\ufeffid,"a, b"\n1,"x ""y"", z"\n\n2\n3,4,5\n')
    found = lines.read(file)
    assert lines.header(file) == ["id", "a, b"] == found.columns.tolist()
    assert found.to_numpy().tolist() == [["1", 'x "y", z'], ["2", ""]]


def test_a_cell_that_is_too_long_leaves_its_row_out_whatever_limit_others_have_set(tmp_path):
    file, usual = tmp_path / "a.csv", csv.field_size_limit()
    many = ",".join(["1"] * lines.LONGEST)  # a long row of short cells is none
    try:
        for limit in (usual, 10 * lines.LONGEST):
            csv.field_size_limit(limit)
            file.write_text(f"id,x\n1,{'9' * (lines.LONGEST + 1)}\n2,{'9' * lines.LONGEST}\n3,\n")
            assert lines.read(file)["id"].tolist() == ["2", "3"]
            file.write_text(f"{many}\n{many}\n")
            assert lines.read(file).shape == (1, lines.LONGEST)
    finally:
        csv.field_size_limit(usual)


def test_a_packed_file_is_read_as_well(tmp_path):
    file = tmp_path / "a.csv.gz"
    with gzip.open(file, "wt") as text:
        text.write("id\n1\n")
    assert lines.read(file)["id"].tolist() == ["1"]


def test_an_empty_file_has_no_header(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("")
    assert lines.header(file) == []
    with pytest.raises(ValueError, match="no header"):
        lines.read(file)


@given(CELL, st.integers(0, 3))
def test_whatever_stands_in_a_line_others_are_read_alike(tmp_path_factory, cell, place):
    file, rows = tmp_path_factory.mktemp("lines") / "a.csv", [f"{k},{k}" for k in range(3)]
    file.write_text("\n".join(["id,x", *rows[:place], cell, *rows[place:]]), encoding="utf-8")
    found = lines.read(file).to_numpy().tolist()
    kept = [[str(k), str(k)] for k in range(3)]
    assert [row for row in found if row in kept] == kept and len(found) <= 4


@given(st.lists(st.text('a",\r;', max_size=6), max_size=5), st.sampled_from(",;"))
def test_lines_read_together_are_read_as_each_would_be_alone(some, separator):
    whole = "\n".join(some)
    found = [row for part in lines.parts(io.BytesIO(whole.encode()), separator=separator) for row in part]
    ones = whole.replace("\r", "\n").split("\n")
    alone = [row for one in ones for part in lines.parts(io.BytesIO(one.encode()), separator=separator) for row in part]
    assert [[cell.strip("\n") for cell in row] for row in found] == alone
