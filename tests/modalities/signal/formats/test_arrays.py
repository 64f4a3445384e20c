"""Arrays by numpy itself, in both orientations and with all that may stand beside them."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.core.modality import ReadOptions
from semblance.modalities.signal import write as writing
from semblance.modalities.signal.data import Recordings
from semblance.modalities.signal.declare import Said
from semblance.modalities.signal.formats.arrays import FIRST, LAST, read
from semblance.modalities.signal.read import like, output_name
from semblance.modalities.signal.read import read as read_all
from tests.modalities.signal.made import recording, recordings, same_marks, wave

X = np.stack([wave(300, 2, phase=i).T for i in range(4)])


def saved(path, **arrays):
    np.savez(path, allow_pickle=False, **arrays)
    return path


def refused(path, said=None):
    with pytest.raises(DataError) as told:
        list(read(path, said or Said()))
    return str(told.value)


@pytest.mark.parametrize("x", [X, X.swapaxes(1, 2)], ids=[FIRST, LAST])
def test_each_row_is_a_recording(tmp_path, x):
    found = list(read(saved(tmp_path / "a.npz", x=x, rate=100), Said()))
    assert [one.recording.name for one in found] == ["1", "2", "3", "4"]
    assert all((one.recording.values() == X[i].T).all() for i, one in enumerate(found))
    assert found[0].recording.rate == 100 and [lead.name for lead in found[0].recording.leads] == ["lead 1", "lead 2"]


@pytest.mark.parametrize("fmt", [FIRST, LAST])
def test_a_round_trip_changes_nothing(tmp_path, fmt):
    made = recordings(fmt=fmt)
    path = writing.write([made.take(np.array([0])), made.take(np.array([1, 2]))], tmp_path / "synthetic.npz")
    with np.load(path, allow_pickle=False) as held:
        assert held["x"].shape == ((3, 2, 300) if fmt == FIRST else (3, 300, 2))
        assert held["leads"].tolist() == ["I", "II"] and held["sex"].tolist() == ["female", "male", "female"]
    again = like([path], made.schema)
    assert again.frame.astype(str).equals(made.frame.astype(str))
    for one, other in zip(made.recordings, again.recordings, strict=True):
        assert (one.values() == other.values()).all() and other.leads[0].fmt == fmt
        assert same_marks(one.beats, other.beats) and same_marks(one.states, other.states)


def test_recordings_may_differ_in_length(tmp_path):
    made = recordings(2)
    some = (recording("a", values=wave(200)), recording("b", values=wave(350)))
    path = writing.write([Recordings(made.schema, made.frame, some, made.subjects)], tmp_path / "synthetic.npz")
    again = like([path], made.schema)
    assert [one.length for one in again.recordings] == [200, 350]
    assert all((one.values() == other.values()).all() for one, other in zip(some, again.recordings, strict=True))


def test_labels_and_patients_are_named_by_their_arrays(tmp_path):
    path = saved(tmp_path / "a.npz", x=X, fs=100, y=np.array([0, 1, 1, 0]), subject=np.array([7, 7, 9, 9]))
    made, profile = read_all([path], ReadOptions())
    assert made.schema.where("target").name == "label" and made.frame["label"].tolist() == ["0", "1", "1", "0"]
    assert made.subjects.tolist() == [0, 0, 1, 1] and profile.patients == 2
    out = writing.write([made], tmp_path / "synthetic.npz")
    with np.load(out, allow_pickle=False) as held:
        assert held["y"].tolist() == ["0", "1", "1", "0"] and held["subject"].tolist() == ["1", "1", "2", "2"]
    assert like([out], made.schema).subjects.tolist() == [0, 0, 1, 1]


def test_a_label_of_each_sample_is_a_state(tmp_path):
    y = np.zeros((4, 300), dtype=int)
    y[:, 100:] = 1
    made, _ = read_all([saved(tmp_path / "a.npz", x=X, fs=100, y=y)], ReadOptions())
    assert made.recordings[0].states.at.tolist() == [0, 100] and made.schema.where("target") is None


def test_each_recording_may_have_a_rate(tmp_path):
    """The first one was that of all."""
    found = list(read(saved(tmp_path / "a.npz", x=X, rate=[100, 100, 200, 50]), Said()))
    assert [one.recording.rate for one in found] == [100, 100, 200, 50]
    _, profile = read_all([tmp_path / "a.npz"], ReadOptions())
    assert any("resampled to 100 Hz: 3 (200 Hz), 4 (50 Hz)" in note for note in profile.notes)
    assert "record '2' has the sampling rate 0 Hz" in refused(saved(tmp_path / "b.npz", x=X, rate=[9, 0, 9, 9]))
    assert "'b.npz': rate is 3 of int64" in refused(saved(tmp_path / "b.npz", x=X, rate=[9, 9, 9]))
    assert "'b.npz': rate is one value of <U3" in refused(saved(tmp_path / "b.npz", x=X, rate="abc"))


def test_marks_outside_the_samples_are_left_out(tmp_path):
    marks = {"beats_record": [0, 0, 1], "beats_at": [10, 900, -5], "beats_symbol": ["N", "N", "V"]}
    first, second, *_ = read(saved(tmp_path / "a.npz", x=X, rate=100, **marks), Said())
    assert first.recording.beats.at.tolist() == [10] and not len(second.recording.beats)
    assert second.notes == ("record '2': 1 annotations outside the samples are left out",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"beats_record": [0, 9]}, "1 beats are of no recording"),
        ({"beats_at": [1]}, "beats are not told by such"),
        ({"beats_at": [1.0, np.nan]}, "beats stand at none"),
    ],
)
def test_marks_that_stand_nowhere(tmp_path, change, said):
    marks = {"beats_record": [0, 1], "beats_at": [10, 20], "beats_symbol": ["N", "N"], **change}
    assert said in refused(saved(tmp_path / "a.npz", x=X, rate=100, **marks))


@pytest.mark.parametrize("length", [np.nan, 0, -3, 301, 20.5])
def test_lengths_that_none_can_have(tmp_path, length):
    told = refused(saved(tmp_path / "a.npz", x=X, rate=100, length=[300, length, 200, 300]))
    assert "record '2' has no such length" in told and "1 to the 300 samples" in told


def test_a_bare_array_needs_a_rate(tmp_path):
    np.save(tmp_path / "a.npy", X, allow_pickle=False)
    assert "tells no sampling rate" in refused(tmp_path / "a.npy")
    made, _ = read_all([tmp_path / "a.npy"], ReadOptions(declared={"signal": {"rate": 100, "leads": ["I", "II"]}}))
    assert len(made) == 4 and [lead.name for lead in made.recordings[0].leads] == ["I", "II"]
    assert output_name([tmp_path / "a.npy"]) == "synthetic.npz"


def test_axes_that_may_stand_either_way(tmp_path):
    square = X[:, :, :2]
    path = saved(tmp_path / "a.npz", x=square, rate=100)
    assert "may be either way" in refused(path) and 'layout = "leads x samples"' in refused(path)
    (first, *_) = read(path, Said(layout=LAST))
    assert (first.recording.values() == square[0]).all()


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    path = saved(tmp_path / "a.npz", x=X.astype(str), rate=0, age=np.arange(3))
    told = refused(path)
    assert "x is 4 x 2 x 300 of" in told and "sampling rate 0 Hz" in told and "age is 3" in told


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken"])
def test_a_broken_file(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    assert "'a.npz' cannot be read" in refused(tmp_path / "a.npz")


def test_pickled_objects_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([{}, []], dtype=object))
    assert "holds Python objects" in refused(tmp_path / "a.npz")


def test_without_an_array(tmp_path):
    assert "no array 'x'" in refused(saved(tmp_path / "a.npz", age=np.arange(3)))


def test_a_file_is_whole_or_not_there(tmp_path):
    def chunks():
        yield recordings(2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        writing.write(chunks(), tmp_path / "synthetic.npz")
    assert list(tmp_path.iterdir()) == []
