"""Tables of samples: wide and long, with and without times, and all that can be wrong with them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.core.errors import DataError
from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.modalities.signal.declare import Said
from semblance.modalities.signal.formats.samples import _rates, read
from semblance.modalities.signal.read import read as read_all
from tests.modalities.signal.made import wave

HELD = wave(250, 2)


def wide(**columns):
    frame = pd.DataFrame({"time": np.arange(250) / 100, "I": HELD[:, 0], "II": HELD[:, 1]})
    return frame.assign(**columns)


def saved(tmp_path, frame, name="a.csv", **options):
    path = tmp_path / name
    if name.endswith(".parquet"):
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False, **options)
    return path


def refused(path, said=None):
    with pytest.raises(DataError) as told:
        list(read(path, said or Said()))
    return str(told.value)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet"])
def test_a_wide_table_is_a_recording(tmp_path, name):
    (found,) = read(saved(tmp_path, wide(), name), Said())
    one = found.recording
    assert (one.name, one.rate, [lead.name for lead in one.leads]) == ("a", 100, ["I", "II"])
    np.testing.assert_allclose(one.values(), HELD, atol=1e-6)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators(tmp_path, separator):
    (found,) = read(saved(tmp_path, wide(), sep=separator), Said())
    assert found.recording.rate == 100


def test_a_recording_is_of_one_patient(tmp_path):
    """Of two, the first one was taken."""
    frame = wide(record=1, patient=np.where(np.arange(250) < 9, 7, 8))
    assert "column 'patient': it changes within a recording" in refused(saved(tmp_path, frame))


def test_numbers_of_patients_are_no_lead(tmp_path):
    frame = pd.concat([wide(PatientID=p, age=a) for p, a in ((7, 60), (8, 50))])
    made, profile = read_all([saved(tmp_path, frame)], ReadOptions())
    assert made.schema.where("subject").name == "PatientID" and profile.patients == 2
    assert [lead.name for lead in made.recordings[0].leads] == ["I", "II"]


def test_rows_belong_to_recordings_and_patients(tmp_path):
    frame = pd.concat([wide(record=r, patient=p, age=a, grp=g) for r, p, a, g in ((1, 7, 60, "x"), (2, 7, 60, "y"))])
    made, _ = read_all([saved(tmp_path, frame)], ReadOptions())
    assert [one.name for one in made.recordings] == ["1", "2"] and made.subjects.tolist() == [0, 0]
    assert made.frame["age"].tolist() == [60, 60] and made.frame["grp"].tolist() == ["x", "y"]
    assert made.schema.where("subject").name == "patient"


def test_a_label_of_recordings_and_one_of_samples(tmp_path):
    frame = wide(label="AF", stage=np.repeat(["W", "N1"], 125), beat=np.where(np.arange(250) == 60, "V", ""))
    made, _ = read_all([saved(tmp_path, frame)], ReadOptions())
    (one,) = made.recordings
    assert made.schema.where("target").name == "label" and made.frame["label"].tolist() == ["AF"]
    assert (one.states.at.tolist(), list(one.states.symbol)) == ([0, 125], ["W", "N1"])
    assert (one.beats.at.tolist(), list(one.beats.symbol)) == ([60], ["V"])


def test_a_target_of_samples_is_a_state(tmp_path):
    path = saved(tmp_path, wide(eyes=np.repeat([0, 1], 125)))
    for options in (ReadOptions(target="eyes"), ReadOptions(declared={"signal": {"state": "eyes"}})):
        made, _ = read_all([path], options)
        assert list(made.recordings[0].states.symbol) == ["0", "1"] and made.schema.where("target") is None


def test_without_times_the_rate_is_declared(tmp_path):
    path = saved(tmp_path, wide().drop(columns="time"))
    assert "record 'a' tells no sampling rate" in refused(path) and "[signal] rate = 250" in refused(path)
    (found,) = read(path, Said(rate=128))
    assert found.recording.rate == 128


def test_a_rate_that_contradicts_the_times(tmp_path):
    assert "has 100 Hz, where [signal] rate says 250" in refused(saved(tmp_path, wide()), Said(rate=250))


@given(st.sampled_from([50.0, 128.0, 360.0, 500.0]), st.integers(300, 2000), st.floats(0, 1e4))
def test_a_rate_is_told_by_rounded_times(rate, length, start):
    time = np.round(start + np.arange(length) / rate, 4)
    assert _rates([time, time + 5]) == [pytest.approx(rate, rel=2e-3)] * 2


def test_times_rounded_to_milliseconds_and_dates(tmp_path):
    frame = wide(time=np.round(np.arange(250) / 360, 3))
    (found,) = read(saved(tmp_path, frame), Said())
    assert found.recording.length == 250 and found.recording.rate == pytest.approx(360, rel=1e-3)
    dated = wide(time=pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(250) * 4, unit="ms"))
    (found,) = read(saved(tmp_path, dated), Said())
    assert found.recording.rate == 250


def test_a_gap_becomes_missing_samples(tmp_path):
    (found,) = read(saved(tmp_path, wide().drop(index=range(100, 130))), Said())
    held = found.recording.values()
    assert held.shape == (250, 2) and np.isnan(held[100:130]).all() and not np.isnan(held[130:]).any()
    assert found.notes == ("record 'a': 30 samples are missing between its times",)


@pytest.mark.parametrize(
    ("time", "told"),
    [
        (np.r_[np.arange(249) / 100, np.nan], "row 250: record 'a': a time is missing or none"),
        (np.r_[0.5, np.arange(249) / 100], "row 2: record 'a': time does not go on"),
        (np.cumsum(stream(0).uniform(0.002, 0.018, 250)), "times are uneven"),
    ],
)
def test_times_that_are_none(tmp_path, time, told):
    assert told in refused(saved(tmp_path, wide(time=time)))


def test_texts_within_a_recording(tmp_path):
    one, other = np.resize(["a", "b"], 250), np.resize(["c", "d", "e"], 250)
    told = refused(saved(tmp_path, wide(one=one, other=other)))
    assert "column 'one'" in told and "column 'other'" in told and '[signal] state = "one"' in told


def test_many_texts_are_no_states(tmp_path):
    remarks = wide(remark=[f"the patient moved {i}" for i in range(250)])
    told = refused(saved(tmp_path, remarks))
    assert "column 'remark': texts within a recording" in told and "moved" not in told


def test_columns_that_are_named_but_not_there(tmp_path):
    told = refused(saved(tmp_path, wide()), Said(time="tiem", state="eyes"))
    assert "no column 'tiem'" in told and "did you mean 'time'?" in told and "no column 'eyes'" in told
    assert "no column 'IIII'" in refused(saved(tmp_path, wide()), Said(leads=("I", "IIII")))
    assert "no column 'III'" in refused(saved(tmp_path, long(wide())), Said(leads=("I", "III")))


def test_a_dropped_column_is_no_lead(tmp_path):
    path = saved(tmp_path, wide(battery=np.arange(250)))
    (found,) = read(path, Said(columns={"battery": {"role": "drop"}}))
    assert [lead.name for lead in found.recording.leads] == ["I", "II"]


def long(frame, **names):
    made = frame.melt([n for n in frame if n not in ("I", "II")], ["I", "II"], "channel", "value")
    return made.sample(frac=1, random_state=0).rename(columns=names)


def test_a_long_table(tmp_path):
    frame = long(wide(record=1)).assign(unit="uV")
    (found,) = read(saved(tmp_path, frame), Said(leads=("I", "II")))
    np.testing.assert_allclose(found.recording.values(), HELD, atol=1e-6)
    assert [(lead.name, lead.unit, lead.fmt) for lead in found.recording.leads] == [
        ("I", "uV", "long"),
        ("II", "uV", "long"),
    ]


def test_a_long_table_by_declared_names(tmp_path):
    path = saved(tmp_path, long(wide(), channel="what", value="how_much"))
    (found,) = read(path, Said(lead="what", value="how_much", leads=("II",)))
    np.testing.assert_allclose(found.recording.values()[:, 0], HELD[:, 1], atol=1e-6)


def test_a_lead_with_two_values_at_a_time(tmp_path):
    frame = long(wide())
    told = refused(saved(tmp_path, pd.concat([frame, frame.tail(1)])))
    assert "column 'channel', row 501: a second value" in told


def test_a_value_without_a_time(tmp_path):
    frame = long(wide())
    frame.iloc[7, 0] = np.nan
    assert "column 'time', row 8: a missing cell" in refused(saved(tmp_path, frame))


def test_units_behind_names(tmp_path):
    (found,) = read(saved(tmp_path, wide().rename(columns={"I": "I [uV]"})), Said())
    assert [(lead.name, lead.unit) for lead in found.recording.leads] == [("I", "uV"), ("II", "")]


@pytest.mark.parametrize("content", ["", "time,I\n", 'time,I\n0,"1\n', "time,I\n0,1,2\n0.1,1,2\n"])
def test_a_broken_file(tmp_path, content):
    (tmp_path / "a.csv").write_text(content)
    assert "'a.csv'" in refused(tmp_path / "a.csv")


def test_eyes_of_the_emotiv(shared_data):
    path = shared_data / "signals" / "eeg_eye_state" / "EEG_Eye_State.arff.gz"
    made, profile = read_all([path], ReadOptions(declared={"signal": {"rate": 128}}))
    (one,) = made.recordings
    assert (one.length, len(one.leads), set(one.states.symbol)) == (14_980, 14, {"0", "1"})
    assert profile.patients == 1 and len(one.states) == 24
