"""Public codes: they come from declarations alone, and what nobody declared is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import UsageError
from semblance.core.modality import Profile, ReadOptions
from semblance.core.rng import stream
from semblance.core.schema import OTHER, Schema
from semblance.modalities.table import measure
from semblance.modalities.table.data import Table, from_frame, like
from semblance.modalities.table.declare import as_number
from semblance.modalities.table.domain import CELLS, declared_record, declared_schema, public_encoding, read_declared
from semblance.modalities.table.sources import load
from semblance.privacy import noise
from semblance.privacy.ledger import Ledger

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
    return public(from_frame(frame, ReadOptions(declared={**DECLARED, **said}))[0])


def public(table: Table) -> Table:
    """The same records, with a schema of which nothing was read off them."""
    return replace(table, schema=replace(table.schema, public=True))


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


# Reading under a declared schema

FILE = {
    "columns": {
        "pid": {"role": "subject"},
        "lab": {"kind": "numeric", "min": 0, "max": 10},
        "seen": {"date_format": "%d/%m/%Y", "min": date(2010, 1, 1), "max": date(2012, 1, 1)},
        "stage": {"categories": ["NA", "I"]},
    },
    "na": ["-9", "?"],
}


def written(path: Path, *more: str) -> Path:
    rows = [f"P{i},{i % 9 + 1},{i % 12 + 1:02d}/0{i % 9 + 1}/2011,{'I' if i % 2 else 'NA'}" for i in range(60)]
    text = "\n".join(["pid,lab,seen,stage", *rows, *more]) + "\n"
    path.write_bytes(text.encode(errors="surrogateescape"))  # a test may hold a byte that is no UTF-8
    return path


@pytest.mark.parametrize(
    "odd",
    [
        "X1,5.123456,01/02/2011,I",
        "X1,abc,01/02/2011,I",
        "X1,-9,03/25/2011,II",
        "X1,1e300,?,?",
        "X1,,,",
        "X1",
        'X1,"5,01/02/2011,I',
        'X1,"',
        "X1,Z\udcfcrich,01/02/2011,I",
        "X1,5\0,01/02/2011,I",
        "pid,lab,seen,stage",
    ],
)
def test_one_record_more_changes_how_no_other_is_read(odd: str, tmp_path: Path) -> None:
    options = ReadOptions(declared=FILE)
    one, _ = read_declared([written(tmp_path / "a.csv")], options)
    two, profile = read_declared([written(tmp_path / "b.csv", odd)], options)
    assert one.schema == two.schema and one.schema.public
    coder = public_encoding(one.schema)
    assert (coder.encode(one) == coder.encode(two)[:60]).all()
    assert len(two) == 61 and profile.records == 61


@pytest.mark.parametrize(
    "odd", ["X1,5,01/02/2011,I,more", "X1;5;;;;;,,,,", f"X1,{'9' * 140_000},,I", ",5,01/02/2011,I", "?,,,"]
)
def test_a_line_that_is_no_record_is_left_out_alone(odd: str, tmp_path: Path) -> None:
    options = ReadOptions(declared=FILE)
    one, _ = read_declared([written(tmp_path / "a.csv")], options)
    two, profile = read_declared([written(tmp_path / "b.csv", odd)], options)
    coder = public_encoding(one.schema)
    assert (coder.encode(one) == coder.encode(two)).all() and profile.records == 60
    assert "X1" not in repr(profile)


def test_quotes_of_one_patient_swallow_no_other(tmp_path: Path) -> None:
    """Two lines with an open quote each, and all between them would be one cell: a patient more, 40 fewer."""
    path = written(tmp_path / "a.csv")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:11], 'X1,"5,,', *lines[11:50], 'X1,"5,,', *lines[50:]]))
    table, profile = read_declared([path], ReadOptions(declared=FILE))
    assert (profile.records, profile.patients) == (62, 61) and table.frame["lab"].notna().sum() == 60


def test_lines_are_read_as_a_whole_file_is_where_nothing_is_odd(tmp_path: Path, shared_data: Path) -> None:
    quoted = tmp_path / "a.csv"
    quoted.write_text('\ufeffpid;"lab;x";seen\r\n1;"2;""3""";\r\n\r\n4; 5;"é"\r\n', encoding="utf-8")
    for path in (quoted, shared_data / "tables" / "adult.csv.gz"):
        whole, alone = (load(str(path), alone=alone) for alone in (False, True))
        assert whole.notes == alone.notes
        assert [(raw.name, raw.data.to_pylist()) for raw in whole.columns] == [
            (raw.name, raw.data.to_pylist()) for raw in alone.columns
        ]


