"""What is written as a table is read again, and pandas reads it as anybody would."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.io import arff

from semblance.core.errors import DataError
from semblance.modalities.signal import write as writing
from semblance.modalities.signal.data import Lead, Marks, Recordings
from semblance.modalities.signal.formats.tables import rounded
from semblance.modalities.signal.read import like
from tests.modalities.signal.made import recordings, same_marks


def with_unit(made, unit):
    ones = [replace(r, leads=tuple(replace(lead, unit=unit) for lead in r.leads)) for r in made.recordings]
    return Recordings(made.schema, made.frame, tuple(ones), made.subjects)


@pytest.mark.parametrize("fmt", ["wide", "long"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".arff"])
@pytest.mark.parametrize("unit", ["uV", ""])
def test_a_round_trip_changes_nothing(tmp_path, fmt, suffix, unit):
    made = with_unit(recordings(fmt=fmt), unit)
    chunks = [made.take(np.array([0])), made.take(np.array([1, 2]))]
    again = like([writing.write(chunks, tmp_path / f"synthetic{suffix}")], made.schema)
    assert again.frame.astype(str).equals(made.frame.astype(str))
    for one, other in zip(made.recordings, again.recordings, strict=True):
        np.testing.assert_allclose(one.values(), other.values(), atol=1e-6)
        assert same_marks(one.beats, other.beats) and same_marks(one.states, other.states)
        assert (other.rate, other.name) == (one.rate, one.name)
        assert [(x.name, x.unit, x.fmt) for x in other.leads] == [(x.name, x.unit, x.fmt) for x in one.leads]


def test_the_columns_of_a_wide_table(tmp_path):
    path = writing.write([recordings(2, fmt="wide")], tmp_path / "synthetic.csv")
    frame = pd.read_csv(path)
    assert list(frame) == ["record", "time", "I [mV]", "II [mV]", "beat", "state", "age", "sex"]
    assert len(frame) == 600 and frame["time"].max() == 2.99


def test_the_columns_of_a_long_table(tmp_path):
    path = writing.write([recordings(2, fmt="long")], tmp_path / "synthetic.parquet")
    frame = pd.read_parquet(path)
    assert list(frame)[:5] == ["record", "time", "lead", "value", "unit"] and len(frame) == 1200


def test_another_library_reads_the_arff(tmp_path):
    path = writing.write([recordings(1, fmt="wide")], tmp_path / "synthetic.arff")
    text = path.read_text().replace(" string\n", " {r0,N,V,A,AFIB,'',male,female}\n")
    data, meta = arff.loadarff(io.StringIO(text))
    assert len(data) == 300 and meta.names()[:2] == ["record", "time"]


def test_marks_of_a_kind_that_the_first_chunk_has_not(tmp_path):
    made = recordings(2, fmt="wide")
    bare = replace(made.recordings[0], beats=Marks())
    first = Recordings(made.schema, made.frame[:1], (bare,), made.subjects[:1])
    with pytest.raises(DataError, match="record 'r1' has marks of a new kind"):
        writing.write([first, made.take(np.array([1]))], tmp_path / "synthetic.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("gain", "told"), [(100.0, 0.12), (200.0, 0.123), (1.0, 0.0)])
def test_a_value_has_the_decimals_of_its_lead(gain, told):
    assert rounded(np.array([0.1234]), Lead("I", gain=gain)).tolist() == [told]
