"""WFDB by its own library: what it reads of our files is what we wrote, and every broken record is told by name."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.core.modality import ReadOptions
from semblance.modalities.signal import write as writing
from semblance.modalities.signal.beats import BEATS
from semblance.modalities.signal.data import Lead, Marks
from semblance.modalities.signal.declare import Said
from semblance.modalities.signal.formats.wfdb import digital, read, segments
from semblance.modalities.signal.read import like
from semblance.modalities.signal.read import read as read_all
from tests.modalities.signal.made import recording, recordings, same_marks, wave

wfdb = pytest.importorskip("wfdb")


def written(folder, name="100", *, samples=None, fs=100, ann=True, **others):
    """A record by the library itself."""
    values = np.round(wave(500) * 200).astype(int) if samples is None else samples
    k = values.shape[1]
    kept = {"fmt": ["16"] * k, "adc_gain": [200.0] * k, "baseline": [0] * k, "units": ["mV"] * k}
    kept |= {"sig_name": ["I", "II", "III"][:k], "fs": fs, "d_signal": values, **others}
    wfdb.wrsamp(name, write_dir=str(folder), **kept)
    if ann:
        at = np.array([10, 60, 120, 200])
        wfdb.wrann(name, "atr", at, ["+", "N", "V", "~"], aux_note=["(N\0", "", "", ""], write_dir=str(folder))
    return folder / f"{name}.hea"


def edited(header, old, new):
    header.write_text(header.read_text().replace(old, new))
    return header


def refused(path, said=None):
    with pytest.raises(DataError) as told:
        list(read(path, said or Said()))
    return str(told.value)


def test_the_library_reads_what_was_written(tmp_path):
    made = recordings()
    folder = writing.write([made.take(np.array([0])), made.take(np.array([1, 2]))], tmp_path / "synthetic")
    for one, age in zip(made.recordings, (40, 41, None), strict=True):
        record = wfdb.rdrecord(str(folder / one.name))
        assert (record.p_signal.astype(np.float32) == one.values()).all()
        assert (record.fs, record.sig_name, record.units) == (100, ["I", "II"], ["mV", "mV"])
        assert (record.adc_gain, record.baseline) == ([200.0, 200.0], [0, 0])
        assert (f"age: {age}" in record.comments) is (age is not None)
        marks = wfdb.rdann(str(folder / one.name), "atr")
        beats = np.isin(marks.symbol, list(BEATS))
        assert marks.sample[beats].tolist() == one.beats.at.tolist()
        assert [t for t in marks.aux_note if t] == ["(N", "(AFIB"]
        assert marks.fs == 100


def test_a_round_trip_changes_nothing(tmp_path):
    made = recordings()
    again = like([writing.write([made], tmp_path / "synthetic")], made.schema)
    assert again.frame.astype(str).equals(made.frame.astype(str))
    for one, other in zip(made.recordings, again.recordings, strict=True):
        assert (one.values() == other.values()).all()
        assert same_marks(one.beats, other.beats) and same_marks(one.states, other.states)
        assert (one.name, one.rate, one.leads) == (other.name, other.rate, other.leads)


def test_what_was_not_measured_stays_so(tmp_path):
    values = wave()
    values[100:150, 1] = np.nan
    made = recordings(1)
    for fmt in ("16", "212", "24", "32"):
        (one,) = (recording("r0", fmt=fmt, values=values),)
        folder = writing.write([type(made)(made.schema, made.frame, (one,), made.subjects)], tmp_path / f"s{fmt}")
        (found,) = read(folder / "r0.hea", Said())
        np.testing.assert_array_equal(found.recording.values(), values)
        assert found.recording.leads[0].fmt == fmt


def test_a_converter_ends(tmp_path):
    codes = digital(np.array([[1000.0], [-1000.0], [np.nan], [0.5]]), (Lead("I", baseline=1024),), bits=12)
    assert codes[:, 0].tolist() == [2047, -2047, -2048, 1124]
    lead = Lead("I", baseline=1024, bits=11, middle=1024)
    assert digital(np.array([[1000.0], [-1000.0], [np.nan]]), (lead,), bits=12)[:, 0].tolist() == [2047, 0, -2048]


def test_a_header_tells_the_converter(tmp_path):
    """A converter of 11 bits around 1024 was written as one of 12 around 0, with values that it never gave."""
    lead = Lead("I", baseline=1024, fmt="212", bits=11, middle=1024)
    far = np.linspace(-9, 9, 300, dtype=np.float32)[:, None]
    made = recordings(1)
    one = recording("r0", values=far, leads=(lead,))
    folder = writing.write([type(made)(made.schema, made.frame, (one,), made.subjects)], tmp_path / "s")
    assert "212 200.0(1024)/mV 11 1024 " in (folder / "r0.hea").read_text()
    (found,) = read(folder / "r0.hea", Said())
    assert found.recording.leads == (lead,)
    assert found.recording.values().min() == pytest.approx(-5.12)
    assert found.recording.values().max() == pytest.approx(5.115)


def test_a_converter_that_cannot_be_is_unknown(tmp_path):
    header = edited(written(tmp_path), "200.0(0)/mV 16 0 ", "200.0(1024)/mV 11 0 ")
    assert [(lead.bits, lead.middle) for lead in next(iter(read(header, Said()))).recording.leads] == [(0, 0), (0, 0)]


def test_annotations_become_beats_and_rhythms(tmp_path):
    (found,) = read(written(tmp_path), Said())
    assert same_marks(found.recording.beats, Marks(np.array([60, 120]), np.array(["N", "V"], dtype=object)))
    assert same_marks(found.recording.states, Marks(np.array([10]), np.array(["N"], dtype=object)))


@pytest.mark.parametrize(
    ("comments", "facts"),
    [
        (["69 M 1085 1629 x1", "Aldomet, Inderal"], {"age": "69", "sex": "male"}),
        (["age: 81", "sex: female", "ECG date: 01/10/1990"], {"age": "81", "sex": "female", "ECG date": "01/10/1990"}),
        (["<age>: 50 <sex>: F <diagnoses>: X"], {"age": "50", "sex": "female", "diagnoses": "X"}),
        (["Age: 32 Sex: M"], {}),
        (["Age: 200", "Gender: ?"], {}),
        (["Dx: 426783006"], {"Dx": "426783006"}),
    ],
)
def test_comments_tell_age_and_sex(tmp_path, comments, facts):
    (found,) = read(written(tmp_path, comments=comments), Said())
    assert facts.items() <= found.facts.items()
    assert "Aldomet" not in str(found.facts)


def test_a_header_that_says_more_than_there_is(tmp_path):
    path = edited(written(tmp_path), "100 2 100 500", "100 2 100 600")
    assert "record '100': 100.dat holds 500 of the 600 samples" in refused(path)


def test_a_header_that_tells_no_length(tmp_path):
    """The standard lets it be left out; the library reads such a record only without an end."""
    path = edited(written(tmp_path), "100 2 100 500", "100 2 100")
    (found,) = read(path, Said())
    assert found.recording.length == 500
    whole = wfdb.rdrecord(str(path.with_suffix("")), return_res=32)
    np.testing.assert_array_equal(found.recording.values(), whole.p_signal)


def test_an_uncalibrated_lead_is_told(tmp_path):
    """The standard reads a gain of 0, and one that is left out, as 200 steps to the unit."""
    (found,) = read(edited(written(tmp_path), "200.0(0)/mV", "0/mV"), Said())
    assert found.notes == ("record '100' tells no gain of 'I', 'II': 200 steps to the unit are assumed",)
    path = written(tmp_path, "101")
    assert all(one.notes == () for one in read(path, Said()))
    path.write_text("101 2 100 500\n101.dat 16 200(0)/mV 16 0 0 0 0 I\n101.dat 16\n")
    (found,) = read(path, Said())
    assert found.notes == ("record '101' tells no gain of 'lead 2': 200 steps to the unit are assumed",)


def test_a_missing_signal_file(tmp_path):
    path = written(tmp_path)
    path.with_suffix(".dat").unlink()
    assert "'100.dat' cannot be opened" in refused(path)


def test_a_header_without_sense(tmp_path):
    path = written(tmp_path)
    path.write_text("no header\n")
    assert "record '100' cannot be read" in refused(path)


def test_a_missing_rate_is_declared(tmp_path):
    path = written(tmp_path)
    path.write_text("\n".join(["100 2", *path.read_text().splitlines()[1:]]) + "\n")
    assert "tells no sampling rate" in refused(path) and "[signal] rate" in refused(path)
    (found,) = read(path, Said(rate=100))
    assert (found.recording.rate, found.recording.length) == (100, 500)


def test_a_wrong_rate(tmp_path):
    path = edited(written(tmp_path), "100 2 100 500", "100 2 0 500")
    assert "sampling rate 0 Hz" in refused(path)
    assert "where [signal] rate says 250" in refused(written(tmp_path), Said(rate=250))


@pytest.mark.parametrize("rate", ["-100", "abc", "10o", "1e2", "nan", "inf"])
def test_a_rate_that_the_library_takes_for_another(tmp_path, rate):
    """It gives 250 Hz where it cannot read what stands there."""
    path = written(tmp_path)
    edited(path, " 100 ", f" {rate} ")
    assert "record '100' has the sampling rate" in refused(path)


def test_samples_beyond_those_of_the_header_are_told(tmp_path):
    path = written(tmp_path)
    edited(path, " 500", " 300")
    (found,) = read(path, Said())
    assert len(found.recording.values()) == 300
    assert (
        found.notes[0] == "record '100': 100.dat holds 500 samples, of which the header tells 300: the rest is left out"
    )


def test_annotations_past_the_end_are_left_out(tmp_path):
    path = written(tmp_path)
    wfdb.wrann("100", "atr", np.array([60, 499, 500]), ["N", "N", "V"], write_dir=str(tmp_path))
    (found,) = read(path, Said())
    assert found.recording.beats.at.tolist() == [60, 499]
    assert found.notes == ("record '100': 1 annotations outside the samples are left out",)


@pytest.mark.parametrize("notes", [["## a remark"], ["## time resolution: 100", "## time resolution: 100"]])
def test_notes_that_the_library_reads_forever(tmp_path, notes):
    path = written(tmp_path, ann=False)
    at = np.zeros(len(notes), dtype=int)
    wfdb.wrann("100", "atr", at, ['"'] * len(notes), aux_note=notes, write_dir=str(tmp_path))
    assert "record '100' cannot be read: its annotations are broken" in refused(path)


def test_segments_are_no_records(tmp_path):
    for name in ("m_1", "m_2"):
        written(tmp_path, name)
    (tmp_path / "m.hea").write_text("m/2 2 100 1000\nm_1 500\nm_2 500\n")
    assert segments(tmp_path.glob("*.hea")) == {"m_1", "m_2"}
    made, _ = read_all([tmp_path], ReadOptions())
    assert [(one.name, one.length) for one in made.recordings] == [("m", 1000)]


def test_a_unit_may_be_declared(tmp_path):
    (found,) = read(written(tmp_path), Said(units={"II": "uV"}))
    assert [lead.unit for lead in found.recording.leads] == ["mV", "uV"]


def test_mitbih_is_written_as_the_library_reads_it(shared_data, tmp_path):
    source = shared_data / "signals" / "mitbih"
    made, _ = read_all([source / f"{name}.hea" for name in ("101", "106")], ReadOptions())
    folder = writing.write([made], tmp_path / "synthetic")
    for one in made.recordings:
        old, new = wfdb.rdrecord(str(source / one.name)), wfdb.rdrecord(str(folder / one.name))
        np.testing.assert_array_equal(old.p_signal, new.p_signal)
        assert (new.fmt, new.adc_gain, new.baseline) == (["212"] * 2, old.adc_gain, old.baseline)
        assert (new.adc_res, new.adc_zero) == (old.adc_res, old.adc_zero) == ([11, 11], [1024, 1024])
    assert "Inderal" not in "".join(p.read_text() for p in folder.glob("*.hea"))


@pytest.mark.slow
def test_all_of_mitbih(shared_data):
    made, profile = read_all([shared_data / "signals" / "mitbih"], ReadOptions())
    assert (profile.records, profile.patients) == (22, 22)
    assert [lead.name for lead in made.recordings[0].leads] == ["MLII", "V1"]
    assert any("'V1' is missing throughout in 114, 124" in note for note in profile.notes)
    assert any("no beats of 114, 124 are learned" in note for note in profile.notes)
    assert not any(word in note for word in ("scale", "rate may be wrong", "polarity") for note in profile.notes)
    assert made.frame["age"].tolist()[:3] == [75, 24, 87]
    assert sum(len(one.beats) for one in made.recordings) > 49_000


@pytest.mark.parametrize(("name", "leads", "rate"), [("a103l", 3, 250), ("s0010_re", 15, 1000), ("v102s", 4, 250)])
def test_other_kinds_of_records(shared_data, name, leads, rate):
    (found,) = read(shared_data / "signals" / "wfdb_io_fixtures" / f"{name}.hea", Said())
    one = found.recording
    old = wfdb.rdrecord(str(shared_data / "signals" / "wfdb_io_fixtures" / name), return_res=32)
    np.testing.assert_array_equal(one.values(), old.p_signal)
    assert (len(one.leads), one.rate) == (leads, rate)
    if name == "s0010_re":
        assert (found.facts["age"], found.facts["sex"]) == ("81", "female")
