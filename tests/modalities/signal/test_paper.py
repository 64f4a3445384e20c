"""Strips on paper: what a file holds is what is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.modalities.signal.data import Lead
from semblance.modalities.signal.paper import SECONDS, STRIPS, strips
from tests.modalities.signal import simulated

SIDES = ("real", "synthetic")


def shown(real, made):
    return strips({"real": real, "synthetic": made}, 0)["panels"]


def spoilt(pieces):
    """The same pieces of recordings whose baseline climbs and has a seam, and a quarter of a second without values
    in every five."""

    def values(one):
        made = one.values() + np.linspace(0, 3, one.length)[:, None]
        made[one.length // 2 :] += 1
        made[np.arange(one.length) % 1250 < 62] = np.nan
        return made.astype(np.float32)

    ones = tuple(replace(one, values=lambda one=one: values(one)) for one in pieces.recordings)
    return replace(pieces, recordings=ones)


def test_a_strip_is_a_stretch_of_the_file_with_baseline_seam_and_gap():
    made = spoilt(simulated.pieces(4, 2))
    for panel in (one for one in shown(made, made) if "synthetic" in one["title"]):
        line = np.array(panel["lines"][0]["y"], dtype=float)
        assert any(_holds(one.values()[:, 0], line) for one in made.recordings)
        assert np.isnan(line).any()


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


def test_each_kind_of_beat_stands_in_the_middle_of_a_strip_of_each_side():
    real, made = simulated.pieces(12, 1), simulated.pieces(12, 3)
    panels = shown(real, made.take(made.labels != "F"))
    kinds = {role: [p["title"].removeprefix(f"{role}, ") for p in panels if role in p["title"]] for role in SIDES}
    assert set(kinds["real"]) == set(real.labels) and kinds["real"][0] == "N"
    assert set(kinds["synthetic"]) == {"N", "S", "V"} == set(made.labels) - {"F"}
    for panel in panels:
        (chosen,) = (mark for mark in panel["marks"] if mark["chosen"])
        assert panel["title"].endswith(f", {chosen['text']}")
        assert 0 <= chosen["x"] < SECONDS
    assert any(
        mark["x"] == pytest.approx(SECONDS / 2, abs=0.01) for p in panels for mark in p["marks"] if mark["chosen"]
    )


def test_hearts_of_one_kind_have_as_many_strips():
    pieces = simulated.pieces(12, 1)
    usual = pieces.take(pieces.labels == "N")
    assert [panel["title"] for panel in shown(usual, usual)] == ["real, N"] * STRIPS + ["synthetic, N"] * STRIPS


def twelve(n, seed, names):
    """Hearts of as many leads, each of which is the first lead times its number."""
    pieces = simulated.pieces(n, seed)
    scale, leads = np.arange(1, len(names) + 1, dtype=np.float32), tuple(map(Lead, names))

    def values(one):
        return one.values()[:, :1] * scale

    ones = tuple(replace(one, leads=leads, values=lambda one=one: values(one)) for one in pieces.recordings)
    waves = pieces.waves[:, :1] * scale[:, None]
    return replace(pieces, waves=waves, leads=leads, recordings=ones)


def test_twelve_leads_are_a_page_of_three_rows_and_a_lead_that_runs_through():
    names = ("V6", "I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5")
    made = twelve(6, 2, names)
    for panel in shown(made, made):
        grid = {(line["row"], round(line["start"] / 2.5)): line["name"] for line in panel["lines"][:12]}
        assert [[grid[row, column] for column in range(4)] for row in range(3)] == [
            ["I", "aVR", "V1", "V4"],
            ["II", "aVL", "V2", "V5"],
            ["III", "aVF", "V3", "V6"],
        ]
        *cells, through = panel["lines"]
        assert (through["name"], through["row"], through["start"]) == ("II", 3, 0.0)
        whole = np.array(through["y"]) / 3
        assert len(whole) * panel["step"] == pytest.approx(10, abs=0.02)
        for line in cells:
            first = round(line["start"] / panel["step"])
            part = np.array(line["y"]) / (1 + names.index(line["name"]))
            apart = part - whole[first : first + len(part)]
            assert np.ptp(apart) < 1e-3


def test_a_few_more_leads_fill_the_columns_in_their_own_order():
    made = twelve(4, 2, ("MCL1", "MLII", "V2", "V5", "ABP"))
    (*cells, through) = shown(made, made)[0]["lines"]
    assert [(line["name"], line["row"]) for line in cells] == [
        ("MCL1", 0), ("MLII", 1), ("V2", 0), ("V5", 1), ("ABP", 0)]  # fmt: skip
    assert (through["name"], through["row"]) == ("MCL1", 2)


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


def test_all_leads_of_other_signals_stand_above_each_other():
    panel = shown(simulated.windows(3, 1, leads=14), simulated.windows(3, 2, leads=14))[0]
    assert [line["name"] for line in panel["lines"]] == [f"C{i}" for i in range(14)]
    assert not any("row" in line for line in panel["lines"])
