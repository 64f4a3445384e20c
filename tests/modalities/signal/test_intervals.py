"""Intervals as pictures: hand-made hearts say what must be seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.core.schema import Column, Schema
from semblance.modalities.signal.data import AFTER, BEFORE, Lead, Pieces
from semblance.modalities.signal.intervals import BIN, DOTS, ENDS, intervals

SCHEMA = Schema((Column("beat", "categorical", "target"), Column(BEFORE, "numeric"), Column(AFTER, "numeric")))


def hearts(*rows, kinds=None):
    """Beats without waves: a row of intervals for each recording."""
    gaps = [np.asarray(row, dtype=float) for row in rows]
    before = np.concatenate([row[:-1] for row in gaps])
    after = np.concatenate([row[1:] for row in gaps])
    source = np.repeat(np.arange(len(gaps)), [len(row) - 1 for row in gaps])
    labels = np.full(len(before), "N") if kinds is None else np.concatenate(kinds)
    frame = pd.DataFrame({"beat": pd.Categorical(labels), BEFORE: before, AFTER: after})
    waves = np.zeros((len(before), 1, 4), np.float32)
    return Pieces(SCHEMA, frame, waves, 250.0, (Lead("II"),), source, source)


def shown(real, made):
    return {one["title"]: one["panels"] for one in intervals({"real": real, "synthetic": made}, 0)}


def swaying(hertz, n=400, level=0.8):
    """A heart that swings at a frequency."""
    at, gaps = 0.0, []
    for _ in range(n):
        gaps.append(level + 0.05 * np.sin(2 * np.pi * hertz * at))
        at += gaps[-1]
    return gaps


def test_a_spectrum_has_its_peak_where_the_heart_sways():
    (panel,) = shown(hearts(swaying(0.25)), hearts(swaying(0.1)))["Spectrum of the heart rate"]
    for line, hertz in zip(panel["lines"], (0.25, 0.1), strict=True):
        assert panel["start"] + panel["step"] * int(np.argmax(line["y"])) == pytest.approx(hertz, abs=panel["step"])


def test_intervals_are_counted_where_they_are_and_each_recording_counts_alike():
    (panel,) = shown(hearts(np.full(1000, 0.8), np.full(20, 1.2)), hearts(np.full(50, 0.6)))["Intervals"]
    real, made = (np.array(line["y"]) for line in panel["lines"])
    at = panel["start"] + panel["step"] * np.arange(len(real))
    assert real.sum() == pytest.approx(1, abs=1e-3) and made[np.abs(at - 0.6) < BIN].sum() == pytest.approx(1)
    assert real[np.abs(at - 0.8) < BIN].sum() == pytest.approx(0.5) == real[np.abs(at - 1.2) < BIN].sum()


def test_rhythms_of_both_sides_are_on_one_scale_and_intervals_are_named():
    told = shown(hearts([0.8] * 20, [1.0] * 20), hearts([0.5, 0.9] * 10))
    assert [panel["range"] for panel in told["Rhythm"]] == [[0.5, 1.0]] * 3
    assert {(panel["x"], panel["y"]) for panel in told["Rhythm"]} == {("beats", "RR (s)")}
    assert {(panel["x"], panel["y"]) for panel in told["Intervals in pairs"]} == {("RR (s)", "next RR (s)")}


def test_an_early_beat_stands_left_of_the_diagonal_with_its_pause_above():
    early = [0.8] * 10 + [0.5, 1.1] + [0.8] * 10
    real, made = shown(hearts(early), hearts([0.8] * 22))["Intervals in pairs"]
    assert [0.5, 1.1] in real["points"] and [0.8, 0.5] in real["points"]
    assert {tuple(point) for point in made["points"]} == {(0.8, 0.8)}
    assert (real["role"], made["role"]) == ("real", "synthetic")


def test_many_beats_of_one_recording_push_no_other_out():
    (real, _) = shown(hearts(np.full(5000, 0.5), np.full(301, 1.0)), hearts([0.8] * 9))["Intervals in pairs"]
    points = np.array(real["points"])
    assert len(points) == DOTS and (points[:, 0] == 1.0).sum() == 300
    far = np.array(shown(hearts([9.0] * 9), hearts([0.8] * 9))["Intervals in pairs"][0]["points"])
    assert far.max() == ENDS[1]


def test_what_too_few_beats_cannot_tell_is_not_shown():
    told = shown(hearts([0.8] * 3), hearts([0.8] * 3))
    assert all(panels == [] for panels in told.values())
    short = shown(hearts([0.8] * 50), hearts([0.8] * 50))
    assert short["Spectrum of the heart rate"] == [] and len(short["Intervals"]) == 1
    none = hearts([0.8] * 50, kinds=[np.full(49, "V")])
    assert shown(none, none)["Intervals"] == []
