"""Recordings read under declarations: all that lacks is told at once, and each is read by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semblance.core.errors import DataError, UsageError
from semblance.core.modality import ReadOptions
from semblance.modalities.signal.public import read
from semblance.modalities.signal.write import write
from tests.modalities.signal.simulated import recordings

pytest.importorskip("wfdb")
SIGNAL = {"rate": 250, "leads": ["II"], "units": "mV", "range": [-0.5, 0.5], "seconds": 8, "kinds": ["N", "V"]}
DECLARED: dict[str, Any] = {
    "cohort": {"id": "ecg", "n_public": 10},
    "signal": SIGNAL,
    "columns": {"age": {"kind": "integer", "min": 50, "max": 60}},
}


def said(**signal: Any) -> ReadOptions:
    return ReadOptions(declared={**DECLARED, "signal": {**SIGNAL, **signal}})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write([recordings(4, 7)], tmp_path / "ecg")


def test_what_is_declared_bounds_what_is_read(folder):
    data, profile = read([folder], said())
    assert data.schema.public and data.schema.n_public == 10 and profile.records == 4
    ones = [one.values() for one in data.recordings]
    assert max(abs(v).max() for v in ones) == 0.5 and {v.shape[1] for v in ones} == {1}
    assert data.frame["age"].between(50, 60).all()


def test_a_broken_recording_is_missing_and_changes_no_other(folder):
    before, _ = read([folder], said())
    broken = sorted(folder.glob("*.dat"))[1]
    broken.chmod(0o600)
    broken.write_bytes(broken.read_bytes()[:100])
    after, profile = read([folder], said())
    assert len(after) == 3 and profile.notes and after.schema == before.schema and after.public == before.public
    rest = [before.recordings[i] for i in (0, 2, 3)]
    assert all(np.array_equal(a.values(), b.values()) for a, b in zip(rest, after.recordings, strict=True))


@pytest.mark.parametrize("what", ['\n"', ",too,many,cells", f'"{"x" * 200_000}"'])
def test_a_line_of_a_manifest_changes_no_other(folder, what):
    names = sorted(file.stem for file in folder.glob("*.hea"))
    lines = ["path,subject,age", *(f"{name},{name},{50 + i}" for i, name in enumerate(names))]
    (folder / "manifest.csv").write_text("\n".join(lines))
    before, _ = read([folder], said())
    (folder / "manifest.csv").write_text("\n".join([lines[0], f"{lines[1]}{what}", *lines[2:]]))
    after, _ = read([folder], said())
    assert len(before) == 4 and before.frame["age"].tolist()[1:] == after.frame["age"].tolist()[-3:]
    pairs = zip(before.recordings[1:], after.recordings[-3:], strict=True)
    assert all(np.array_equal(a.values(), b.values()) for a, b in pairs)


@pytest.mark.parametrize("what", ["garbage", "another's samples", "a record of records"])
def test_a_header_never_reaches_another_patients_files(folder, what):
    """One that named another record as its segment once took that record's place."""
    before, _ = read([folder], said())
    header, other = sorted(folder.glob("*.hea"))[1:3]
    header.chmod(0o600)
    text = header.read_text()
    changed = {
        "garbage": "\x00\x01 nonsense\n" * 3,
        "another's samples": text.replace(f"{header.stem}.dat", f"{other.stem}.dat"),
        "a record of records": f"{header.stem}/1 2 250 2000\n{other.stem} 2000\n",
    }
    header.write_text(changed[what])
    after, _ = read([folder], said())
    rest = [before.recordings[i] for i in (0, 2, 3)]
    assert len(after) == 3
    assert all(np.array_equal(a.values(), b.values()) for a, b in zip(rest, after.recordings, strict=True))


def test_all_that_is_not_declared_is_told_at_once(folder):
    columns = {"age": {"kind": "integer"}, "sex": {}}
    with pytest.raises(UsageError) as refused:
        read([folder], ReadOptions(declared={"cohort": {"id": "e"}, "signal": {"leads": ["II"]}, "columns": columns}))
    told = str(refused.value)
    assert all(word in told for word in ("rate", "units", "range", "seconds", "kinds", "age", "sex"))


def test_another_rate_counts_as_missing_and_so_do_all(folder):
    with pytest.raises(DataError, match="as declared"):
        read([folder], said(rate=500))


def test_a_declared_rate_that_holds_no_waves_of_a_heart_is_told(tmp_path):
    whole = recordings(4, 7)
    slow = tuple(replace(one, rate=60.0) for one in whole.recordings)
    path = write([replace(whole, recordings=slow)], tmp_path / "slow")
    assert any("60 samples per second hold" in note for note in read([path], said(rate=60))[1].notes)


def test_recordings_are_of_the_patient_whom_they_name(folder):
    """One with many recordings would otherwise count as many patients, and the guarantee says patients."""
    names = sorted(file.stem for file in folder.glob("*.hea"))
    whose = ["p", "", "p", "q"]
    rows = [f"{name},{who},55" for name, who in zip(names, whose, strict=True)]
    (folder / "manifest.csv").write_text("\n".join(["path,patient_id,age", *rows]))
    data, profile = read([folder], said())
    assert data.subjects.tolist() == [0, 1, 0, 2] and profile.patients == 3
    assert any("4 recordings are of 3 patients" in note for note in profile.notes)
    rest, _ = read([folder / f"{name}.hea" for name in names], said())
    assert rest.subjects.tolist() == [0, 1, 2, 3]
    columns = {**DECLARED["columns"], "patient_id": {"role": "key"}}
    assert read([folder], ReadOptions(declared={**DECLARED, "columns": columns}))[1].patients == 4
