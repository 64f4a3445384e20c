"""What leaves of a detail: the allowed, coarsely; planted values and small cells never."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.app.coarse import CURVE_POINTS, SMALL, TIMES, coarse, detail, outwards, usual
from semblance.core.estimate import Estimate
from semblance.core.report import Finding
from tests.app.rich import EDGE, MERGED, TINY, attacks, groups, projection, secrets, survival, terms


def told(metric: str, given: dict) -> dict:  # type: ignore[type-arg]
    section = metric.partition(".")[0]
    return detail(Finding(metric, "X", section, estimate=Estimate(0, 0, 0), detail=given))  # type: ignore[arg-type]


def test_an_unknown_metric_tells_nothing() -> None:
    everything = {**attacks(), **secrets(), **survival(), "groups": groups(0.1), "terms": terms(), "rows": ["secret"]}
    assert told("utility.other", everything) == {}
    assert told("utility.inference.overlap", everything) == {}


def test_curves_of_attacks_keep_few_points_to_a_hundredth() -> None:
    shown = told("privacy.membership", attacks())
    assert set(shown) == {"attacks", "chosen"}
    for one in shown["attacks"]:
        assert set(one) == {"name", "title", "advantage", "curve"} and len(one["curve"]) <= CURVE_POINTS
        assert all(number == round(number, 2) for point in one["curve"] for number in point)
        assert one["curve"][-1] == [1.0, 1.0]
        assert one["advantage"]["low"] <= one["advantage"]["value"] <= one["advantage"]["high"]


def test_groups_below_eleven_and_merged_ones_are_not_named() -> None:
    shown = told("fairness.odds", {"groups": groups(0.05), "merged": [MERGED], "outcome": "death"})
    text = json.dumps(shown)
    assert TINY not in text and MERGED not in text and "outcome" not in text
    assert [row["patients"] for row in shown["groups"]] == [3200, 3100, 210, 800]
    assert all(row["low"] <= row["value"] <= row["high"] for row in shown["groups"])


@given(st.lists(st.integers(0, 30), max_size=8))
def test_no_group_of_fewer_than_eleven_ever_leaves(sizes: list[int]) -> None:
    listed = [{"group": f"g{i}", "patients": n, "value": 0.1, "low": 0.0, "high": 0.2} for i, n in enumerate(sizes)]
    shown = told("fairness.parity", {"groups": listed}).get("groups", [])
    assert [row["group"] for row in shown] == [f"g{i}" for i, n in enumerate(sizes) if n >= SMALL]


def test_a_group_whose_size_nobody_knows_stays_inside() -> None:
    assert told("fairness.parity", {"groups": [{"group": "g", "value": 0.1}]}) == {}


def test_survival_is_told_at_few_rounded_times() -> None:
    curves = told("utility.survival.curve", survival())["curves"]
    assert len(curves["times"]) == len(curves["real"]) == len(curves["synthetic"]) <= TIMES + 1
    assert all(t % 200 == 0 for t in curves["times"]) and curves["times"] == sorted(set(curves["times"]))
    assert all(s == round(s, 2) for part in ("real", "synthetic") for s in curves[part])


def test_secrets_are_names_and_rounded_values() -> None:
    shown = told("privacy.inference", secrets())
    assert set(shown) == {"secrets"} and shown["secrets"][0] == {"name": "creatinine", "value": 0.04}


def test_importances_are_rounded() -> None:
    shown = told("utility.importance", {"features": [{"name": "age", "real": 0.6123, "synthetic": 0.5, "rank": 1}]})
    assert shown == {"features": [{"name": "age", "real": 0.61, "synthetic": 0.5}]}


def test_a_projection_loses_its_axes_and_thin_cells() -> None:
    shown = told("fidelity.mmd", {"projection": projection()})["projection"]
    assert str(EDGE)[:4] not in json.dumps(shown) and shown["x"] == list(range(17))
    assert len(shown["cells"]) == sum(cell[4] >= SMALL for cell in projection()["cells"]) < 256
    assert all(len(cell) == 4 for cell in shown["cells"])
    few = {**projection(), "cells": [[*cell[:4], SMALL - 1] for cell in projection()["cells"]]}
    assert told("fidelity.mmd", {"projection": few}) == {}


@pytest.mark.parametrize(("size", "step"), [(0.3, 0.5), (1.0, 1.0), (103.7, 200), (0, 1)])
def test_steps_are_of_a_usual_size(size: float, step: float) -> None:
    assert usual(size) == pytest.approx(step)


def test_telling_twice_changes_nothing() -> None:
    for metric, given_ in (
        ("privacy.membership", attacks()),
        ("fairness.odds", {"groups": groups(0.05)}),
        ("privacy.inference", secrets()),
        ("utility.survival.curve", survival()),
    ):
        once = told(metric, given_)
        assert told(metric, once) == once


def test_an_interval_only_widens() -> None:
    value, low, high = outwards(0.0123, 0.0101, 0.0149)
    assert (low, value, high) == (0.01, 0.01, 0.015)
    assert coarse(10) == "fewer than 11"
