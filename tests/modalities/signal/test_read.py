"""Reading a set from end to end."""

from __future__ import annotations

import gzip
import sys
from dataclasses import replace

import numpy as np
import pytest

from semblance.core.errors import DataError, UsageError
from semblance.core.modality import ReadOptions
from semblance.modalities.signal import write as writing
from semblance.modalities.signal.data import Recordings
from semblance.modalities.signal.read import like, output_name, read
from tests.modalities.signal.made import recording, recordings, wave


def saved(path, *values, names=None, **others):
    np.savez(path, x=np.stack(values), rate=100, leads=names or ["I", "II"], allow_pickle=False, **others)
    return path


def test_the_profile_tells_leads_marks_and_facts(tmp_path):
    path = writing.write([recordings()], tmp_path / "synthetic.npz")
    made, profile = read([path], ReadOptions())
    assert [(plan.name, plan.role) for plan in profile.fields] == [
        ("I", "lead"),
        ("II", "lead"),
        ("beats", "marks"),
        ("states", "marks"),
        ("age", "feature"),
        ("sex", "feature"),
    ]
    assert profile.fields[2].kind == "beats, 2 symbols" and len(made) == 3
    left = [(plan.action, plan.suspicion) for plan in profile.fields if plan.role == "marks"]
    assert left == [("learn", ""), ("drop", "beats are learned instead")]
    assert profile.notes == (
        "beats: N is learned; V (3 patients): fewer than 5 patients, not learned",
        "each recording counts as one patient (a manifest table or --subject says otherwise)",
    )


def test_an_ecg_without_beats_is_told(tmp_path):
    """It was cut into windows, across its beats, without a word; of states that stand beside beats none is learned."""
    waves = [wave(3000, phase=i) for i in range(4)]
    _, profile = read([saved(tmp_path / "a.npz", *waves)], ReadOptions())
    (note,) = [note for note in profile.notes if "no beats" in note]
    assert note.startswith("no beats are marked: windows of 256 samples (2.56 s) are learned, and no rhythm")
    marks = {"beats_record": np.repeat([0, 1, 2], 30), "beats_at": np.tile(np.arange(30) * 90, 3)}
    marks |= {"beats_symbol": np.full(90, "N"), "states_record": [0], "states_at": [9], "states_symbol": ["AFIB"]}
    for rows, left in ((90, ["learn", "drop"]), (30, ["drop", "learn"])):
        some = {name: part[:rows] for name, part in marks.items()}
        _, profile = read([saved(tmp_path / "b.npz", *waves, **some)], ReadOptions())
        assert [plan.action for plan in profile.fields if plan.role == "marks"] == left
        assert any("no beats" in note for note in profile.notes) == (rows == 30)
    short = [wave(300, phase=i) for i in range(4)]
    assert not any("no beats" in n for n in read([saved(tmp_path / "c.npz", *short)], ReadOptions())[1].notes)


def beating(path, *values, every):
    """Recordings of 3000 samples with a beat every so many, or without any."""
    at = [np.arange(gap, 3000, gap) if gap else np.empty(0, dtype=int) for gap in every]
    marks = {"beats_record": np.repeat(np.arange(len(at)), [len(one) for one in at]), "beats_at": np.concatenate(at)}
    return saved(path, *values, beats_symbol=np.full(len(marks["beats_at"]), "N"), **marks)


def noted(path, word, **declared):
    """The notes of a set that hold a word."""
    return [note for note in read([path], ReadOptions(declared={"signal": declared}))[1].notes if word in note]


def test_recordings_that_teach_nothing_are_told(tmp_path):
    """Of MIT-BIH two lack a lead, and all that was told was that this is missing: 3,494 beats were not learned."""
    waves = [wave(3000, phase=i).T for i in range(5)]
    waves[1][1] = np.nan
    waves[2][0] = 0.5
    path = beating(tmp_path / "a.npz", *waves, every=[100, 100, 100, 100, 0])
    assert noted(path, "learned") == [
        "nothing of 5 is learned, as hardly a beat or none is marked there",
        "no beats of 2, 3 are learned, as a lead is missing there throughout",
    ]
    assert noted(saved(tmp_path / "b.npz", *waves), "as a lead") == [
        "no windows of 2, 3 are learned, as a lead is missing there throughout"
    ]
    assert noted(beating(tmp_path / "c.npz", *(waves[i] for i in (0, 3, 4)), every=[90] * 3), "learned") == []


