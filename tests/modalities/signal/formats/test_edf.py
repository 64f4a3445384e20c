"""EDF+ and BDF+ by EDFlib, which EDF viewers use: it refuses what breaks the standard, and so judges what we write."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.core.errors import DataError, ResourceError
from semblance.core.modality import ReadOptions
from semblance.modalities.signal import write as writing
from semblance.modalities.signal.beats import without_remarks
from semblance.modalities.signal.data import Lead, Marks, Recordings
from semblance.modalities.signal.declare import Said
from semblance.modalities.signal.formats.edf import _channels, _scale, read, record_size
from semblance.modalities.signal.public import read as read_private
from semblance.modalities.signal.read import like
from semblance.modalities.signal.read import read as read_all
from tests.modalities.signal.made import RATE, recording, recordings, same_marks, wave

pyedflib = pytest.importorskip("pyedflib")


def written(path, *, rates=(100, 100), annotations=(), code="", born="", sex=None, start=datetime(2020, 5, 1)):
    """A file of 5 s by the library itself."""
    with pyedflib.EdfWriter(str(path), len(rates)) as writer:
        heads = [{"label": f"EEG {i}", "dimension": "uV", "sample_frequency": r} for i, r in enumerate(rates)]
        ends = {"physical_min": -3276.8, "physical_max": 3276.7, "digital_min": -32768, "digital_max": 32767}
        writer.setSignalHeaders([{**head, **ends, "transducer": "", "prefilter": ""} for head in heads])
        writer.setStartdatetime(start)
        writer.setPatientCode(code)
        if born:
            writer.setBirthdate(born)
        if sex is not None:
            writer.setSex(sex)
        writer.writeSamples([np.round(1000 * np.sin(np.arange(5 * r) / r * 6.283), 1) for r in rates])
        for mark in annotations:
            writer.writeAnnotation(*mark)
    return path


def refused(path):
    with pytest.raises(DataError) as told:
        list(read(path, Said()))
    return str(told.value)


@pytest.mark.parametrize("fmt", ["edf", "bdf"])
def test_the_library_reads_what_was_written(tmp_path, fmt):
    made = recordings(fmt=fmt)
    folder = writing.write([made], tmp_path / "synthetic")
    for one, sex in zip(made.recordings, ("Female", "Male", "Female"), strict=True):
        with pyedflib.EdfReader(str(folder / f"{one.name}.{fmt}")) as reader:
            assert reader.filetype == (pyedflib.FILETYPE_EDFPLUS if fmt == "edf" else pyedflib.FILETYPE_BDFPLUS)
            assert reader.getSignalLabels() == ["I", "II"]
            assert [reader.getPhysicalDimension(i) for i in (0, 1)] == ["mV", "mV"]
            assert reader.getSampleFrequencies().tolist() == [RATE, RATE]
            assert reader.getSex() == sex and reader.getStartdatetime() == datetime(1985, 1, 1)
            held = np.stack([reader.readSignal(0), reader.readSignal(1)], axis=1)
            np.testing.assert_allclose(held, one.values(), atol=1e-5)
            onset, lasts, text = reader.readAnnotations()
        assert sorted(zip(onset, lasts, text, strict=True)) == sorted(
            [(0.0, 1.5, "N"), (1.5, 1.5, "AFIB"), (0.5, -1.0, "N"), (1.5, -1.0, "V"), (2.5, -1.0, "N")]
        )


@pytest.mark.parametrize("fmt", ["edf", "bdf"])
def test_a_round_trip_keeps_all_but_a_rounding(tmp_path, fmt):
    made = recordings(fmt=fmt)
    again = like([writing.write([made], tmp_path / "synthetic")], made.schema)
    assert again.frame.astype(str).equals(made.frame.astype(str))
    for one, other in zip(made.recordings, again.recordings, strict=True):
        np.testing.assert_allclose(one.values(), other.values(), atol=1e-5)
        assert same_marks(one.beats, other.beats) and same_marks(one.states, other.states)
        assert other.leads == tuple(one.leads)


@pytest.mark.parametrize("length", [300, 301, 457])
def test_a_recording_ends_where_it_ended(tmp_path, length):
    made = recordings(1)
    one = recording("r0", fmt="edf", values=wave(length))
    folder = writing.write([Recordings(made.schema, made.frame, (one,), made.subjects)], tmp_path / "s")
    (found,) = read(folder / "r0.edf", Said())
    assert found.recording.length == length and found.recording.values().shape == (length, 2)
    np.testing.assert_allclose(found.recording.values(), one.values(), atol=1e-5)


@given(st.integers(100, 5000), st.sampled_from([100.0, 128.0, 250.0, 256.0, 360.0, 500.0, 62.4725]))
def test_data_records_last_about_a_second(length, rate):
    size = record_size(length, rate)
    assert 0.2 <= size / rate <= 10.001


@given(st.floats(2, 1e4), st.integers(-20_000, 20_000), st.sampled_from([16, 24]))
def test_a_scale_fits_its_fields_and_keeps_the_steps(gain, baseline, bits):
    scale = _scale(Lead("I", gain=gain, baseline=baseline), bits)
    half = 2 ** (bits - 1)
    assert all(len(f"{end:.8g}") <= 8 for end in (scale.low, scale.high))
    assert -half <= scale.first < scale.last <= half - 1 and scale.last - scale.first > 1.99 * half * 0.99
    assert (scale.last - scale.first) / (scale.high - scale.low) == pytest.approx(gain, rel=2 / half)


def test_too_many_marks():
    with pytest.raises(ResourceError, match="record 'r1' has 1,000 marks"):
        _channels(1000, 2, "r1")


def test_annotations_that_last_are_states(tmp_path):
    marks = [(0.5, 1, "Sleep stage W"), (1.5, 2, "Sleep stage 1"), (2.0, -1, "V"), (4.0, -1, "lamp off")]
    (found,) = read(written(tmp_path / "a.edf", annotations=marks), Said())
    states, beats = found.recording.states, found.recording.beats
    assert (states.at.tolist(), list(states.symbol)) == ([50, 150, 350], ["Sleep stage W", "Sleep stage 1", ""])
    assert (beats.at.tolist(), list(beats.symbol)) == ([200], ["V"])
    assert "lamp" not in str(found)


def test_a_text_that_stands_once_is_a_remark(tmp_path):
    marks = [(0, 1, "W"), (1, 1, "Mrs. Miller coughs"), (2, 1, "W")]
    found = list(read(written(tmp_path / "a.edf", annotations=marks), Said()))
    (kept,), notes = without_remarks(found, Said())
    assert same_marks(kept.recording.states, Marks(np.array([0, 100, 200, 300]), np.array(["W", "", "W", ""], object)))
    assert "1 annotations are left out" in notes[0] and "Miller" not in notes[0]
    (kept,), notes = without_remarks(found, Said(states=("Mrs. Miller coughs",)))
    assert notes == [] and "Mrs. Miller coughs" in kept.recording.states.symbol


def test_age_and_sex_come_from_the_header(tmp_path):
    (found,) = read(written(tmp_path / "a.edf", born=date(1950, 5, 2), sex=0, code="P7"), Said())
    assert (found.facts, found.patient) == ({"age": "69", "sex": "female"}, "P7")
    (found,) = read(written(tmp_path / "b.edf"), Said())
    assert (found.facts, found.patient) == ({}, None)


def test_codes_of_patients_group_their_recordings(tmp_path):
    for name, code in (("a", "P7"), ("b", "P8"), ("c", "P7")):
        written(tmp_path / f"{name}.edf", code=code)
    made, profile = read_all([tmp_path], ReadOptions())
    assert made.subjects.tolist() == [0, 1, 0] and profile.patients == 2
    assert "P7" not in repr((made.schema, made.frame, profile))
    folder = writing.write([made], tmp_path / "out" / "synthetic")
    assert like([folder], made.schema).subjects.tolist() == [0, 1, 0]


def test_codes_of_patients_group_them_under_differential_privacy_too(tmp_path):
    """Whoever has two recordings would count as two. What another header says changes nothing."""
    signal = {"rate": 100, "leads": ["EEG 0"], "units": "uV", "range": [-3000, 3000], "seconds": 5, "kinds": ["N"]}
    options = ReadOptions(declared={"signal": signal})
    for codes, whose in ((("P7", "", "P7"), [0, 1, 0]), (("P7", "P8", ""), [0, 1, 2])):
        for name, code in zip("abc", codes, strict=True):
            written(tmp_path / f"{name}.edf", code=code)
        made, profile = read_private([tmp_path], options)
        assert made.subjects.tolist() == whose and profile.patients == len(set(whose))
        assert "P7" not in repr((made.schema, made.frame, profile))


def test_signals_of_other_rates_are_resampled(tmp_path):
    (found,) = read(written(tmp_path / "a.edf", rates=(100, 100, 50)), Said())
    held = found.recording.values()
    assert found.recording.rate == 100 and held.shape == (500, 3)
    np.testing.assert_allclose(held[50:-50, 2], held[50:-50, 0], atol=5)
    assert found.notes == ("record 'a': resampled to 100 Hz: EEG 2",)


def test_a_file_that_ends_early(tmp_path):
    path = written(tmp_path / "a.edf")
    path.write_bytes(path.read_bytes()[:-300])
    assert "record 'a' breaks the EDF standard, or header and data length disagree" in refused(path)


def test_bytes_behind_the_last_data_record_are_told(tmp_path):
    path = written(tmp_path / "a.edf")
    (plain,) = read(path, Said())
    path.write_bytes(path.read_bytes() + bytes(700))
    (found,) = read(path, Said())
    assert plain.notes == () and found.notes == ("record 'a': 700 bytes behind its last data record are left out",)
    assert found.recording.length == plain.recording.length


def test_other_files_of_the_wild(shared_data):
    folder = shared_data / "signals" / "wfdb_io_fixtures"
    assert "record 'test_edfann' has no signal" in refused(folder / "test_edfann.edf")
    assert "(Physical Dimension)" in refused(folder / "test_generator_2.edf")
