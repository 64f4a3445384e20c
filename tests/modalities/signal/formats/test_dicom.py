"""DICOM waveforms by pydicom, and the 12-lead ECG that it ships."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.core.modality import ReadOptions
from semblance.modalities.signal import write as writing
from semblance.modalities.signal.data import Recordings
from semblance.modalities.signal.declare import Said
from semblance.modalities.signal.formats.dicom import TWELVE_LEAD, read
from semblance.modalities.signal.read import like, output_name
from semblance.modalities.signal.read import read as read_all
from tests.modalities.signal.made import recording, recordings, same_marks, wave

pydicom = pytest.importorskip("pydicom")
FMT = f"dicom {TWELVE_LEAD}"


@pytest.fixture(scope="session")
def ecg():
    from pydicom.data import get_testdata_file

    return pydicom.dcmread(get_testdata_file("waveform_ecg.dcm"))


def saved(held, path):
    held.save_as(path)
    return path


def refused(path, said=None):
    with pytest.raises(DataError) as told:
        list(read(path, said or Said()))
    return str(told.value)


def test_a_twelve_lead_ecg(ecg, tmp_path):
    (found,) = read(saved(ecg, tmp_path / "a.dcm"), Said())
    one = found.recording
    assert [lead.name for lead in one.leads] == ["I", "II", "III", "aVR", "aVL", "aVF", *(f"V{i}" for i in range(1, 7))]
    assert (one.rate, one.length, one.leads[0].unit) == (1000, 10_000, "uV")
    np.testing.assert_array_equal(one.values(), ecg.waveform_array(0).astype(np.float32))
    assert (found.facts, found.patient) == ({"age": "42", "sex": "female"}, "642341")
    assert len(one.beats) == 0 and "only the first of 2 groups" in found.notes[0]


def test_the_ecg_is_written_as_it_was(ecg, tmp_path):
    saved(ecg, tmp_path / "a.dcm")
    made, _ = read_all([tmp_path], ReadOptions())
    assert output_name([tmp_path]) == "synthetic"
    folder = writing.write([made], tmp_path / "out" / "synthetic")
    held = pydicom.dcmread(folder / "a.dcm")
    np.testing.assert_allclose(held.waveform_array(0), ecg.waveform_array(0), rtol=1e-6)
    old, new = ecg.WaveformSequence[0], held.WaveformSequence[0]
    for keyword in ("ChannelSensitivity", "ChannelBaseline"):
        assert [float(c[keyword].value) for c in new.ChannelDefinitionSequence] == [
            float(c[keyword].value) for c in old.ChannelDefinitionSequence
        ]
    assert held.SOPClassUID == TWELVE_LEAD and held.PatientAge == "042Y" and held.PatientSex == "F"
    text = str(held)
    assert all(secret not in text for secret in ("642341", "Galliera", "19710123", "13002689", "RITMO"))


def test_a_round_trip_changes_nothing(tmp_path):
    made = recordings(fmt=FMT)
    again = like([writing.write([made], tmp_path / "synthetic")], made.schema)
    assert again.frame.astype(str).equals(made.frame.astype(str))
    for one, other in zip(made.recordings, again.recordings, strict=True):
        np.testing.assert_allclose(one.values(), other.values(), atol=1e-6)
        assert same_marks(one.beats, other.beats) and same_marks(one.states, other.states)
        assert (other.leads, other.rate) == (one.leads, one.rate)


def test_what_was_not_measured_stays_so(tmp_path):
    values, made = wave(), recordings(1)
    values[100:150, 1] = np.nan
    one = recording("r0", fmt=FMT, values=values)
    folder = writing.write([Recordings(made.schema, made.frame, (one,), made.subjects)], tmp_path / "s")
    (found,) = read(folder / "r0.dcm", Said())
    np.testing.assert_allclose(found.recording.values(), values, atol=1e-6)


def test_a_state_ends(tmp_path):
    one = recordings(1, fmt=FMT).recordings[0]
    states = replace(one.states, symbol=np.array(["AF", ""], dtype=object))
    made = recordings(1)
    some = Recordings(made.schema, made.frame, (replace(one, states=states),), made.subjects)
    (found,) = read(writing.write([some], tmp_path / "s") / "r0.dcm", Said())
    assert same_marks(found.recording.states, states)


@pytest.fixture
def small(tmp_path):
    folder = writing.write([recordings(1, fmt=FMT)], tmp_path / "s")
    return pydicom.dcmread(folder / "r0.dcm")


def test_a_header_that_says_more_than_there_is(small, tmp_path):
    small.WaveformSequence[0].NumberOfWaveformSamples = 400
    assert "record 'a' holds 300 of the 400 samples" in refused(saved(small, tmp_path / "a.dcm"))


def test_a_header_that_says_less_than_there_is(small, tmp_path):
    group = small.WaveformSequence[0]
    whole = int(group.NumberOfWaveformSamples)
    group.NumberOfWaveformSamples = whole - 50
    (found,) = read(saved(small, tmp_path / "a.dcm"), Said())
    assert "record 'a': 50 samples beyond those that its header tells are left out" in found.notes
    assert len(found.recording.values()) == whole - 50


def test_a_missing_rate(small, tmp_path):
    del small.WaveformSequence[0].SamplingFrequency
    path = saved(small, tmp_path / "a.dcm")
    assert "record 'a' tells no sampling rate" in refused(path)
    assert next(read(path, Said(rate=100))).recording.rate == 100


def test_annotations_past_the_end(small, tmp_path):
    small.WaveformAnnotationSequence[0].ReferencedSamplePositions = 301
    (found,) = read(saved(small, tmp_path / "a.dcm"), Said())
    assert "1 annotations outside the samples" in found.notes[0] and len(found.recording.beats) == 2


def test_an_age_in_months_and_one_of_dates(small, tmp_path):
    small.PatientAge = "018M"
    assert next(read(saved(small, tmp_path / "a.dcm"), Said())).facts["age"] == "1"
    del small.PatientAge
    small.PatientBirthDate, small.StudyDate = "19500502", "20200501"
    assert next(read(saved(small, tmp_path / "a.dcm"), Said())).facts["age"] == "69"


def test_files_without_a_suffix(small, tmp_path):
    (tmp_path / "more").mkdir()
    for name in ("1.2.840.1", "1.2.840.2", "plain"):
        saved(small, tmp_path / "more" / name)
    (tmp_path / "more" / "DICOMDIR.txt").write_text("no recording")
    made, _ = read_all([tmp_path / "more"], ReadOptions())
    assert [one.name for one in made.recordings] == ["1.2.840.1", "1.2.840.2", "plain"]


def test_files_that_are_no_waveforms(small, tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"no dicom")
    assert "record 'a' cannot be read as a DICOM waveform" in refused(tmp_path / "a.dcm")
    del small.WaveformSequence
    assert "record 'b' holds no waveform" in refused(saved(small, tmp_path / "b.dcm"))
