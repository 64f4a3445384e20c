"""Panels: what judges hand over becomes tables and pictures; what is absent or odd becomes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from semblance.app.panels import cross, panels
from semblance.core.report import Report


def test_every_detail_has_its_panel(full: Report) -> None:
    line = {"name": "II", "role": "real", "y": [0.0, 1.0]}
    panel = {"title": "II", "step": 1.0, "lines": [line], "x": "seconds", "y": "mV"}
    seen = {"pictures": [{"title": "Strips", "note": "", "panels": [panel]}]}
    assert all(panels(replace(full, subject={**full.subject, **seen})).values())


def test_without_details_every_panel_is_empty(full: Report) -> None:
    without = {key: told for key, told in full.subject.items() if key != "graph"}
    bare = replace(full, findings=tuple(replace(f, detail={}) for f in full.findings), subject=without)
    shown = panels(bare)
    assert shown.pop("columns") == {"drawn": [], "all": 0}
    assert not any(shown.values())


def test_groups_stand_in_one_table_with_a_column_per_finding(full: Report) -> None:
    table = cross(full, "groups", "group")
    assert table.heads[0] == "Selection between groups" and len(table.heads) == 4
    name, patients, numbers = table.rows[0]
    assert name == "sex = F" and patients == 3211 and all(n is not None for n in numbers)


def test_a_group_that_one_finding_lacks_leaves_a_gap(full: Report) -> None:
    groups = [g for g in full["fairness.odds"].detail["groups"] if g["group"] != "sex = M"]
    cut = replace(full["fairness.odds"], detail={"groups": groups})
    findings = tuple(cut if f.metric == cut.metric else f for f in full.findings)
    rows = {name: numbers for name, _, numbers in cross(replace(full, findings=findings), "groups", "group").rows}
    assert sum(number is None for number in rows["sex = M"]) == 1


def test_a_model_that_several_findings_read_is_shown_once(full: Report) -> None:
    assert len(panels(full)["models"]) == 1


def test_attacks_are_ranked_and_the_chosen_one_is_marked(full: Report) -> None:
    rows = panels(full)["attacks"]["rows"]
    assert [row["name"] for row in rows] == ["ensemble", "density", "nearest"] and rows[0]["chosen"]
    assert rows[2]["one"] == pytest.approx(0.01**0.9, rel=0.2)


def test_what_has_no_name_that_a_person_reads_is_no_coefficient(full: Report) -> None:
    """Component 02 of an image says nothing in a table of coefficients, nor as what a model leans on."""
    shown = panels(full)
    assert shown["models"] and shown["features"]
    unnamed = panels(replace(full, subject={**full.subject, "readable": False}))
    assert unnamed["models"] == unnamed["features"] == ()
