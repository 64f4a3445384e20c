from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import DataError, UsageError
from semblance.core.modality import ReadOptions
from semblance.modalities.vitals.read import column_names, further, incomplete, like, output_name, read
from semblance.modalities.vitals.write import write

LONG = pd.DataFrame(
    {
        "stay": np.repeat([10, 11, 12, 13, 14, 15], 4),
        "minute": [0, 5, 65, 125] * 6,
        "channel": ["Age", "HR", "HR", "MAP"] * 6,
        "value": [60, 80, 82.5, 70] * 6,
    }
)
TABLE = pd.DataFrame({"stay": range(10, 16), "sex": list("FMFMFM"), "died": [0, 1] * 3})


def files(folder: Path, long: pd.DataFrame = LONG, table: pd.DataFrame | None = TABLE) -> list[Path]:
    paths = [folder / "long.csv"]
    long.to_csv(paths[0], index=False)
    if table is not None:
        paths.append(folder / "table.csv")
        table.to_csv(paths[1], index=False)
    return paths


def refused(folder: Path, kind: type[Exception] = DataError, **parts) -> str:
    options = ReadOptions(declared=parts.pop("declared", None), target=parts.pop("target", None))
    with pytest.raises(kind) as error:
        read(files(folder, **parts), options)
    return str(error.value)


def test_a_stay_is_joined_with_its_row_and_early_channels_are_facts(tmp_path):
    stays, profile = read(files(tmp_path), ReadOptions(target="died"))
    assert (profile.records, profile.patients, stays.names) == (6, 6, ("HR", "MAP"))
    assert stays.frame["Age"].tolist() == [60] * 6
    assert list(stays.frame["died"]) == ["0", "1"] * 3
    assert stays.layout.early == ("Age",)
    assert stays.channels[0].decimals == 1
    assert stays.schema["died"].role == "target"


def test_how_long_stays_last_is_told(tmp_path):
    """Seconds of a column `time` were minutes, without a word."""
    long = LONG.assign(minute=LONG["minute"] * 60).rename(columns={"minute": "time"})
    _, profile = read(files(tmp_path, long), ReadOptions())
    assert "stays last 125 hours in the median, as 'time' tells minutes ([vitals] clock)" in profile.notes
    long["time"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(long["time"], unit="s")
    _, profile = read(files(tmp_path, long), ReadOptions())
    assert "stays last 2.08 hours in the median, as 'time' tells timestamps" in profile.notes


def test_the_files_may_come_in_any_order_or_in_a_folder(tmp_path):
    one = read(files(tmp_path)[::-1], ReadOptions())[0]
    other = read([tmp_path], ReadOptions())[0]
    assert np.array_equal(one.value, other.value)


def test_what_is_written_has_the_names_columns_and_digits_of_the_input(tmp_path):
    stays, _ = read(files(tmp_path), ReadOptions(target="died"))
    folder = write([stays], tmp_path / "out" / output_name([]))
    again = pd.read_csv(folder / "long.csv")
    assert list(again.columns) == list(LONG.columns)
    assert again["value"].tolist() == LONG["value"].tolist()
    assert again["stay"].max() == 6
    assert pd.read_csv(folder / "table.csv")["sex"].tolist() == TABLE["sex"].tolist()
    back = like([folder], stays.schema)
    assert np.array_equal(back.value, stays.value)
    assert back.layout == stays.layout


def test_columns_are_named_by_declaration(tmp_path):
    long = LONG.rename(columns={"stay": "who", "minute": "when", "channel": "what", "value": "much"})
    vitals = {"record": "who", "time": "when", "channel": "what", "value": "much"}
    stays, _ = read(
        files(tmp_path, long, TABLE.rename(columns={"stay": "who"})), ReadOptions(declared={"vitals": vitals})
    )
    folder = write([stays], tmp_path / "synthetic")
    assert list(pd.read_csv(folder / "long.csv").columns) == ["who", "when", "what", "much"]
    assert len(like([folder], stays.schema)) == 6


def test_several_stays_may_be_of_one_patient(tmp_path):
    table = TABLE.assign(subject_id=[1, 1, 2, 2, 3, 3])
    stays, profile = read(files(tmp_path, table=table), ReadOptions(rare=3))
    assert profile.patients == 3
    assert list(stays.subjects) == [0, 0, 1, 1, 2, 2]
    assert stays.schema["stay"].role == "key"


def test_a_file_of_measurements_alone_will_do(tmp_path):
    stays, _ = read(files(tmp_path, table=None), ReadOptions())
    assert len(stays) == 6
    assert column_names([tmp_path / "long.csv"]) == ()


# What is repaired is said.


def notes(folder: Path, **parts) -> str:
    return "\n".join(read(files(folder, **parts), ReadOptions())[1].notes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"value": -1.0}, "channel 'HR': 1 value of -1, its only negative value, are missing"),
        ({"value": np.nan}, "channel 'HR': 1 value without a value left out"),
        ({"minute": -30}, "channel 'HR': 1 value from before the stay left out"),
        ({"minute": 65}, "channel 'HR': 1 value of a time that has one already left out"),
    ],
)
def test_a_measurement_that_cannot_be_used_is_left_out_and_said(tmp_path, change, said):
    long = LONG.copy()
    for name, value in change.items():
        long.loc[1, name] = value
    assert said in notes(tmp_path, long=long)


