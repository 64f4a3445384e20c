"""Reading: kinds, missing tokens, the schema file, every refusal, and real tables."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest

from semblance.core.errors import DataError, SemblanceError, UsageError
from semblance.core.modality import Profile, ReadOptions
from semblance.core.schema import Column
from semblance.modalities.table.data import Table, from_frame, like, read

CANARY = "Zebedee-7391"


def csv(folder: Path, text: str | bytes, name: str = "t.csv") -> str:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def take(folder: Path, text: str, **options) -> tuple[Table, Profile]:
    return read([csv(folder, text)], ReadOptions(**options))


def column(folder: Path, cells: list[str], **options) -> Column:
    said = {"declared": {"columns": {"x": options.pop("said")}}} if "said" in options else {}
    return take(folder, "x\n" + "".join(f'"{c}"\n' for c in cells), **said, **options)[0].schema["x"]


def refusal(work: Callable[[], object], kind: type[SemblanceError] = DataError) -> str:
    with pytest.raises(kind) as caught:
        work()
    assert type(caught.value) is kind
    assert CANARY not in str(caught.value) + str(caught.value.to_json())
    assert all(problem.rule and problem.fix for problem in caught.value.problems)
    return str(caught.value)


# Kinds


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2", "2"], "integer"),
        (["1.5", "2", ""], "numeric"),
        (["0", "1", "1"], "integer"),
        (["1.0", "2.0", "2.0"], "integer"),
        (["inf", "-inf", "1"], "numeric"),
        (["yes", "no", "yes"], "boolean"),
        ([" True", " False", " True"], "boolean"),
        (["y", "n", "?"], "boolean"),
        (["yes", "maybe", "no"], "categorical"),
        (["007", "008", "009"], "categorical"),
        (["9007199254740993", "9007199254740995"], "categorical"),
        (["2020-01-31", "2020-02-01", "NA"], "date"),
        (["20200131", "20200201", "20200202"], "date"),
        (["20209999", "20200201", "20200202"], "integer"),
        (["None", "Norm", ">200"], "categorical"),
        (["", "", ""], "categorical"),
        ([f"{i}.{i % 9}" if i % 3 else f"V{i}" for i in range(100, 200)] * 2, "code"),
        ([f"{i:05d}" for i in range(60)] * 2, "code"),
        ([f"The patient number {i} came in with pain in the chest and went home." for i in range(30)], "text"),
    ],
)
def test_kinds(tmp_path, cells, kind):
    frame = "x,y\n" + "".join(f'"{c}",{i % 2}\n' for i, c in enumerate(cells))
    assert take(tmp_path, frame)[0].schema["x"].kind == kind


def test_decimals_and_dtypes(tmp_path):
    assert column(tmp_path, ["1.50", "2.25"]).decimals == 2
    assert column(tmp_path, ["1.50", "2.25"]).fixed
    assert not column(tmp_path, ["1.5", "2.25"]).fixed
    assert column(tmp_path, ["1", "2"]).dtype == "int64"
    assert column(tmp_path, ["1.0", "2.0"]).dtype == "float64"
    assert column(tmp_path, ["true", "false"]).dtype == "bool"


def test_missing_is_the_token_that_most_rows_hold(tmp_path):
    assert column(tmp_path, ["?", "?", "", "1"]).na == "?"
    assert column(tmp_path, [" ?", " a", " b"]).na == " ?"
    assert column(tmp_path, ["-", "1", "2"], na=("-",)).na == "-"
    assert column(tmp_path, ["-9", "1", "2"], said={"na": "-9"}).na == "-9"
    table, profile = take(tmp_path, "x,y\n?,a\nNA,b\n1,c\n2,\n")
    assert np.isnan(table.frame["x"]).tolist() == [True, True, False, False]
    assert [f.missing for f in profile.fields] == [0.5, 0.25]


def test_none_is_a_category_and_declared_tokens_replace_the_usual_ones(tmp_path):
    assert list(take(tmp_path, "x\nNone\nNorm\n")[0].frame["x"]) == ["None", "Norm"]
    table = take(tmp_path, "x\nNA\nEU\n?\n", na=("?",))[0]
    assert table.frame["x"].isna().tolist() == [False, False, True]
    assert list(table.frame["x"])[:2] == ["NA", "EU"]


def test_leading_spaces_are_kept(tmp_path):
    assert list(take(tmp_path, "x\n Private\nPrivate\n")[0].frame["x"]) == [" Private", "Private"]


# The frame


def test_a_declared_category_is_met_with_spaces_around_it(tmp_path):
    said = {"columns": {"a": {"categories": ["x", "y z"]}}}
    read_table, profile = take(tmp_path, "a,b\n x,1\ny z ,2\nx,3\nw,4\n", declared=said)
    assert read_table.frame["a"].tolist() == ["x", "y z", "x", "w"]
    assert [note for note in profile.notes if "outside" in note] == [
        "column 'a': 1 cells hold a value outside the declared categories"
    ]
    again = like([csv(tmp_path, "a,b\n y z,1\n", "again.csv")], read_table.schema)
    assert again.frame["a"].tolist() == ["y z"]


def test_the_frame_keeps_its_contract(tmp_path):
    table, profile = take(
        tmp_path, "pid,when,n,c,name\nb,2020-01-02,1,x,A\na,2020-01-01,,y,B\nb,,3.5,,C\n", subject="pid", target="c"
    )
    assert list(table.frame) == ["when", "n", "c"]
    assert table.frame.dtypes["when"] == table.frame.dtypes["n"] == np.float64
    assert table.frame["when"].tolist()[:2] == [1577923200.0, 1577836800.0]
    assert list(table.frame["c"].cat.categories) == ["x", "y"]
    assert table.subjects.tolist() == [0, 1, 0]
    assert table.subjects.dtype == np.int64
    assert table.frame.index.equals(pd.RangeIndex(3))
    assert (profile.records, profile.patients) == (3, 2)
    assert {f.name: (f.role, f.action) for f in profile.fields} == {
        "pid": ("subject", "regenerate"),
        "when": ("feature", "learn"),
        "n": ("feature", "learn"),
        "c": ("target", "learn"),
        "name": ("drop", "drop"),
    }


@pytest.mark.parametrize("text", ["x\n1\n", "x\na\n", "x,y\n1,\n", "a b,a-b,a.b,ä\n1,2,3,x\n", "x\n\n\n1\n"])
def test_small_and_odd_tables(tmp_path, text):
    table, profile = take(tmp_path, text)
    assert list(table.frame) == text.splitlines()[0].split(",")
    assert not any(f.unclear or f.suspicion for f in profile.fields)


def test_a_hundred_thousand_categories(tmp_path):
    names = [f"c{i}" for i in range(100_000)]
    table, profile = take(tmp_path, "x\n" + "\n".join(names * 2) + "\n")
    assert table.frame["x"].cat.categories.size == 100_000
    assert profile.fields[0].role == "feature"


# The schema file


def test_declared_columns(tmp_path):
    said = {
        "cohort": {"id": "c1", "n_public": 10},
        "columns": {
            "stage": {"kind": "ordinal", "categories": ["low", "mid", "high"]},
            "age": {"kind": "integer", "min": 0, "max": 120},
            "site": {"kind": "categorical"},
            "secret": {"role": "drop"},
        },
    }
    table, profile = take(tmp_path, "stage,age,site,secret\nlow,5,1,a\nhigh,6,2,b\nodd,7,1,c\n", declared=said)
    schema = table.schema
    assert (schema.cohort, schema.n_public) == ("c1", 10)
    stage = schema["stage"]
    assert (stage.kind, stage.categories, stage.bound) == ("ordinal", ("low", "mid", "high"), "declared")
    assert list(table.frame["stage"].cat.categories) == ["low", "mid", "high", "odd"]
    assert (schema["age"].min, schema["age"].max, schema["age"].bound) == (0.0, 120.0, "declared")
    assert schema["site"].kind == "categorical" and schema["secret"].role == "drop"
    assert any("1 cells hold a value outside" in note for note in profile.notes)


def test_a_declared_kind_that_does_not_fit_is_refused(tmp_path):
    told = refusal(lambda: column(tmp_path, ["1", CANARY, "3"], said={"kind": "integer"}))
    assert "column 'x', row 2" in told


def test_wrong_values_of_the_schema_are_all_told_and_nothing_crashes(tmp_path):
    said = {"a": {"min": "x", "max": "y"}, "b": {"kind": "date", "date_format": "%Q"}}
    with pytest.raises(UsageError) as caught:
        take(tmp_path, "a,b\n1,2020-01-01\n2,2020-01-02\n", declared={"columns": said})
    assert [problem.column for problem in caught.value.problems] == ["a", "a", "b"]


def test_a_declared_date_format_decides_day_and_month(tmp_path):
    cells = ["01/02/2020", "03/04/2020"]
    table, profile = take(tmp_path, "x\n" + "\n".join(cells) + "\n")
    assert table.frame["x"][0] == pd.Timestamp("2020-01-02").timestamp()
    assert "day and month cannot be told apart" in profile.notes[0]
    said = {"columns": {"x": {"date_format": "%d/%m/%Y"}}}
    assert take(tmp_path, "x\n" + "\n".join(cells) + "\n", declared=said)[0].frame["x"][0] == 1580515200.0
    refusal(lambda: column(tmp_path, [*cells, CANARY], said={"date_format": "%Y"}))


def test_free_text_is_no_target(tmp_path):
    rows = "".join(f"{CANARY} came in with pain in the chest number {i},1\n" for i in range(30))
    assert "free text as target" in refusal(lambda: take(tmp_path, "note,y\n" + rows, target="note"))


# Refusals


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "empty"),
        (b"a,b\n", "header only"),
        (b"a,b", "header only"),
        (f"a,a\n{CANARY},2\n".encode(), "the name stands more than once"),
        (f"a,\n{CANARY},2\n".encode(), "column 2 has no name"),
        (f"a,b\n1,2\n{CANARY}\n3,4\n5,{CANARY},6\n".encode(), "row 2: 1 cells, but the header has 2"),
        (f"a,b\n1,{CANARY}\xff\n".encode("latin-1"), "byte 18"),
        (f"a,b\n1,{CANARY}\n".encode("utf-16"), "UTF-16"),
        (f'a,b\n1,"{CANARY}\n2,x\n'.encode(), "RFC 4180"),
        (("a\n" + "1\n" * 20 + f"{CANARY}\n").encode(), "column 'a', row 21"),
        (("a,b\n" + "2020-01-01,1\n" * 20 + f"{CANARY},2\n").encode(), "column 'a', row 21"),
    ],
)
def test_bad_csv_files(tmp_path, text, told):
    assert told in refusal(lambda: read([csv(tmp_path, text)], ReadOptions()))


def test_the_byte_of_a_wrong_encoding_counts_from_the_start_of_the_file(tmp_path):
    text = b"a,b\n" + b"1,x\n" * 400_000 + b"\xe9,2\n"
    assert f"byte {len(text) - 4}" in refusal(lambda: read([csv(tmp_path, text)], ReadOptions()))


def test_a_byte_order_mark_and_other_separators_are_fine(tmp_path):
    table, profile = read([csv(tmp_path, b"\xef\xbb\xbfa;b\n1;x\n2;y\n")], ReadOptions())
    assert table.schema.names == ("a", "b")
    assert "separated by ';'" in profile.notes[0]


def test_all_problems_are_told_at_once(tmp_path):
    text = "a,b,c\n" + "1,2,x\n" * 20 + f"{CANARY},1,x\n1,{CANARY},x\n1,2\n"
    told = refusal(lambda: take(tmp_path, text, target="d", subject="e"))
    assert all(
        part in told
        for part in ("column 'a', row 21", "column 'b', row 22", "row 23", "no column 'd'", "no column 'e'")
    )


def test_unknown_columns_are_usage(tmp_path):
    assert "did you mean 'income'?" in refusal(lambda: take(tmp_path, "income,x\n1,2\n", target="incme"), UsageError)


def test_a_record_without_a_patient_is_refused(tmp_path):
    assert "column 'pid', row 2" in refusal(lambda: take(tmp_path, f"pid,x\n1,{CANARY}\n,2\n", subject="pid"))


def test_files_that_are_none(tmp_path):
    broken = gzip.compress(f"a,b\n1,{CANARY}\n".encode() * 1000)[:-20]
    for name, content in {
        "a.csv.gz": broken,
        "b.csv.gz": b"a,b\n1,2\n",
        "c.zip": b"no zip",
        "d.parquet": b"no parquet",
        "e.feather": b"no feather",
        "f.xlsx": b"no workbook",
    }.items():
        assert "no complete" in refusal(lambda n=name, c=content: read([csv(tmp_path, c, n)], ReadOptions()))
    (tmp_path / "folder.csv").mkdir()
    assert "folder" in refusal(lambda: read([str(tmp_path / "folder.csv")], ReadOptions()))
    assert "no file" in refusal(lambda: read([str(tmp_path / "absent.csv")], ReadOptions()), UsageError)
    assert "known kind" in refusal(lambda: read([csv(tmp_path, b"x", "t.doc")], ReadOptions()), UsageError)
    assert "2 paths" in refusal(lambda: read(["a.csv", "b.csv"], ReadOptions()), UsageError)


def test_a_truncated_member_is_refused(tmp_path):
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("t.csv", "a,b\n1,2\n")
    data = bytearray(path.read_bytes())
    data[data.index(b"1,2")] = ord("9")
    path.write_bytes(bytes(data))
    assert "no complete" in refusal(lambda: read([str(path)], ReadOptions()))


def test_nothing_to_learn_is_refused(tmp_path):
    refusal(lambda: take(tmp_path, "patient_id\n" + "".join(f"{i}\n" for i in range(30))))


# Data frames


def test_frames_of_three_libraries_are_one_table():
    frame = pd.DataFrame({"n": [1, 2, 3], "x": [0.5, None, 2.0], "c": ["a", None, "b"], "b": [True, False, True]})
    tables = [from_frame(f, ReadOptions())[0] for f in (frame, polars.from_pandas(frame), pa.Table.from_pandas(frame))]
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table.frame, tables[0].frame)
        assert table.schema == tables[0].schema


def test_bad_frames_are_refused():
    mixed = pd.DataFrame({"m": [1, CANARY, 2.5, 3], "ok": [1, 2, 3, 4]})
    assert "column 'm', row 2" in refusal(lambda: from_frame(mixed, ReadOptions()))
    assert "no text" in refusal(lambda: from_frame(pd.DataFrame({0: [1]}), ReadOptions()))
    assert "empty" in refusal(lambda: from_frame(pd.DataFrame({"a": []}), ReadOptions()))
    assert "more than once" in refusal(lambda: from_frame(pd.DataFrame([[1, 2]], columns=["a", "a"]), ReadOptions()))
    assert "list" in refusal(lambda: from_frame(pd.DataFrame({"a": [[1], [2]]}), ReadOptions()))
    refusal(lambda: from_frame([1, 2], ReadOptions()), UsageError)


def test_an_ordered_category_keeps_its_order():
    values = pd.Categorical(["mid", "low"], categories=["low", "mid", "high"], ordered=True)
    table = from_frame(pd.DataFrame({"o": values}), ReadOptions())[0]
    assert (table.schema["o"].kind, table.schema["o"].categories) == ("ordinal", ("low", "mid", "high"))


# Under a known schema


def test_like_reads_under_a_known_schema(tmp_path):
    table = take(tmp_path, "pid,n,c,d\n1,1.5,a,2020-01-01\n1,,b,2020-01-02\n2,3.0,?,\n", subject="pid")[0]
    other = like([csv(tmp_path, "extra,d,c,n,pid\nz,2021-01-01,new,?,7\nz,?,a,4.25,8\n", "o.csv")], table.schema)
    assert list(other.frame) == ["n", "c", "d"]
    assert list(other.frame["c"]) == ["new", "a"]
    assert other.frame["n"].isna().tolist() == [True, False]
    assert other.subjects.tolist() == [0, 1]


def test_like_tells_all_that_does_not_fit(tmp_path):
    table = take(tmp_path, "n,c,d\n1.5,a,x\n2.5,b,y\n")[0]
    told = refusal(lambda: like([csv(tmp_path, f"n,c\n{CANARY},a\n", "o.csv")], table.schema))
    assert "column 'd': the column is missing" in told and "column 'n', row 1" in told


# Real tables


def test_diabetes(shared_data):
    path = shared_data / "tables" / "diabetes130.zip"
    table, profile = read([path], ReadOptions(subject="patient_nbr", target="readmitted"))
    assert (len(table), profile.patients, len(table.schema)) == (101_766, 71_518, 50)
    assert [f.name for f in profile.fields if f.suspicion] == ["encounter_id", "patient_nbr"]
    assert not any(f.unclear for f in profile.fields)
    roles = {c.name: c.role for c in table.schema if c.role != "feature"}
    assert roles == {"encounter_id": "key", "patient_nbr": "subject", "readmitted": "target"}
    kinds = {c.name: c.kind for c in table.schema}
    assert kinds["diag_1"] == kinds["diag_2"] == kinds["diag_3"] == "code"
    assert kinds["diabetesMed"] == "boolean" and kinds["time_in_hospital"] == "integer"
    assert table.schema["weight"].na == "?" and profile.fields[5].missing == pytest.approx(0.9686, abs=1e-4)
    assert (table.frame["A1Cresult"] == "None").sum() == 84_748
    assert "holds 2 tables: using the largest" in profile.notes[0]


def test_adult(shared_data):
    table, profile = read([shared_data / "tables" / "adult.csv.gz"], ReadOptions(target="income"))
    assert [f.name for f in profile.fields if f.suspicion] == []
    assert (table.frame["workclass"] == " Private").sum() == 22_696
    assert table.schema["native-country"].na == " ?"