def test_a_heart_at_another_rate_is_told(tmp_path):
    waves = [wave(3000, phase=i).T for i in range(4)]
    (note,) = noted(beating(tmp_path / "a.npz", *waves, every=[100, 90, 100, 240]), "rate")
    assert note == "beats are oddly near each other or far apart in 4 (2.4 s): the sampling rate may be wrong"


def test_what_is_wrong_with_a_schema_file_ends_it():
    with pytest.raises(UsageError, match="no key 'rat'"):
        read(["x"], ReadOptions(declared={"signal": {"rat": 1}}))


def test_every_recording_that_is_too_short_is_told(tmp_path):
    made = recordings(3)
    some = [recording(f"r{i}", values=wave(length)) for i, length in enumerate((1, 300, 50))]
    some[0] = replace(some[0], states=some[0].states.take(np.array([0])))
    path = writing.write([Recordings(made.schema, made.frame, tuple(some), made.subjects)], tmp_path / "s.npz")
    with pytest.raises(DataError) as told:
        read([path], ReadOptions())
    assert [problem.found for problem in told.value.problems] == [
        "record '1' has 1 sample at 100 Hz",
        "record '3' has 50 samples at 100 Hz",
    ]


def test_further_data_takes_the_leads_and_the_rate_that_it_is_told(tmp_path):
    made, _ = read([saved(tmp_path / "a.npz", wave().T, wave(phase=1).T)], ReadOptions())
    other = saved(tmp_path / "b.npz", wave().T, names=["II", "I"])
    again = like([other], made.schema, leads=["I", "II"], rate=50)
    assert [lead.name for lead in again.recordings[0].leads] == ["I", "II"] and again.recordings[0].rate == 50
    np.save(tmp_path / "c.npy", wave().T[None], allow_pickle=False)
    assert like([tmp_path / "c.npy"], made.schema, rate=100).recordings[0].rate == 100


@pytest.mark.parametrize(("suffix", "package"), [(".hea", "wfdb"), (".edf", "pyedflib"), (".dcm", "pydicom")])
def test_without_the_extra_the_error_says_how_to_install_it(tmp_path, monkeypatch, suffix, package):
    monkeypatch.setitem(sys.modules, package, None)
    (tmp_path / f"a{suffix}").write_text("a 1 100 100\n")
    with pytest.raises(UsageError) as told:
        read([tmp_path], ReadOptions())
    assert f"'{package}'" in str(told.value) and 'pip install "semblance[signal]"' in str(told.value)


@pytest.mark.parametrize(
    ("name", "output"),
    [("a.npz", "synthetic.npz"), ("a.npy", "synthetic.npz"), ("a.csv.gz", "synthetic.csv"), ("a.hea", "synthetic")],
)
def test_the_output_has_the_format_of_the_input(tmp_path, name, output):
    (tmp_path / name).write_bytes(b"")
    if name.endswith("gz"):
        (tmp_path / name).write_bytes(gzip.compress(b"time,I\n"))
    assert output_name([tmp_path / name]) == output


def test_kinds_of_beats_that_too_few_patients_have_are_told(tmp_path):
    """Where fewer than five patients have V, a model drew no single one, and nobody was told."""
    at = np.tile(np.arange(100, 3000, 100), 6)
    symbol = np.full((6, 29), "N")
    symbol[:3, 5], symbol[:2, 9], symbol[:1, 11] = "V", "A", "F"
    marks = {"beats_record": np.repeat(np.arange(6), 29), "beats_at": at, "beats_symbol": symbol.ravel()}
    path = saved(tmp_path / "a.npz", *(wave(3000, phase=i).T for i in range(6)), **marks)
    said = "beats: {} learned; {}: fewer than {} patients, not learned"
    assert [note for note in read([path], ReadOptions())[1].notes if "beats: " in note] == [
        said.format("N is", "V (3 patients), S (2 patients), F (1 patient)", 5)
    ]
    (note,) = [note for note in read([path], ReadOptions(rare=2))[1].notes if "beats: " in note]
    assert note == said.format("N, V, S are", "F (1 patient)", 2)
    assert not any("beats: " in note for note in read([path], ReadOptions(rare=1))[1].notes)