def test_channels_of_few_stays_are_left_out_and_only_counted(tmp_path):
    long = LONG.copy()
    long.loc[1, "channel"] = "Secretase"
    told = notes(tmp_path, long=long)
    assert "1 channels that fewer than 5 patients have are left out" in told
    assert "Secretase" not in told


def test_rows_and_stays_that_have_no_partner_are_said(tmp_path):
    table = TABLE.assign(stay=[10, 11, 12, 13, 14, 99])
    told = notes(tmp_path, table=table)
    assert "1 rows of stays without any measurement left out" in told
    assert "1 stays have no row in the table" in told


def test_values_outside_the_limits_are_left_out(tmp_path):
    declared = {"vitals": {"limits": {"HR": [0, 81]}}}
    _, profile = read(files(tmp_path), ReadOptions(declared=declared))
    assert "channel 'HR': 6 values outside its limits left out" in profile.notes


# What cannot be repaired is refused.


def test_texts_among_values_are_refused_by_channel_and_never_shown(tmp_path):
    long = LONG.astype({"value": object})
    long.loc[[1, 5], "value"] = "hidden"
    told = refused(tmp_path, long=long)
    assert "2 values of channel 'HR' are no number" in told
    assert "hidden" not in told


def test_several_units_of_a_channel_are_refused(tmp_path):
    long = LONG.assign(unit=["y", "bpm", "bpm", "mmHg"] * 6)
    long.loc[3, "unit"] = "kPa"
    assert "channel 'MAP': the units kPa, mmHg" in refused(tmp_path, long=long)


def test_contradicting_rows_of_a_stay_are_refused(tmp_path):
    table = pd.concat([TABLE, TABLE.head(1).assign(died=1)])
    assert "contradict each other" in refused(tmp_path, table=table)


def test_a_table_of_other_stays_is_refused(tmp_path):
    assert "no stay of the table has any measurement" in refused(tmp_path, table=TABLE.assign(stay=range(6)))


def test_a_measurement_of_no_stay_is_refused(tmp_path):
    long = LONG.astype({"stay": object})
    long.loc[2, "stay"] = None
    assert "1 cell is empty" in refused(tmp_path, long=long)


def test_two_tables_without_measurements_are_refused(tmp_path):
    told = refused(tmp_path, long=TABLE)
    assert "0 of the files 'long.csv', 'table.csv' hold measurements" in told


def test_an_unknown_target_and_unknown_channels_are_refused(tmp_path):
    assert "no column 'dead'" in refused(tmp_path, target="dead")
    declared = {"vitals": {"order": [["Sys", "HR"]], "limits": {"Puls": [0, 1]}}}
    told = refused(tmp_path, declared=declared)
    assert "'Sys'" in told and "'Puls'" in told


def test_three_files_and_missing_ones_are_wrong_calls(tmp_path):
    paths = files(tmp_path)
    with pytest.raises(UsageError, match="3 files"):
        read([*paths, paths[0]], ReadOptions())
    with pytest.raises(UsageError, match="no file"):
        read([tmp_path / "absent.csv"], ReadOptions())


def test_a_broken_file_is_refused(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"no parquet")
    with pytest.raises(DataError, match="cannot be read"):
        read([tmp_path / "x.parquet"], ReadOptions())


def test_a_schema_that_the_files_do_not_tell_is_refused(tmp_path):
    stays, _ = read(files(tmp_path), ReadOptions())
    paths = files(tmp_path, table=TABLE.drop(columns="sex"))
    with pytest.raises(DataError, match="the column is missing"):
        like(paths, stays.schema)


