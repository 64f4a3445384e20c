"""Pictures: positions by hand, and every one of them well-formed."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from semblance.app.figures import Axis, Threshold, bars, heat_map, histogram, interval_plot, shade, short
from semblance.core.estimate import Estimate

CELLS = [{"label": "a<b", "train": 0.5, "synthetic": 0.25}, {"label": "c&d", "train": 0.5, "synthetic": 0.75}]


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def test_an_axis_maps_its_ends_to_the_pads() -> None:
    axis = Axis(0.0, 1.0, 300)
    assert (axis.x(0), axis.x(0.5), axis.x(1), axis.x(-9), axis.x(9)) == (10, 150, 290, 10, 290)


def test_dot_interval_control_and_floor_stand_in_order() -> None:
    svg = parsed(interval_plot(Estimate(0.2, 0.1, 0.3), control=Estimate(0.05, 0, 0.1), floor=Estimate(0.9, 0.8, 1)))
    dot = float(next(e for e in svg if e.get("class") == "dot").get("cx", ""))
    bar = next(e for e in svg if e.get("class") == "interval")
    control = float(next(e for e in svg if e.get("class") == "control").get("x1", ""))
    floor = float(next(e for e in svg if e.get("class") == "floor").get("points", "").split(",")[0])
    assert control < float(bar.get("x1", "")) < dot < float(bar.get("x2", "")) < floor
    assert "real against real 0.050" in svg.get("aria-label", "")


def test_zones_end_at_their_thresholds_on_the_good_side() -> None:
    zones = [Threshold("public", 0.1, True), Threshold("controlled", 0.2, True)]
    svg = parsed(interval_plot(Estimate(0.05, 0, 0.1), thresholds=zones))
    ends = {e.get("class"): float(e.get("x", "")) + float(e.get("width", "")) for e in svg if e.tag == "rect"}
    assert ends["zone public"] < ends["zone controlled"]
    svg = parsed(interval_plot(Estimate(0.9, 0.8, 1), thresholds=[Threshold("public", 0.8, False)], better="higher"))
    (zone,) = [e for e in svg if e.tag == "rect"]
    assert float(zone.get("x", "")) + float(zone.get("width", "")) == pytest.approx(290, abs=0.2)


@pytest.mark.parametrize("value", [0.0, 0.5, -1e-9, 1e6])
def test_a_single_point_is_a_plot_too(value: float) -> None:
    svg = interval_plot(Estimate(value, value, value))
    assert "nan" not in svg and "inf," not in svg
    parsed(svg)


def test_bars_and_histograms_escape_and_scale() -> None:
    assert 'aria-label="Age: ' in bars(CELLS, name="Age") and 'aria-label="Age: ' in histogram(CELLS, name="Age")
    for picture in (histogram(CELLS), bars(CELLS)):
        tree = parsed(picture)
        titles = [e.text for e in tree.iter("title")]
        assert titles == ["a<b: real 50.0%, synthetic 25.0%", "c&d: real 50.0%, synthetic 75.0%"]
    wide = [float(e.get("width", "")) for e in parsed(bars(CELLS)).iter("rect")]
    assert wide == [88.0, 44.0, 88.0, 132.0]


def test_many_categories_are_cut_and_none_is_no_crash() -> None:
    assert "and 4 more" in bars([CELLS[0]] * 12)
    parsed(bars([]))
    parsed(histogram([]))
    parsed(histogram([{"label": "any value", "train": 0.0, "synthetic": 0.0}]))


@pytest.mark.parametrize("count", [2, 10, 64])
def test_a_heat_map_has_a_square_per_pair(count: int) -> None:
    names = [f"column {i}" for i in range(count)]
    matrix = [[0.004 * (i + j) for j in range(count)] for i in range(count)]
    tree = parsed(heat_map(names, matrix))
    assert len(list(tree.iter("rect"))) == count * (count - 1) // 2
    assert re.search(r"column 1 and column 0: 0\.004", "".join(tree.itertext()))


def test_shades_step_at_their_edges() -> None:
    assert [shade(v) for v in (0, 0.0099, 0.01, 0.05, 0.25, 1)] == [0, 0, 1, 3, 6, 6]


def test_labels_are_cut() -> None:
    assert short("abcdef", 4) == "abc…" and short("abc", 4) == "abc"
