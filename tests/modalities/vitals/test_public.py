"""Stays read under declarations: all that lacks is told at once, and each row is read by itself."""

from __future__ import annotations

import gzip
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import DataError, UsageError
from semblance.core.modality import ReadOptions
from semblance.modalities.vitals import times
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.public import read
from semblance.modalities.vitals.read import read as openly
from semblance.modalities.vitals.write import write
from tests.modalities.vitals.declared import DECLARED, VITALS, declared
from tests.modalities.vitals.simulated import stays

LONG, TABLE = "stays.vitals.csv", "stays.csv"


def said(**vitals: Any) -> ReadOptions:
    return ReadOptions(declared={**DECLARED, "vitals": {**VITALS, **vitals}})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write([stays(12, 3)], tmp_path / "ward")


def changed(folder: Path, name: str, rows: Any) -> None:
    told = pd.read_csv(folder / name, dtype=str)
    pd.concat([told, pd.DataFrame(rows, dtype=str)]).to_csv(folder / name, index=False)


def alike(one: Stays, other: Stays) -> bool:
    parts = ("minute", "channel", "value", "starts")
    return one.frame.equals(other.frame) and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in parts
    )


def test_what_is_read_is_what_is_declared(folder):
    data, profile = read([folder], said())
    whole = declared(12, 3)
    assert (data.schema, data.public, data.channels) == (whole.schema, whole.public, whole.channels)
    assert (profile.records, profile.patients) == (12, 12) and data.schema.public
    assert np.array_equal(data.value, whole.value) and np.array_equal(data.minute, whole.minute)
    assert data.frame["died"].tolist() == whole.frame["died"].tolist()


ODD = [
    {"minute": "soon", "channel": "HR", "value": "80"},
    {"minute": "-5", "channel": "HR", "value": "80"},
    {"minute": "1440", "channel": "HR", "value": "80"},
    {"minute": "7", "channel": "HR", "value": "eighty"},
    {"minute": "8", "channel": "HR", "value": "0"},
    {"minute": "9", "channel": "Zanzibar", "value": "80"},
    {"minute": "10", "channel": None, "value": "80"},
    {"minute": None, "channel": "HR", "value": None},
]


def test_a_row_that_is_not_as_declared_is_missing_and_changes_no_other(folder):
    before, _ = read([folder], said())
    changed(folder, LONG, [{"stay": "3", **row} for row in ODD] + [{**ODD[0], "stay": None}])
    after, profile = read([folder], said())
    assert alike(before, after) and any("8 rows" in note for note in profile.notes), profile.notes


def test_a_stay_more_changes_nothing_of_the_others(folder):
    """Names that are no whole numbers, timestamps of another form, texts among numbers: what others say stays."""
    before, _ = read([folder], said())
    rows = [{"stay": "1.5", "minute": "6", "channel": "HR", "value": "71.25"}]
    changed(folder, LONG, rows)
    changed(folder, TABLE, [{"stay": "1.5", "age": "old", "sex": "divers", "died": "perhaps"}])
    after, _ = read([folder], said())
    assert alike(before, after.take(np.arange(12))) and len(after) == 13
    assert after.schema == before.schema and after.frame.iloc[12].isna().all()
    assert after.value[-1] == 71.25


def test_timestamps_are_read_each_by_itself(tmp_path):
    rows = pd.DataFrame(
        {
            "stay": ["a", "a", "b", "b"],
            "charttime": ["2020-01-01 06:00", "2020-01-01 07:30:00", "01/02/2020", "2020-01-03"],
            "channel": ["HR"] * 4,
            "value": [70, 71, 72, 73],
        }
    )
    options = ReadOptions(
        declared={
            "cohort": {"id": "w", "n_public": 9},
            "vitals": {"clock": "timestamps", "hours": 24, "step": 30, "limits": {"HR": [10, 300]}},
        }
    )
    rows.to_csv(tmp_path / "a.csv", index=False)
    data, _ = read([tmp_path / "a.csv"], options)
    assert data.minute.tolist() == [0, 90, 0] and data.value.tolist() == [70, 71, 73]


def test_stays_are_of_the_patients_that_a_column_names(folder):
    table = pd.read_csv(folder / TABLE, dtype=str)
    table.assign(who=["p1", "p1", None, *"cdefghijk"]).to_csv(folder / TABLE, index=False)
    columns = {**DECLARED["columns"], "who": {"role": "subject"}}
    data, profile = read([folder], ReadOptions(declared={**DECLARED, "columns": columns}))
    assert len(data) == 11 and profile.patients == 10 and data.subjects[:3].tolist() == [0, 0, 1]
    assert data.schema["stay"].role == "key" and data.schema["who"].role == "subject"