@pytest.mark.parametrize("told", [None, {"role": "drop"}, {"kind": "identifier"}, {"kind": "text"}])
def test_a_column_that_names_patients_is_never_dropped_in_silence(told: dict | None, tmp_path: Path) -> None:
    """A patient with many records would count as many patients, and be promised what holds for a record."""
    path = written(tmp_path / "a.csv", *["P3,5,01/02/2011,I"] * 40)
    columns = {name: said for name, said in FILE["columns"].items() if name != "pid"}

    def read(**more: dict) -> Profile:
        return read_declared([path], ReadOptions(declared={**FILE, "columns": {**columns, **more}}))[1]

    with pytest.raises(UsageError) as refused:
        read(**({} if told is None else {"pid": told}))
    (problem,) = refused.value.problems
    assert problem.column == "pid" and 'role = "subject"' in problem.fix
    assert read(pid={"role": "subject"}).patients == 60
    assert read(pid={"role": "key"}).patients == 100  # told not to name patients
    assert read(pid={"categories": ["P1", "P2"]}).patients == 100


def test_a_column_that_is_not_declared_may_be_the_patient(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv")
    path.write_text(path.read_text().replace("pid,", "who,", 1))
    columns = {name: said for name, said in FILE["columns"].items() if name != "pid"}
    with pytest.raises(UsageError) as refused:
        read_declared([path], ReadOptions(declared={**FILE, "columns": columns}))
    assert [problem.column for problem in refused.value.problems] == ["who"]
    assert '"subject"' in refused.value.problems[0].fix


def test_what_does_not_fit_is_missing_or_the_bound_and_told(tmp_path: Path) -> None:
    table, profile = read_declared([written(tmp_path / "a.csv", "X1,abc,25-03-2011,?", "X2,-9,?,IV", "X3,77,?,I")],
                                   ReadOptions(declared=FILE))  # fmt: skip
    last = table.frame.iloc[60:]
    assert last["lab"].isna().tolist() == [True, True, False] and last["seen"].isna().all()
    assert table.frame["stage"].iloc[0] == "NA" and last["stage"].isna().tolist() == [True, False, False]
    told = " ".join(profile.notes)
    for said in ("'lab': 1 cells are no number", "'seen': 1 cells are no date", "'lab': 1 cells beyond", "'stage': 1"):
        assert said in told


def test_the_same_patient_under_other_spellings_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("pid,lab,seen,stage\n7,1,?,I\n7.0,2,?,I\n 7,3,?,I\n8,1,?,I\n")
    table, profile = read_declared([path], ReadOptions(declared=FILE))
    assert profile.patients == 2 and len(set(table.subjects[:3])) == 1


def test_a_schema_that_was_read_off_the_records_is_refused() -> None:
    table = patients(50)
    with pytest.raises(UsageError, match="private=True"):
        public_encoding(replace(table.schema, public=False))


def test_a_record_in_memory_is_read_as_it_would_be_from_a_file(tmp_path: Path) -> None:
    held = {"age": 71, "gain": "12", "crp": 3.5, "sex": "F", "seen": "2021-03-04"}
    pd.DataFrame([held]).to_csv(tmp_path / "one.csv", index=False)
    table, _ = read_declared([tmp_path / "one.csv"], ReadOptions(declared=DECLARED))
    alone = declared_record(held, DECLARED)
    assert alone.schema == table.schema == declared_schema(DECLARED)
    coder = public_encoding(alone.schema)
    assert np.array_equal(coder.encode(alone), coder.encode(table))
    typed = declared_record({**held, "seen": pd.Timestamp("2021-03-04")}, DECLARED)
    assert np.array_equal(coder.encode(typed), coder.encode(table))


def test_what_a_record_leaves_out_is_missing_and_what_is_not_declared_is_told() -> None:
    bare = declared_record({"age": None, "crp": float("nan"), "sex": "X"}, DECLARED)
    assert bare.frame[["age", "gain", "crp", "seen"]].isna().all(axis=None)
    coder = public_encoding(bare.schema)
    assert coder.encode(bare)[0, 3] == coder.columns[3].size - 1  # no declared category: missing
    with pytest.raises(UsageError, match="not declared"):
        declared_record({"age": 71, "agee": 71}, DECLARED)


# Measured


MEASURED = {
    "cohort": {"id": "c", "n_public": "measured"},
    "columns": {
        "pid": {"role": "subject"},
        "lab": {"min": "measured", "max": "measured"},
        "seen": {"date_format": "%d/%m/%Y", "min": "measured", "max": date(2012, 1, 1)},
        "stage": {"categories": "measured"},
    },
}


def ledger(folder: Path) -> Ledger:
    return Ledger.open(folder, cohort="c", epsilon=10.0, delta=1e-3)


def test_what_is_measured_stands_in_the_schema_and_rare_categories_are_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in (measure, noise):  # the noise of so few patients moves bounds: that is tested where they are measured
        monkeypatch.setattr(room, "noised", lambda counts, sigma: counts)
    rows = [f"P{60 + i},{i % 9 + 1},01/02/2011,{'I' if i % 2 else ' II'}" for i in range(540)]
    path = written(tmp_path / "a.csv", *rows, "X1,99999,01/01/1930,lone", f"X2,3,02/02/2011,{OTHER}")
    table, profile = read_declared(
        [path], ReadOptions(declared=MEASURED), ledger=lambda outline: ledger(tmp_path / "l")
    )
    schema = table.schema
    assert schema.public and schema["lab"].decimals == 3
    assert 0 <= (schema["lab"].min or 0) <= 1 and 9 <= (schema["lab"].max or 0) <= 16
    assert schema["seen"].max == as_number(date(2012, 1, 1)) and (schema["seen"].min or 0) > 0
    assert schema["stage"].categories == ("I", "II", OTHER) and schema["stage"].other == OTHER
    assert [schema[name].bound for name in ("lab", "seen", "stage")] == ["measured"] * 3
    assert table.frame["stage"].iloc[-2:].tolist() == [OTHER, OTHER] and "II" in set(table.frame["stage"])
    assert schema.n_public == pytest.approx(602, abs=60) and len(table) == 602
    assert "measured privately, with 10% of the budget: 'lab', 'seen', 'stage'" in profile.notes[0]
    assert {field.suspicion for field in profile.fields} == {"declared", "measured"}
    coder = public_encoding(schema)
    again = coder.decode(coder.encode(table), first_subject=0, rng=stream(0, "decode"))
    assert again.frame["stage"].tolist() == table.frame["stage"].tolist() and again.frame["lab"].max() <= 16
    (tmp_path / "b.csv").write_text("pid,lab,seen,stage\n1,2,01/02/2011,who knows\n2,3,01/02/2011,\n")
    further = like([tmp_path / "b.csv"], schema)
    assert further.frame["stage"].iloc[0] == OTHER and further.frame["stage"].isna().iloc[1]


def test_a_measured_schema_is_read_again_without_paying(tmp_path: Path) -> None:
    rows = [f"P{60 + i},{i % 9 + 1},01/02/2011,I" for i in range(540)]
    how = dict(ledger=lambda outline: ledger(tmp_path / "l"), resume=tmp_path / "checkpoints")
    one, two = (
        read_declared([written(tmp_path / "a.csv", *rows)], ReadOptions(declared=MEASURED), **how)[0] for _ in "ab"
    )
    assert one.schema == two.schema and len(ledger(tmp_path / "l").spent()) == 2


def test_without_a_ledger_nothing_is_measured(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ledger="):
        read_declared([written(tmp_path / "a.csv")], ReadOptions(declared=MEASURED))


def test_what_is_neither_declared_nor_measured_is_told_with_both_ways(tmp_path: Path) -> None:
    columns = {
        "pid": {"role": "subject"},
        "lab": {"min": "measured"},
        "seen": {"kind": "date", "max": date(2012, 1, 1)},
    }
    with pytest.raises(UsageError) as refused:
        read_declared([written(tmp_path / "a.csv")], ReadOptions(declared={"columns": columns}), ledger=_unopened)
    assert [problem.column for problem in refused.value.problems] == ["lab", "seen", "stage"]
    assert all("..." in problem.fix and '"measured"' in problem.fix for problem in refused.value.problems)


def _unopened(outline: Schema) -> Ledger:
    raise AssertionError("nothing was to be measured")


def test_what_is_measured_fits_the_kind_and_the_cohort(tmp_path: Path) -> None:
    wrong = {"lab": {"kind": "numeric", "categories": "measured"}, "stage": {"categories": ["I"], "min": "measured"}}
    declared = {"columns": {**MEASURED["columns"], **wrong}}
    with pytest.raises(UsageError) as refused:
        read_declared([written(tmp_path / "a.csv")], ReadOptions(declared=declared), ledger=_unopened)
    assert [problem.column for problem in refused.value.problems] == ["lab", "stage"]
    other = {**MEASURED, "cohort": {"id": "another", "n_public": 500}}
    with pytest.raises(UsageError, match="a ledger of cohort 'c'"):
        read_declared(
            [written(tmp_path / "a.csv")], ReadOptions(declared=other), ledger=lambda _: ledger(tmp_path / "l")
        )
    assert ledger(tmp_path / "l").spent() == ()


def test_a_column_that_is_dropped_is_not_measured(tmp_path: Path) -> None:
    dropped = {name: {**said, "role": "drop"} for name, said in MEASURED["columns"].items() if name != "stage"}
    declared = {"columns": {**dropped, "pid": {"role": "subject"}, "stage": {"categories": ["NA", "I"]}}}
    table, _ = read_declared([written(tmp_path / "a.csv")], ReadOptions(declared=declared), ledger=_unopened)
    assert [column.name for column in table.schema.learned] == ["stage"]
