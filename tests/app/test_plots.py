from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.app.plots import panel, pictures, ticks

LINE = {"name": "MLII", "role": "real", "y": [0.0, 1.0, 0.5, 0.25]}
OTHER = {"name": "V1", "role": "synthetic", "y": [0.1, -0.4, 0.0, 0.2], "low": [0, -1, -1, 0], "high": [1, 0, 1, 1]}
MARKS = [{"x": 0.04, "text": "V", "chosen": True}, {"x": 0.08, "text": "N"}]
STRIP = {"title": "real", "step": 0.04, "apart": True, "lines": [LINE, {**OTHER, "role": "real"}], "x": "seconds",
         "y": "mV", "marks": MARKS, "paper": {"x": 0.04, "y": 0.1}}  # fmt: skip
CURVES = {"title": "N, <V1>", "step": 1.0, "start": 1.0, "lines": [LINE, OTHER], "x": "Hz", "y": "dB"}


@pytest.mark.parametrize("told", [STRIP, CURVES])
def test_a_panel_is_a_picture_that_says_what_it_shows(told):
    drawn = panel(told)
    root = ElementTree.fromstring(str(drawn))
    assert root.tag == "svg"
    assert told["title"].split(",")[0] in root.attrib["aria-label"]
    assert "nan" not in str(drawn)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for points in re.findall(r'points="([^"]*)"', str(drawn)):
        for point in points.split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width and 0 <= y <= height


def test_a_line_has_the_class_of_its_side_and_a_band_where_it_has_one():
    drawn = str(panel(CURVES))
    assert drawn.count('class="trace other"') == 1
    assert drawn.count('class="trace made"') == 1
    assert drawn.count('class="spread made"') == 1
    assert "<V1>" not in drawn


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (-0.4, 0.62, ["\u22120.4", "\u22120.2", "0.0", "0.2", "0.4", "0.6"]),
        (0.977, 125.0, ["25", "50", "75", "100", "125"]),
        (-83.1, -18.4, ["\u221280", "\u221260", "\u221240", "\u221220"]),
        (0.0, 1.4, ["0.00", "0.25", "0.50", "0.75", "1.00", "1.25"]),
    ],
)
def test_the_numbers_of_an_axis_are_round(low, high, said):
    assert [text for _, text in ticks(low, high)] == said


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4))
def test_an_axis_has_three_to_seven_numbers_that_read_differently(low, span):
    made = ticks(low, low + span)
    assert 3 <= len({text for _, text in made}) == len(made) <= 7
    assert all(low - 1e-6 * span <= value <= low + span * (1 + 1e-6) for value, _ in made)


def test_a_line_stands_where_an_axis_passes_zero():
    def tall(told):
        return [a for a, b in re.findall(r'y1="([\d.]+)" y2="([\d.]+)"', str(panel(told))) if float(b) - float(a) > 9]

    assert len(tall({**CURVES, "start": -1.0})) == 1 and tall(CURVES) == []


@pytest.mark.parametrize("step", [0.01, 0.08, 1.0, 300.0])
def test_the_numbers_of_an_axis_differ_however_little_a_line_moves(step):
    drawn = str(panel({**CURVES, "lines": [{**LINE, "y": [0.7, 0.7 + step]}]}))
    ticks = re.findall(r'class="tick"[^>]*text-anchor="end">([^<]*)<', drawn)[:3]
    assert len(set(ticks)) == 3


def test_paper_has_a_pulse_of_one_unit_for_each_line_and_its_marks():
    drawn = str(panel(STRIP))
    assert drawn.count("trace pulse") == 2
    assert [re.findall(rf'class="([^"]*)"[^>]*>{letter}</text>', drawn) for letter in "VN"] == [
        ["name chosen"],
        ["tick"],
    ]
    foot, top = map(float, re.search(r'class="trace pulse" d="M[\d.]+ ([\d.]+)H[\d.]+V([\d.]+)', drawn).groups())
    small = re.search(r'class="paper small" d="([^"]*)"', drawn).group(1)
    rows = sorted({float(y) for y in re.findall(r"M40 ([\d.]+)H", small)})
    square = min(b - a for a, b in pairwise(rows))
    assert (foot - top) / square == pytest.approx(10, rel=0.05)


