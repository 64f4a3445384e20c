"""Beats that nobody has marked: found where there is a heart, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.errors import UsageError
from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.modalities.signal.data import Marks
from semblance.modalities.signal.declare import Said
from semblance.modalities.signal.detect import detected
from semblance.modalities.signal.found import Found
from semblance.modalities.signal.public import undeclared
from semblance.modalities.signal.read import read
from tests.modalities.signal.made import recording
from tests.modalities.signal.simulated import recordings


def bare(one):
    return Found(replace(one, beats=Marks(), states=Marks()))


def test_beats_are_found_where_they_were_marked():
    pytest.importorskip("neurokit2")
    ones = recordings(4, 3).recordings
    made, notes = detected([bare(one) for one in ones])
    for one, other in zip(ones, made, strict=True):
        at = other.recording.beats.at
        inner = one.beats.at[2:-2]
        apart = np.abs(inner[:, None] - at).min(1) / one.rate
        assert (apart < 0.1).mean() > 0.95 and len(at) < 1.1 * len(one.beats)
        assert set(other.recording.beats.symbol) == {"N"}
    assert notes[0].endswith("beats of 4 recordings are found by NeuroKit2, and taken to be normal")


def test_marked_beats_stay_and_noise_has_none():
    pytest.importorskip("neurokit2")
    noise = stream(0, "noise").normal(size=(300, 2)).astype(np.float32)
    still = Found(recording("c", values=np.full((300, 2), np.nan, np.float32), beats=Marks()))
    marked, other = Found(recording("a")), Found(recording("b", values=noise * 0, beats=Marks()))
    made, notes = detected([marked, other, still])
    assert made[0] is marked and notes == ["no beats are found in b, c"]


def test_a_schema_file_asks_for_it(tmp_path):
    pytest.importorskip("neurokit2")
    ones = recordings(3, 3).recordings
    shortest = min(one.length for one in ones)
    x = np.stack([one.values()[:shortest].T for one in ones])
    np.savez(tmp_path / "a.npz", x=x, rate=ones[0].rate)
    made, profile = read([tmp_path / "a.npz"], ReadOptions(declared={"signal": {"beats": "detect"}}))
    assert all(len(one.beats) for one in made.recordings)
    assert any("found by NeuroKit2" in note for note in profile.notes)
    _, plain = read([tmp_path / "a.npz"], ReadOptions())
    assert any('[signal] beats = "detect"' in note for note in plain.notes)
    with pytest.raises(UsageError, match="'detect'"):
        read([tmp_path / "a.npz"], ReadOptions(declared={"signal": {"beats": "guess"}}))


def test_under_differential_privacy_beats_are_marked():
    assert "beats are to be detected" in {problem.found for problem in undeclared(Said(beats="detect"))}


def test_without_neurokit_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "neurokit2", None)
    with pytest.raises(UsageError, match=r"pip install .semblance\[signal\]"):
        detected([bare(recording("a"))])