def test_real_stays(shared_data):
    folder = shared_data / "longitudinal" / "physionet2012"
    if not folder.is_dir():
        pytest.skip("no longitudinal/physionet2012 among the real data")
    paths = [folder / "set_a_long.parquet", folder / "Outcomes-a.csv"]
    stays, profile = read(paths, ReadOptions(target="In-hospital_death"))
    assert (len(stays), len(stays.channels)) == (3996, 37)
    assert {"Age", "Gender", "Height"} <= set(stays.frame)
    assert round((stays.frame["In-hospital_death"] == "1").mean(), 4) == 0.1386
    assert any("'Height': 1,890 values of -1" in note for note in profile.notes)


def test_a_declared_order_goes_with_the_stays_and_one_of_unknown_channels_is_refused(tmp_path):
    declared = {"vitals": {"order": [["HR", "MAP"]]}}
    stays, _ = read(files(tmp_path), ReadOptions(declared=declared))
    assert stays.said.order == (("HR", "MAP"),)
    assert stays.take(np.array([1, 2])).said == stays.said
    with pytest.raises(UsageError, match="not measured"):  # age is a fact of the stay
        read(files(tmp_path), ReadOptions(declared={"vitals": {"order": [["HR", "Age"]]}}))


# Who a stay belongs to.


def test_a_stay_that_names_no_patient_is_its_own_and_the_column_is_never_learned(tmp_path):
    table = TABLE.assign(patient=[1, 1, 2, 2, 3, None])
    stays, profile = read(files(tmp_path, table=table), ReadOptions(rare=2))
    assert list(stays.subjects) == [0, 0, 1, 1, 2, 3]
    assert stays.schema["patient"].role == "subject"
    assert "patient" not in stays.frame
    assert "'patient': 1 stays name no patient, each counts as a patient of its own" in profile.notes
    again = like(files(tmp_path, table=table), stays.schema)
    assert list(again.subjects) == list(stays.subjects)


def test_a_second_column_of_patients_is_not_learned(tmp_path):
    table = TABLE.assign(subject_id=[1, 1, 2, 2, 3, 3], person=[7, 7, 8, 8, 9, 9])
    stays, _ = read(files(tmp_path, table=table), ReadOptions(rare=3))
    assert stays.schema["person"].role == "drop"
    assert list(stays.frame) == ["Age", "sex", "died"]


def test_channels_count_by_patients_and_rare_ones_are_never_named(tmp_path):
    table = TABLE.assign(subject_id=[1, 1, 2, 2, 3, 4])
    long = LONG.astype({"value": object})
    long.loc[[1, 5, 9], "channel"] = "Secretase"  # three stays of two patients
    told = "\n".join(read(files(tmp_path, long, table), ReadOptions(rare=3))[1].notes)
    assert "1 channels that fewer than 3 patients have are left out" in told
    assert "Secretase" not in told
    options = ReadOptions(rare=3, declared={"vitals": {"limits": {"Puls": [0, 1]}}})
    long.loc[1, "value"] = "hidden"
    with pytest.raises(DataError) as error:
        read(files(tmp_path, long, table), options)
    assert "channels that fewer than 3 patients have are no number" in str(error.value)
    assert "Secretase" not in str(error.value)
    long.loc[1, "value"] = -1
    with pytest.raises(DataError, match="no channel 'Puls'") as error:
        read(files(tmp_path, long, table), options)
    assert "Secretase" not in str(error.value)


def test_units_of_a_rare_channel_are_refused_without_its_name(tmp_path):
    long = LONG.assign(unit=["y", "bpm", "bpm", "mmHg"] * 6)
    long.loc[[1, 5], "channel"] = "Secretase"
    long.loc[1, "unit"] = "U"
    told = refused(tmp_path, long=long)
    assert "channels that fewer than 5 patients have: the units U, bpm" in told
    assert "Secretase" not in told


# Names and labels stay what they are.


def test_a_channel_of_the_stays_own_numbers_is_an_identifier_and_left_out(tmp_path):
    long = LONG.rename(columns={"stay": "RecordID"})
    own = pd.DataFrame({"RecordID": range(10, 16), "minute": 0, "channel": "RecordID", "value": range(10, 16)})
    paths = files(tmp_path, pd.concat([own, long]), TABLE.rename(columns={"stay": "RecordID"}))
    stays, profile = read(paths, ReadOptions())
    assert "channel 'RecordID': only repeats what stays are called, left out" in profile.notes
    assert "RecordID" not in stays.frame and "RecordID" not in stays.names
    assert list(stays.frame) == ["Age", "sex", "died"]
    assert list(like(paths, stays.schema).frame) == ["Age", "sex", "died"]


