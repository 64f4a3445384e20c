from __future__ import annotations

import json

import numpy as np
import pytest

from semblance.catalog import modality
from semblance.core.dataset import Evidence
from semblance.modalities.signal.pictures import pictures
from tests.modalities.signal import simulated


def evidence(made) -> Evidence:
    real = simulated.pieces(12, 1)
    return Evidence(real, simulated.pieces(4, 2), made, modality("signal"))


@pytest.fixture(scope="module")
def shown():
    return {picture["title"]: picture for picture in pictures(evidence(simulated.pieces(12, 3)))}


def test_beats_are_shown_as_strips_averages_spectra_and_rhythms(shown):
    assert set(shown) == {"Strips", "Average pieces", "Spectra", "Rhythm", "Intervals", "Intervals in pairs"}
    assert json.loads(json.dumps(shown, allow_nan=False))
    for title in ("Strips", "Rhythm"):
        assert {panel["title"].split(",")[0] for panel in shown[title]["panels"]} == {"real", "synthetic"}


def test_averages_stand_beside_each_other_with_bands_of_four_in_five(shown):
    for panel in shown["Average pieces"]["panels"]:
        assert [line["role"] for line in panel["lines"]] == ["real", "synthetic"]
        for line in panel["lines"]:
            assert (np.array(line["low"]) <= np.array(line["y"])).all()
            assert (np.array(line["y"]) <= np.array(line["high"])).all()


def test_the_time_of_average_beats_begins_at_their_r_peak(shown):
    for panel in (one for one in shown["Average pieces"]["panels"] if one["title"].endswith("II")):
        line = np.array(panel["lines"][0]["y"])
        peak = panel["start"] + panel["step"] * np.abs(line - np.median(line)).argmax()
        assert peak == pytest.approx(0, abs=0.02)
    assert "R peak" in shown["Average pieces"]["note"]


def test_many_leads_all_have_their_average_and_spectrum_in_small_panels():
    many = Evidence(*(simulated.windows(30, seed, leads=8) for seed in (1, 2, 3)), modality("signal"))
    shown = {picture["title"]: picture["panels"] for picture in pictures(many)}
    for title in ("Average pieces", "Spectra"):
        assert [panel["title"] for panel in shown[title]] == [f"C{i}" for i in range(8)]
        assert all(panel["small"] for panel in shown[title])


def test_windows_are_shown_without_paper_and_rhythm():
    windows = Evidence(simulated.windows(20, 1), simulated.windows(6, 2), simulated.windows(20, 3), modality("signal"))
    shown = {picture["title"]: picture for picture in pictures(windows)}
    assert set(shown) == {"Strips", "Average pieces", "Spectra"}
    assert all(panel["paper"] is None for panel in shown["Strips"]["panels"])
    assert {panel["start"] for panel in shown["Average pieces"]["panels"]} == {0.0}
    assert "R peak" not in shown["Average pieces"]["note"]


def test_nothing_is_shown_where_there_is_nothing():
    assert pictures(evidence(simulated.pieces(3, 3).take(np.arange(0)))) == []


def test_few_pieces_have_no_average():
    few = simulated.pieces(3, 3).take(np.arange(5))
    assert "Average pieces" not in {picture["title"] for picture in pictures(evidence(few))}
