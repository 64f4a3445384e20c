"""Folders, manifests and files: what they hold, and every way in which they do not."""

from __future__ import annotations

import contextlib

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import DataError, SemblanceError, UsageError
from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.modalities.signal.declare import Said
from semblance.modalities.signal.gather import each, gather, kind_of
from semblance.modalities.signal.read import like, read
from semblance.modalities.signal.write import write
from tests.modalities.signal.made import recordings, wave

COLUMNS = {"time": np.arange(300) / 100, "I": wave()[:, 0]}


@pytest.fixture
def folder(tmp_path):
    """Three tables of one recording each, in a folder of their own."""
    (tmp_path / "data").mkdir()
    for name in "abc":
        pd.DataFrame(COLUMNS).to_csv(tmp_path / "data" / f"{name}.csv", index=False)
    return tmp_path


def manifest(folder, name="all.csv", **columns):
    table = pd.DataFrame({"path": [f"data/{n}.csv" for n in "abc"], **columns})
    path = folder / name
    table.to_parquet(path) if name.endswith("parquet") else table.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("name", ["all.csv", "all.parquet"])
def test_a_manifest_says_more(folder, name):
    path = manifest(folder, name, subject=[1, 2, 1], label=["x", "y", "x"], height=[1.8, 1.7, 1.8])
    made, profile = read([path], ReadOptions())
    assert made.subjects.tolist() == [0, 1, 0] and profile.patients == 2
    assert [(c.name, c.role) for c in made.schema] == [
        ("subject", "subject"),
        ("label", "target"),
        ("height", "feature"),
    ]
    assert made.frame["height"].tolist() == [1.8, 1.7, 1.8]


@pytest.mark.parametrize("name", ["subject", "Subject", "PatientID", "patient id", "mrn"])
@pytest.mark.parametrize("cells", [["Smith", "", "Smith"], ["Smith", "nan", "Jones"]])
def test_a_patient_of_whom_only_some_recordings_are_is_never_learned(folder, name, cells):
    """One empty cell once made it a category: a patient stood on both sides, and names were drawn and written."""
    with pytest.raises(DataError, match=f"column '{name}': record 'b' names no patient"):
        read([manifest(folder, **{name: cells})], ReadOptions())
    made, profile = read([manifest(folder, **{name: ["Smith", "Jones", "Smith"]})], ReadOptions())
    assert made.schema.where("subject").name == name and profile.patients == 2 and not made.schema.learned


def test_further_recordings_name_all_their_patients(folder):
    schema = read([manifest(folder, subject=[1, 2, 1])], ReadOptions())[0].schema
    with pytest.raises(DataError, match="record 'b' names no patient"):
        like([manifest(folder, subject=["1", "", "1"])], schema)
    assert like([folder / "data" / "a.csv"], schema).subjects.tolist() == [0]


def test_one_of_two_columns_of_patients_is_enough(folder):
    made, profile = read([manifest(folder, MRN=["1", "", "1"], subject=[1, 2, 1])], ReadOptions())
    assert made.schema.where("subject").name == "subject" and not made.schema.learned
    assert [(plan.name, plan.action) for plan in profile.fields if plan.unclear] == [("MRN", "drop")]


def test_comments_of_headers_may_name_patients(tmp_path):
    wfdb = pytest.importorskip("wfdb")
    for name, comments in (("a", ["Patient ID: 7"]), ("b", ["Patient ID: 8"]), ("c", []), ("d", ["Patient ID: 7"])):
        said = {"p_signal": wave()[:, :1].astype(float), "fmt": ["16"], "comments": comments}
        wfdb.wrsamp(name, 100, ["mV"], ["I"], write_dir=str(tmp_path), **said)
    made, profile = read([tmp_path], ReadOptions())
    assert made.subjects.tolist() == [0, 1, 2, 0] and not made.schema.learned
    assert "no patient is named in c: each counts as a patient of its own" in profile.notes


def test_other_names_are_named(folder):
    path = manifest(folder, who=[1, 2, 1], what=["x", "y", "x"])
    made, _ = read([path], ReadOptions(subject="who", target="what"))
    assert made.schema.where("subject").name == "who" and made.schema.where("target").name == "what"