def test_sodium_may_be_called_na(tmp_path):
    stays, _ = read(files(tmp_path, LONG.replace({"channel": {"MAP": "NA"}})), ReadOptions())
    assert stays.names == ("HR", "NA")


def test_stays_001_and_1_are_two(tmp_path):
    long, table = LONG.astype({"stay": object}), TABLE.astype({"stay": object})
    for frame in (long, table):
        frame["stay"] = frame["stay"].map({10: "001", 11: "1"}).fillna(frame["stay"].astype(str))
    stays, _ = read(files(tmp_path, long, table), ReadOptions(rare=2))
    assert len(stays) == 6
    assert stays.frame["sex"].tolist() == list("FMFMFM")
    table = TABLE.assign(subject_id=["01", "1", "2", "2", "3", "3"])
    assert read(files(tmp_path, table=table), ReadOptions(rare=3))[1].patients == 4


def test_numbers_of_stays_that_one_file_writes_with_a_point_are_the_same(tmp_path):
    paths = files(tmp_path, table=TABLE.astype({"stay": float}))
    assert read(paths, ReadOptions())[0].frame["sex"].tolist() == list("FMFMFM")


@pytest.mark.parametrize("labels", [[-1, 1] * 3, [-1, 0, 1] * 2])
def test_labels_of_minus_one_are_a_class_of_the_target(tmp_path, labels):
    paths = files(tmp_path, table=TABLE.assign(died=labels))
    stays, _ = read(paths, ReadOptions(target="died"))
    assert list(stays.frame["died"]) == [str(label) for label in labels]
    assert list(further(paths, stays).frame["died"]) == list(stays.frame["died"])
    assert list(like(paths, stays.schema).frame["died"]) == list(stays.frame["died"])


def test_a_column_or_channel_of_two_values_has_no_missing_one(tmp_path):
    long = LONG.assign(value=[60, -1, 1, 70, 60, 1, -1, 71] * 3)
    stays, _ = read(files(tmp_path, long, TABLE.assign(side=[-1, 1] * 3)), ReadOptions())
    assert stays.frame["side"].tolist() == [-1, 1] * 3
    assert sorted(set(stays.value[stays.channel == 0])) == [-1, 1]
    stays, _ = read(files(tmp_path, long, TABLE.assign(side=[-1, 1, 2] * 2)), ReadOptions())
    assert np.isnan(stays.frame["side"]).sum() == 2


# Further files are read as the first ones were.


def test_a_channel_stays_one_though_the_table_tells_a_fact_of_its_name(tmp_path):
    table = TABLE.assign(MAP=[70, 71, 72, 73, 74, 75])
    stays, _ = read(files(tmp_path, table=table), ReadOptions())
    for again in (like(files(tmp_path, table=table), stays.schema), further(files(tmp_path, table=table), stays)):
        assert again.names == stays.names == ("HR", "MAP")
        assert again.layout.early == stays.layout.early == ("Age",)
        assert again.frame["MAP"].tolist() == stays.frame["MAP"].tolist() == table["MAP"].tolist()
        assert np.array_equal(again.value, stays.value)


def test_further_files_are_read_under_what_was_declared(tmp_path):
    renamed = {"stay": "who", "minute": "when", "channel": "what", "value": "much"}
    vitals = {"record": "who", "time": "when", "channel": "what", "value": "much", "clock": "hours"}
    vitals |= {"limits": {"HR": [0, 81]}, "missing": [70], "statics": ["Age"]}
    long, table = LONG.rename(columns=renamed), TABLE.rename(columns={"stay": "who"})
    long = pd.concat([long, pd.DataFrame({"who": [10], "when": 9, "what": "Age", "much": 61})])
    paths = files(tmp_path, long, table)
    stays, _ = read(paths, ReadOptions(declared={"vitals": vitals}, target="died"))
    again = further(paths, stays)
    assert stays.names == again.names == ("HR",)
    assert np.array_equal(again.value, stays.value) and set(again.value) == {80}
    assert np.array_equal(again.minute, stays.minute) and again.minute.max() == 300
    assert again.frame.equals(stays.frame)
    assert again.said.limits == stays.said.limits
    assert again.layout.early == ("Age",)


def test_a_declared_column_that_no_file_has_is_named(tmp_path):
    told = refused(tmp_path, declared={"vitals": {"record": "stai", "value": "valeu"}})
    assert "no column 'stai'" in told and "did you mean 'stay'?" in told
    assert "no column 'valeu'" in told