def test_a_static_is_a_fact_and_is_written_where_it_stood(tmp_path):
    rows = pd.DataFrame(
        {"stay": [1, 1, 2, 2], "minute": [0, 5] * 2, "channel": ["Age", "HR"] * 2, "value": [61, 80, 250, 90]}
    )
    rows.to_csv(tmp_path / "long.csv", index=False)
    told = {"clock": "minutes", "hours": 1, "step": 5, "limits": {"HR": [10, 300]}, "statics": ["Age"]}
    columns = {"Age": {"kind": "integer", "min": 18, "max": 99}}
    options = ReadOptions(declared={"cohort": {"id": "w", "n_public": 9}, "vitals": told, "columns": columns})
    data, _ = read([tmp_path / "long.csv"], options)
    assert data.frame["Age"].tolist() == [61, 99] and data.names == ("HR",) and data.layout.early == ("Age",)
    again = pd.read_csv(write([data], tmp_path / "out") / LONG)
    assert again["channel"].tolist() == ["Age", "HR"] * 2


def test_all_that_is_not_declared_is_told_at_once(folder):
    columns = {"age": {"kind": "integer"}, "sex": {}}
    told = {"order": [["SysABP", "DiasABP"]], "statics": ["Weight"], "hours": 1.2, "step": 7}
    with pytest.raises(UsageError) as refused:
        read([folder], ReadOptions(declared={"cohort": {"id": "w"}, "vitals": told, "columns": columns}))
    message = str(refused.value)
    assert all(word in message for word in ("clock", "limits", "age", "sex", "Weight", "1.2 hours by 7 minutes"))
    with pytest.raises(UsageError) as refused:
        read([folder], said(panels=[["SysABP", "NIBP"]], digits={"Hr": 1}, units={"Q": "mmHg"}))
    assert all(word in str(refused.value) for word in ("NIBP", "Hr", "'Q'", "no limits"))


def test_a_column_that_is_not_there_is_told(folder):
    columns = {**DECLARED["columns"], "ward": {"categories": ["A"]}}
    with pytest.raises(DataError, match="no column 'ward'"):
        read([folder], ReadOptions(declared={**DECLARED, "columns": columns}))


QUOTED, WIDE_ROW = '1,"6,HR,80\n', "1,6,HR,80,,,\n"


@pytest.mark.parametrize("line", [QUOTED, WIDE_ROW, "1,6\n", '1,6,HR,"' + "8" * 200_000 + "\n", "1,6,HR,80\0\n", "\n"])
def test_a_broken_line_changes_no_other_wherever_it_stands(folder, line):
    before, _ = read([folder], said())
    header, *rows = (folder / LONG).read_text(encoding="utf-8").splitlines(keepends=True)
    for place in (0, 7, len(rows)):
        (folder / LONG).write_text("".join([header, *rows[:place], line, *rows[place:]]), encoding="utf-8")
        assert alike(before, read([folder], said())[0])


def test_bytes_that_are_no_text_change_no_other_line(folder):
    before, _ = read([folder], said())
    header, rest = (folder / LONG).read_bytes().split(b"\n", 1)
    (folder / LONG).write_bytes(b"\n".join([b"\xef\xbb\xbf" + header, b"1,6,\xff\xe2,80", rest]))
    assert alike(before, read([folder], said())[0])


