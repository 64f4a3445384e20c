"""A first line of data is no header, and is never repeated in the message."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from semblance.core.errors import DataError
from semblance.core.modality import ReadOptions
from semblance.modalities.table.data import read

ROW = "10007,Zebulonia,34,61.2,1911-03-07"


def csv(folder: Path, *lines: str) -> str:
    path = folder / "t.csv"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.mark.parametrize(
    "lines",
    [
        (ROW, "10008,Quix,35,60.1,1912-04-08"),
        ("007,Zebulonia", "008,Quix"),
        ("Zebulonia,F,cardiology", "Quix,F,surgery", "Ada,M,cardiology"),
        ("10007,,,34,F", "10008,,,35,M"),
        ("10007,10007,34", "10008,10007,35"),
    ],
)
def test_a_first_line_of_data_is_refused_without_a_word_of_it(tmp_path, lines):
    with pytest.raises(DataError) as caught:
        read([csv(tmp_path, *lines)], ReadOptions())
    assert "looks like data" in str(caught.value) and len(caught.value.problems) == 1
    assert not any(cell and cell in str(caught.value) for cell in lines[0].split(",") if len(cell) > 2)


@pytest.mark.parametrize(
    "header",
    [
        "id,sex,2019,2020,2021,2022",
        "0,1,2,3,4,5",
        "1,2,3,4,5,6",
        "a,b,c,d,7,14",
        "visit,ward,day,sex,bmi,age",
    ],
)
def test_a_header_with_years_or_positions_holds(tmp_path, header):
    read([csv(tmp_path, header, "x1,F,3.5,4.5,5.5,6.5", "x2,M,2.5,1.5,0.5,8.5")], ReadOptions())


def test_one_column_may_have_any_name(tmp_path):
    read([csv(tmp_path, "5", "1.5", "2.5", "1.5")], ReadOptions())


def test_a_sheet_without_header_is_refused(tmp_path):
    book = openpyxl.Workbook()
    for row in ([10007, "F", 34.5], [10008, "F", 35.5]):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(DataError, match="looks like data"):
        read([str(tmp_path / "t.xlsx")], ReadOptions())
