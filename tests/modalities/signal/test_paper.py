"""Strips on paper: what a file holds is what is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance.modalities.signal.paper import SECONDS, strips
from tests.modalities.signal import simulated


def shown(real, made):
    return strips({"real": real, "synthetic": made}, 0)["panels"]


def spoilt(pieces):
    """The same pieces of recordings whose baseline climbs and has a seam, and a quarter of a second without values."""

    def values(one):
        made = one.values() + np.linspace(0, 3, one.length)[:, None]
        made[one.length // 2 :] += 1
        made[one.length // 2 - 31 : one.length // 2 + 31] = np.nan
        return made.astype(np.float32)

    ones = tuple(replace(one, values=lambda one=one: values(one)) for one in pieces.recordings)
    return replace(pieces, recordings=ones)


def test_a_strip_is_a_stretch_of_the_file_with_baseline_seam_and_gap():
    made = spoilt(simulated.pieces(4, 2))
    for panel in (one for one in shown(made, made) if one["title"] == "synthetic"):
        line = np.array(panel["lines"][0]["y"], dtype=float)
        assert any(_holds(one.values()[:, 0], line) for one in made.recordings)
        assert np.isnan(line).sum() in range(29, 32)


def _holds(values, line):
    """Whether a recording at twice the rate has the line in it, but for a constant."""
    for part in (values[::2], values[1::2]):
        windows = np.lib.stride_tricks.sliding_window_view(part, len(line))
        if (np.nanmax(windows - line, 1) - np.nanmin(windows - line, 1)).min(initial=9) < 1e-3:
            return True
    return False


def test_a_strip_marks_its_beats_at_their_peaks():
    for panel in shown(simulated.pieces(12, 1), simulated.pieces(12, 3)):
        line = np.array(panel["lines"][0]["y"])
        assert len(line) * panel["step"] <= SECONDS + panel["step"]
        assert panel["paper"] == {"x": 0.04, "y": 0.1}
        for mark in panel["marks"][1:-1]:
            around = line[max(int(mark["x"] / panel["step"]) - 6, 0) :][:13]
            assert np.abs(around - np.median(line)).max() > 0.3


def test_a_lead_that_was_never_measured_has_a_line_without_values():
    pieces = simulated.pieces(3, 1)
    none = np.full((3000, 2), np.nan, np.float32)
    none[:, 0] = 5
    lost = replace(pieces, recordings=tuple(replace(one, values=none.copy, length=3000) for one in pieces.recordings))
    first, second = shown(lost, lost)[0]["lines"]
    assert set(first["y"]) == {0.0} and set(second["y"]) == {None}


def test_without_recordings_there_is_no_strip():
    bare = replace(simulated.pieces(3, 1), recordings=())
    assert shown(bare, bare) == []
    assert shown(simulated.windows(3, 1), simulated.windows(3, 2))[0]["y"] == "uV"
