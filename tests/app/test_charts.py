"""Charts: positions by hand, alternative text, and no picture that breaks on odd numbers."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from semblance.app import charts
from tests.app.rich import attacks, projection, survival, terms


def parsed(svg: str) -> ElementTree.Element:
    assert "nan" not in svg and "inf" not in svg.replace("inference", "")
    return ElementTree.fromstring(svg)


def corners(element: ElementTree.Element) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (p.split(",") for p in element.get("points", "").split())]


def test_a_guess_lies_on_the_diagonal_of_the_log_axes() -> None:
    rates = [10**-k for k in (4, 3, 2, 1, 0)]
    guess = {"name": "a", "title": "A", "curve": [[r, r] for r in rates]}
    svg = parsed(charts.roc([guess], []))
    points = corners(next(e for e in svg.iter("polyline")))
    left, base = points[0]
    assert all(x - left == pytest.approx(base - y, abs=0.2) for x, y in points)
    line = next(e for e in svg if e.get("class") == "guess")
    assert float(line.get("x1", "")) == pytest.approx(left) and float(line.get("y1", "")) == pytest.approx(base)


def test_one_percent_and_one_in_a_thousand_are_marked() -> None:
    svg = parsed(charts.roc(attacks()["attacks"], ["ensemble"]))
    assert sum(e.get("class") == "axis marked" for e in svg) == 2
    labels = [e.text for e in svg.iter("text")]
    assert "1 %" in labels and "0.1 %" in labels
    said = svg.get("aria-label", "")
    assert "3 membership attacks" in said and "Nearest-neighbour ensemble finds" in said
    assert [e.get("class") for e in svg.iter("polyline")][-1] == "curve made"  # drawn on top


def test_a_curve_of_zeros_is_drawn_at_the_edge() -> None:
    parsed(charts.roc([{"name": "a", "title": "A", "curve": [[0.0, 0.0], [1.0, 1.0]]}], []))


def test_members_found_at_a_rate_are_those_before_it() -> None:
    assert charts.at_rate([[0.001, 0.1], [0.01, 0.2], [0.1, 0.5]], 0.01) == 0.2
    assert charts.at_rate([[0.5, 1.0]], 0.01) == 0.0


def test_survival_falls_in_steps_from_everyone() -> None:
    svg = parsed(charts.survival({"times": [5, 10], "real": [0.8, 0.5], "synthetic": [0.9, 0.4]}, "days"))
    real, made = (corners(e) for e in svg.iter("polyline"))
    assert real[0][1] == 10 and len(real) == 5  # 100 % at the top, then two steps
    assert made[-1][1] > real[-1][1]  # lower on the page is fewer alive
    assert "at 10: real 50%, synthetic 40%" in svg.get("aria-label", "")
    parsed(charts.survival(survival()["curves"], "futime"))


def test_a_forest_draws_both_intervals_around_no_effect() -> None:
    svg = parsed(charts.forest(terms(), model="logistic"))
    assert sum(e.tag == "circle" for e in svg) == 8
    none = float(next(e for e in svg if e.get("class") == "guess").get("x1", ""))
    age, creatinine = (float(e.get("cx", "")) for e in list(svg.iter("circle"))[0:4:2])
    assert age > none > creatinine


def test_a_forest_of_zeros_is_a_picture_too() -> None:
    parsed(charts.forest([{"name": "a", "real": [0, 0, 0], "synthetic": [0, 0, 0], "overlap": 1}], model="linear"))


def test_both_maps_of_a_projection_have_one_scale() -> None:
    shown = {"x": [0, 1, 2], "y": [0, 1], "cells": [[0, 0, 0.9, 0.1], [1, 0, 0.1, 0.9]]}
    real, made = (parsed(charts.density(shown, part)) for part in ("real", "synthetic"))

    def shades(svg: ElementTree.Element) -> list[str | None]:
        return [e.get("class") for e in svg][1:]

    assert shades(real) == shades(made)[::-1] == ["heat h6", "heat h3"]
    assert "differ by 80%" in real.get("aria-label", "")
    parsed(charts.density(projection(), "real"))


def test_shades_rise_with_the_share() -> None:
    assert [charts.shade_of(s, 1.0) for s in (0.0, 1e-9, 0.25, 1.0)] == [0, 1, 4, 6]


def test_a_term_that_one_side_cannot_estimate_is_drawn_without_it() -> None:
    listed = [{**term, "synthetic": None} for term in terms()]
    svg = parsed(charts.forest(listed, model="Cox"))
    assert {e.get("class") for e in svg.iter("circle")} == {"point other"}
    parsed(charts.forest([{**term, "real": None} for term in listed], model="Cox"))