# What is written has the columns, their order and the precision of what was read.


def test_the_table_keeps_its_own_name_and_place_of_the_stay(tmp_path):
    table = TABLE.rename(columns={"stay": "encounter"})[["sex", "encounter", "died"]].assign(
        subject_id=[1, 2, 3, 4, 5, 5]
    )
    stays, _ = read(files(tmp_path, table=table), ReadOptions(target="died"))
    folder = write([stays], tmp_path / "synthetic")
    again = pd.read_csv(folder / "table.csv")
    assert list(again.columns) == list(table.columns)
    assert again["encounter"].tolist() == [1, 2, 3, 4, 5, 6]
    assert list(pd.read_csv(folder / "long.csv").columns) == list(LONG.columns)
    assert list(like([folder], stays.schema).subjects) == list(stays.subjects)
    assert list(further([folder], stays).subjects) == list(stays.subjects)


def test_whole_values_are_written_whole(tmp_path):
    stays, _ = read(files(tmp_path, LONG.assign(value=LONG["value"].round().astype(int))), ReadOptions())
    text = (write([stays], tmp_path / "synthetic") / "long.csv").read_text()
    assert "." not in text


@pytest.mark.parametrize("role", ["drop", "feature"])
def test_an_early_fact_that_is_dropped_is_not_written(tmp_path, role):
    stays, _ = read(files(tmp_path), ReadOptions(declared={"columns": {"Age": {"role": role}}}))
    long = pd.read_csv(write([stays], tmp_path / "synthetic") / "long.csv")
    assert ("Age" in set(long["channel"])) == (role == "feature")
    assert "Age" not in stays.names


def test_columns_of_the_table_are_told_whatever_names_say(tmp_path):
    table = TABLE.rename(columns={"stay": "encounter"})
    assert column_names(files(tmp_path, table=table)) == ("stay", "sex", "died")
    stays, _ = read(files(tmp_path, table=table), ReadOptions())
    assert column_names([write([stays], tmp_path / "synthetic")]) == ("stay", "sex", "died")
    odd = LONG.rename(columns={"stay": "who", "minute": "when", "channel": "what", "value": "much"})
    assert column_names(files(tmp_path, odd, TABLE.rename(columns={"stay": "who"}))) == ("who", "sex", "died")


@pytest.mark.parametrize("broken", ["{", "[]", '{"colour": 1}', '{"clock": "weeks"}', "\xff"])
def test_a_layout_that_is_not_what_was_written_is_told(tmp_path: Path, broken: str) -> None:
    """It once ended in an error of Python."""
    stays, _ = read(files(tmp_path), ReadOptions())
    folder = write([stays], tmp_path / "out")
    (folder / "layout.json").write_bytes(broken.encode("latin-1"))
    with pytest.raises(DataError, match="not the layout that was written"):
        read([folder], ReadOptions())


@pytest.mark.parametrize("table", [TABLE, None])
def test_patients_that_only_the_long_file_tells_are_found(tmp_path: Path, table: pd.DataFrame | None) -> None:
    """As MIMIC has them. Each stay once counted as a patient, so that one patient could stand in train and holdout."""
    long = LONG.assign(subject_id=np.repeat(["01", "01", "1", "3", "3", "4"], 4))
    stays, profile = read(files(tmp_path, long, table), ReadOptions(rare=2))
    assert stays.subjects.tolist() == [0, 0, 1, 2, 2, 3] and profile.patients == 4
    assert "subject_id" not in stays.frame
    again = like([write([stays], tmp_path / "out")], stays.schema)
    assert len(again) == len(stays)


def test_a_stay_of_two_patients_is_refused(tmp_path: Path) -> None:
    long = LONG.assign(subject_id=["a", *["b"] * 23])
    with pytest.raises(DataError, match="1 stays are of two patients"):
        read(files(tmp_path, long), ReadOptions())


def test_cells_without_a_value_are_kept_where_they_are_to_be_completed(tmp_path):
    stays, _ = read(files(tmp_path), ReadOptions(target="died"))
    asked = LONG.assign(value=LONG["value"].where(LONG.index % 4 != 2))
    folder = tmp_path / "asked"
    folder.mkdir()
    paths = files(folder, asked)
    partial = incomplete(paths, stays.schema)
    assert np.isnan(partial.value).sum() == 6
    assert [channel.decimals for channel in partial.channels] == [0, 0]
    assert len(partial.value) == len(like(paths, stays.schema).value) + 6 == len(stays.value)