def test_a_file_that_breaks_off_is_told(folder):
    long = folder / LONG
    whole = gzip.compress(long.read_bytes())
    long.unlink()
    (folder / f"{LONG}.gz").write_bytes(whole[: len(whole) // 2])
    for reader in (read, openly):
        with pytest.raises(DataError, match="cannot be read"):
            reader([folder / f"{LONG}.gz", folder / TABLE], said())


def test_a_name_that_several_columns_have_is_told(folder):
    long = folder / LONG
    long.write_text(long.read_text(encoding="utf-8").replace("minute", "value", 1), encoding="utf-8")
    with pytest.raises(DataError, match="several columns 'value'"):
        read([folder], said())


STAMPS = [
    "2020-01-01 06:00", "2300-01-01 07:30:00.123456789", "2020-01-03T00:00:00Z", "now", "0001-01-01", "9999-12-31",
    "2020-01-01 06:00:00.123456789", "01/02/2020", "2020-01-01 06:00+01:00", "20200101", "2020", "", None,
]  # fmt: skip


def test_a_timestamp_is_what_it_is_alone():
    """One with nanoseconds once made years beyond 2262 missing for all."""
    stay = np.arange(2 * len(STAMPS)) % len(STAMPS)
    pairs = pd.Series([*STAMPS, *["2290-05-05 05:05"] * len(STAMPS)], dtype=object)
    whole = times.known_minutes(pairs, stay, "timestamps", alone=True)
    for i, text in enumerate(STAMPS):
        own = times.known_minutes(
            pd.Series([text, "2290-05-05 05:05"], dtype=object), stay[[i, i]], "timestamps", alone=True
        )
        assert np.array_equal(whole[[i, i + len(STAMPS)]], own, equal_nan=True), text
    assert np.isnan(whole[3]) and np.isfinite(whole[[0, 1, 2, 4, 5, 6, 8]]).all()


def test_patients_that_are_not_declared_are_asked_for(folder):
    """Whoever has many stays would otherwise count as many patients, and the guarantee says patients."""
    table = pd.read_csv(folder / TABLE, dtype=str).assign(patient_id="7")
    table.to_csv(folder / TABLE, index=False)
    dropped = {**DECLARED["columns"], "patient_id": {"role": "drop"}}
    for options in (said(), ReadOptions(declared={**DECLARED, "columns": dropped})):
        with pytest.raises(UsageError, match="patient_id"):
            read([folder], options)
    for role, patients in (("subject", 1), ("key", 12)):
        columns = {**DECLARED["columns"], "patient_id": {"role": role}}
        assert read([folder], ReadOptions(declared={**DECLARED, "columns": columns}))[1].patients == patients


def test_whether_a_column_tells_patients_is_no_matter_of_who_is_there(folder):
    told = pd.read_csv(folder / LONG, dtype=str)
    columns = {**DECLARED["columns"], "who": {"role": "subject"}}
    found = []
    for own in (None, "p"):
        told.assign(who=[own, *[None] * (len(told) - 1)]).to_csv(folder / LONG, index=False)
        with pytest.raises(DataError, match="names a stay, and its patient") if own is None else nullcontext():
            found.append(len(read([folder], ReadOptions(declared={**DECLARED, "columns": columns}))[0]))
    assert found == [1]


def test_names_that_are_not_declared_are_not_kept(folder):
    table = pd.read_csv(folder / TABLE, dtype=str)
    table.assign(nurse_x="1").to_csv(folder / TABLE, index=False)
    assert set(read([folder], said())[0].layout.told) == {"stay", "age", "sex", "died"}


def test_a_unit_is_asked_of_the_channels_that_it_is_declared_of(tmp_path):
    told = {"channel": ["HR", "HR", "Temp", "HR"], "value": [70, 71, 37, 72], "unit": ["bpm", "Hz", "C", None]}
    rows = pd.DataFrame({"stay": 1, "minute": range(4), **told})
    rows.to_csv(tmp_path / "a.csv", index=False)
    own = {"clock": "minutes", "hours": 1, "step": 5, "limits": {"HR": [10, 300], "Temp": [20, 45]}}
    options = ReadOptions(declared={"cohort": {"id": "w"}, "vitals": {**own, "units": {"HR": "bpm"}}})
    assert read([tmp_path / "a.csv"], options)[0].value.tolist() == [70, 37, 72]


def test_a_static_may_be_missing_and_a_file_of_fractions_has_the_same_categories(tmp_path):
    rows = pd.DataFrame(
        {"stay": [1, 1, 1, 2, 2, 2], "minute": [0, 0, 5] * 2, "channel": ["Height", "Gender", "Temp"] * 2,
         "value": [-1, 1, 37.2, 170, -1, 36.6]}
    )  # fmt: skip
    rows.to_csv(tmp_path / "a.csv", index=False)
    assert "1.0" in (tmp_path / "a.csv").read_text(encoding="utf-8")
    own = {"clock": "minutes", "hours": 1, "step": 5, "limits": {"Temp": [20, 45]}, "missing": [-1]}
    columns = {"Height": {"kind": "integer", "min": 120, "max": 220}, "Gender": {"categories": ["0", "1"]}}
    told = {"cohort": {"id": "w"}, "vitals": {**own, "statics": ["Height", "Gender"]}, "columns": columns}
    frame = read([tmp_path / "a.csv"], ReadOptions(declared=told))[0].frame
    assert np.array_equal(frame["Height"], [np.nan, 170], equal_nan=True)
    assert frame["Gender"].isna().tolist() == [False, True] and frame["Gender"][0] == "1"


def test_limits_without_end_are_refused(folder):
    limits = {**VITALS["limits"], "HR": [0, float("inf")]}
    columns = {**DECLARED["columns"], "age": {"kind": "integer", "min": 0, "max": float("inf")}}
    vitals = {**VITALS, "limits": limits}
    with pytest.raises(UsageError) as refused:
        read([folder], ReadOptions(declared={**DECLARED, "vitals": vitals, "columns": columns}))
    assert "'HR' have no end" in str(refused.value) and "age" in str(refused.value)