def test_dots_lie_where_both_axes_say_and_about_the_diagonal():
    told = {"title": "real", "role": "real", "ends": [0.2, 2.0], "points": [[0.2, 0.2], [2.0, 2.0], [0.2, 2.0]]}
    drawn = str(panel({**told, "x": "before", "y": "after"}))
    root = ElementTree.fromstring(drawn)
    dots = [list(map(float, at.split())) for at in re.findall(r"M([\d. ]+)h0", drawn)]
    first, last = (list(map(float, at)) for at in re.findall(r"[ML]([\d.]+) ([\d.]+)", drawn)[:2])
    assert dots == [first, last, [first[0], last[1]]] and last[0] - first[0] == pytest.approx(
        first[1] - last[1], abs=0.2
    )
    assert 'class="dots other"' in drawn and "3 dots" in root.attrib["aria-label"]


def test_lines_that_stand_apart_do_not_cross():
    drawn = str(panel(STRIP))
    first, second = (
        [float(p.split(",")[1]) for p in points.split()]
        for points in re.findall(r'<polyline class="trace other" points="([^"]*)"', drawn)
    )
    assert max(first) <= min(second)


def test_lines_of_a_row_stand_beside_each_other_and_rows_do_not_cross():
    cells = [{**LINE, "name": f"{row}{k}", "row": row, "start": 0.16 * k} for row in range(2) for k in range(3)]
    drawn = str(panel({**STRIP, "lines": cells, "marks": []}))
    lines = [
        [tuple(map(float, p.split(","))) for p in points.split()]
        for points in re.findall(r'<polyline class="trace other" points="([^"]*)"', drawn)
    ]
    assert all(a[-1][0] < b[0][0] for row in (lines[:3], lines[3:]) for a, b in pairwise(row))
    assert max(y for line in lines[:3] for _, y in line) <= min(y for line in lines[3:] for _, y in line)
    assert drawn.count("trace pulse") == 2 and all(f">{cell['name']}</text>" in drawn for cell in cells)


def test_a_small_panel_is_smaller():
    sizes = [ElementTree.fromstring(str(panel({**CURVES, "small": small}))).attrib for small in (True, False)]
    assert float(sizes[0]["width"]) < float(sizes[1]["width"]) and float(sizes[0]["height"]) < float(sizes[1]["height"])


def test_panels_of_one_range_have_one_scale():
    lines = [{**LINE, "y": [0.4, 0.5]}, {**LINE, "y": [0.4, 0.9]}]
    drawn = [str(panel({**CURVES, "lines": [line], "range": [0.3, 1.2]})) for line in lines]
    first, other = (re.search(r'points="[\d.]+,([\d.]+)', one).group(1) for one in drawn)
    assert first == other


def test_a_line_is_broken_where_nothing_was_measured():
    gap = {**LINE, "y": [0.0, 1.0, None, 0.5, 0.25]}
    none = {**LINE, "name": "V6", "y": [None] * 5}
    drawn = str(panel({**STRIP, "lines": [gap, none]}))
    assert [len(points.split()) for points in re.findall(r'points="([^"]*)"', drawn)] == [2, 2]
    assert ">V6</text>" in drawn


def test_all_pictures_keep_their_titles_and_notes():
    made = pictures([{"title": "Strips", "note": "some", "panels": [STRIP, CURVES]}])
    assert made[0]["title"] == "Strips"
    assert len(made[0]["plots"]) == 2


def test_a_png_is_shown_as_it_is_with_its_title():
    drawn = str(panel({"title": "a & b, real", "role": "real", "width": 80, "height": 40, "png": "aGk="}))
    root = ElementTree.fromstring(drawn)
    assert (root.attrib["width"], root.attrib["height"]) == ("80", "58")
    assert 'class="sheet other"' in drawn and "data:image/png;base64,aGk=" in drawn