def test_a_manifest_in_the_folder_lists_its_recordings(folder):
    pd.DataFrame({"path": ["a.csv", "c.csv"], "age": [50, 60]}).to_csv(folder / "data" / "manifest.csv", index=False)
    made, _ = read([folder / "data"], ReadOptions())
    assert [one.name for one in made.recordings] == ["a", "c"] and made.frame["age"].tolist() == [50, 60]


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ("file,label\na.edf,ill\n", "'manifest.csv' has the columns file, label"),
        ("path;label\na.edf;ill\n", "'manifest.csv' has semicolons between its columns"),
        ("a.edf,Jones\nb.edf,Smith\n", "'manifest.csv' has no header"),
        ("a,Jones.EDF\n", "'manifest.csv' has no header"),
        ("", "'manifest.csv' is empty"),
    ],
)
@pytest.mark.parametrize("read", [lambda paths: gather(paths, Said()), lambda paths: each(paths, Said())])
def test_a_manifest_without_paths_is_told(tmp_path, read, table, found):
    """It once was dropped without a word, and with it who is whose patient."""
    pytest.importorskip("pyedflib")
    made = write([recordings(2, fmt="edf")], tmp_path / "synthetic")
    (made / "manifest.csv").write_text(table)
    for path in (made, made / "manifest.csv"):
        with pytest.raises(DataError) as told:
            read([path])
        assert [problem.found for problem in told.value.problems] == [found]
        assert "a column 'path'" in told.value.problems[0].rule


def test_other_tables_beside_recordings_are_no_manifest(tmp_path):
    pytest.importorskip("pyedflib")
    made = write([recordings(2, fmt="edf")], tmp_path / "synthetic")
    (made / "manifest.csv").unlink(missing_ok=True)
    (made / "outcomes.csv").write_text("record,died\na,0\nb,1\n")
    assert len(gather([made], Said())[0]) == 2


def test_several_paths_are_one_set(folder):
    found, given, _ = gather([folder / "data" / "a.csv", folder / "data" / "b.csv"], Said())
    assert [one.recording.name for one in found] == ["a", "b"] and given == []


def test_every_file_that_is_not_there_is_told(folder):
    path = manifest(folder)
    path.write_text("path\ndata/a.csv\ndata/x.csv\ndata/y.csv\n")
    with pytest.raises(DataError) as told:
        gather([path], Said())
    assert [problem.row for problem in told.value.problems] == [2, 3]


def test_every_broken_recording_is_told(folder):
    (folder / "data" / "a.csv").write_text("time,I\n0,1\n0.01,2\n0.005,1\n")
    (folder / "data" / "c.csv").write_text("")
    with pytest.raises(DataError) as told:
        gather([manifest(folder)], Said())
    assert "record 'a': time does not go on" in str(told.value) and "'c.csv' cannot be read" in str(told.value)


def test_names_are_unique(folder):
    (folder / "a.csv").write_bytes((folder / "data" / "a.csv").read_bytes())
    with pytest.raises(DataError, match="several recordings have the name 'a'"):
        gather([folder / "a.csv", folder / "data" / "a.csv"], Said())


def test_paths_that_are_none(tmp_path):
    with pytest.raises(UsageError, match="no file"):
        gather([tmp_path / "x.hea"], Said())
    with pytest.raises(UsageError, match="no paths"):
        gather([], Said())
    with pytest.raises(DataError, match="holds no recording"):
        gather([tmp_path], Said())
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(UsageError, match=r"'a.txt' is no known kind of recording"):
        gather([tmp_path / "a.txt"], Said())


def test_a_set_has_one_format(tmp_path):
    for name in ("a.hea", "b.edf"):
        (tmp_path / name).write_text("a 1 100 100\n")
    with pytest.raises(DataError, match=r"files of the formats \.edf, \.hea"):
        kind_of([tmp_path])


def test_an_empty_manifest(tmp_path):
    (tmp_path / "m.csv").write_text("path,age\n")
    with pytest.raises(DataError, match="the manifest is empty"):
        gather([tmp_path / "m.csv"], Said())


FORMATS = {
    "16": "synthetic",
    "edf": "synthetic",
    "dicom 1.2.840.10008.5.1.4.1.1.9.1.1": "synthetic",
    "leads x samples": "synthetic.npz",
    "wide": "synthetic.csv",
    "long": "synthetic.parquet",
}


def damaged(raw, rng):
    """The bytes with some near the beginning changed, or without their end."""
    made = bytearray(raw)
    if rng.random() < 0.3:
        return bytes(made[: rng.integers(len(made))])
    for place in rng.integers(0, min(len(made), 1500), 3):
        made[place] = rng.choice(list(b"0123456789 -./\n,\0\xff"))
    return bytes(made)


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_damaged_is_refused_in_words(tmp_path, fmt, seed):
    for package in ("wfdb", "pyedflib", "pydicom"):
        pytest.importorskip(package)
    rng, path = stream(seed, "damage", fmt), write([recordings(2, fmt=fmt)], tmp_path / FORMATS[fmt])
    (path / "manifest.csv").unlink(missing_ok=True) if path.is_dir() else None
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    file = files[rng.integers(len(files))]
    file.write_bytes(damaged(file.read_bytes(), rng))
    with contextlib.suppress(SemblanceError):
        read([path], ReadOptions())
