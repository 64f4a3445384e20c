"""Writing: whole or not at all, under names that do for files, and nothing of the input but its format."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from semblance.core.errors import DataError, UsageError
from semblance.core.schema import Column, Schema
from semblance.modalities.signal.data import Recordings
from semblance.modalities.signal.write import write
from tests.modalities.signal.made import SCHEMA, recordings


def named(*names):
    made = recordings(len(names))
    some = tuple(replace(one, name=name) for one, name in zip(made.recordings, names, strict=True))
    return Recordings(made.schema, made.frame, some, made.subjects)


@pytest.mark.parametrize("fmt", ["16", "edf", "dicom"])
def test_a_folder_is_whole_or_not_there(tmp_path, fmt):
    pytest.importorskip("wfdb")

    def chunks():
        yield recordings(2, fmt=fmt)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write(chunks(), tmp_path / "synthetic")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_takes_the_place_of_an_older_one(tmp_path):
    pytest.importorskip("wfdb")
    write([recordings(3)], tmp_path / "synthetic")
    write([recordings(1)], tmp_path / "synthetic")
    held = sorted(path.name for path in (tmp_path / "synthetic").iterdir())
    assert held == ["manifest.csv", "r0.atr", "r0.dat", "r0.hea"]


def test_a_manifest_tells_what_is_known(tmp_path):
    pytest.importorskip("wfdb")
    made = recordings(2)
    schema = Schema((Column("pid", "identifier", "subject"), Column("skip", "text", "drop"), *SCHEMA.columns))
    some = Recordings(schema, made.frame, made.recordings, made.subjects)
    table = pd.read_csv(write([some], tmp_path / "synthetic") / "manifest.csv")
    assert list(table) == ["path", "pid", "age", "sex"]
    assert table["path"].tolist() == ["r0.hea", "r1.hea"] and table["pid"].tolist() == [1, 2]


@pytest.mark.parametrize("names", [("a", "a"), ("a", "../b"), ("a", "b.c")])
def test_names_do_for_files(tmp_path, names):
    with pytest.raises(DataError, match="the name"):
        write([named(*names)], tmp_path / "synthetic.npz")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written(tmp_path):
    with pytest.raises(UsageError, match="nothing to write"):
        write([], tmp_path / "synthetic")
    with pytest.raises(UsageError, match=r"'synthetic.txt' as output"):
        write([recordings(1)], tmp_path / "synthetic.txt")
