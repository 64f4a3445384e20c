"""What leaves is coarse, and what is not on the list does not leave."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.app.redact import STEP, coarse, redact
from semblance.core.estimate import Estimate
from semblance.core.report import Finding, Report
from tests.app.rich import MERGED, TERM, TINY


@pytest.mark.parametrize(
    ("count", "told"), [(0, "fewer than 11"), (10, "fewer than 11"), (11, 20), (56, 60), (1573, 1600), (101766, 100000)]
)
def test_counts_are_coarse(count: int, told: object) -> None:
    assert coarse(count) == told


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1))
def test_intervals_are_rounded_outwards(value: float, below: float, above: float) -> None:
    exact = Estimate(value, value - below, value + above, n=5000)
    (finding,) = redact(Report((Finding("x.y", "X", "privacy", estimate=exact),), {})).findings
    told = finding.estimate
    assert told is not None and told.low <= exact.low + 1e-6 and told.high >= exact.high - 1e-6
    for number in (told.low, told.value, told.high):
        assert number == pytest.approx(round(number / STEP) * STEP, abs=1e-6)


def test_unknown_things_stay_inside(report: Report, decided: Callable[..., Report]) -> None:
    secret = {**report.subject, "paths": ["secret-path"], "input": "secret-hash", "pictures": ["secret-strip"]}
    told = Finding("other.metric", "Other", "fidelity", estimate=Estimate(0, 0, 0), detail={"rows": ["secret-row"]})
    few = Finding("more.metric", "More", "fidelity", status="insufficient", reason="secret-reason")
    text = json.dumps(redact(decided(Report((*report.findings, told, few), secret))).to_json())
    assert "secret" not in text and "hospital number" not in text and "4711" not in text


def test_pictures_of_small_cells_stay_inside(report: Report) -> None:
    shape = report["fidelity.shape"]
    loose = replace(shape, detail={**shape.detail, "rare": 5})
    assert redact(replace(report, findings=(loose,))).findings[0].detail == {}
    kept = redact(report)["fidelity.shape"].detail["columns"]
    assert all(cell["train"] == round(cell["train"], 2) for column in kept for cell in column["cells"])
    assert {key for column in kept for key in column} == {"name", "kind", "distance", "value", "cells"}


def test_what_is_planted_stays_inside(full: Report) -> None:
    text = json.dumps(redact(full).to_json())
    planted = (TINY, MERGED, TERM, "98.7", "3147", "3146", "a" * 12, "b" * 12, "made.csv", "KeyError", "0.0123", "43.2")
    assert [secret for secret in planted if secret in text] == []
    assert "c" * 64 in text  # the synthetic file's own


def test_a_reason_that_counts_stays_inside(full: Report) -> None:
    told = {finding.metric: finding.reason for finding in redact(full).findings}
    assert told["utility.causal"] == "no treatment"
    assert told["validity.order"] == told["validity.sex"] == "the reason stays inside"


def test_how_many_are_needed_is_told_coarsely(full: Report) -> None:
    decision = redact(full).decision
    assert decision is not None
    needs = {check["needs"] for checks in decision["checks"].values() for check in checks}
    assert all(str(count).rstrip("0") == "" or len(str(count).rstrip("0")) <= 2 for count in needs)


def test_the_decision_is_told_coarsely(report: Report, decided: Callable[..., Report]) -> None:
    exact = decided(report)
    told = redact(exact).decision
    assert told is not None and exact.decision is not None
    assert told["verdict"] == exact.decision["verdict"] and len(told["reasons"]) == len(exact.decision["reasons"])
    assert "1,600 patients" in told["reasons"][0] and "1,573" not in json.dumps(told)


def test_the_reasons_that_leave_are_those_of_the_asked_profile(report: Report, decided: Callable[..., Report]) -> None:
    far = replace(report["privacy.membership"], estimate=Estimate(0.15, 0.14, 0.16, n=1573))
    findings = tuple(far if finding.metric == far.metric else finding for finding in report.findings)
    told = redact(decided(replace(report, findings=findings), asked="public")).decision
    assert told is not None and told["against"] == "public" and "at most 0.02" in " ".join(told["reasons"])


@pytest.mark.parametrize(("exact", "told"), [(137, 11), (7, 5), (3, 1), (11, 11)])
def test_a_measured_group_is_told_as_a_limit(
    report: Report, decided: Callable[..., Report], exact: int, told: int
) -> None:
    decision = redact(decided(report, rare=exact)).decision
    assert decision is not None
    assert [c["number"] for c in decision["checks"]["public"] if c["metric"] == "run.rare"] == [told]


def test_unresolved_columns_are_not_named(report: Report, decided: Callable[..., Report]) -> None:
    subject = {**report.subject, "unresolved": ["hospital number"]}
    assert "hospital number" not in json.dumps(redact(decided(replace(report, subject=subject))).to_json())


def test_redacting_twice_changes_nothing(report: Report, decided: Callable[..., Report]) -> None:
    once = redact(decided(report))
    assert redact(once).decision == once.decision
    assert [f.estimate for f in redact(once).findings] == [f.estimate for f in once.findings]


def test_that_nothing_is_known_of_the_generator_may_be_said(report: Report, decided: Callable[..., Report]) -> None:
    bare = {key: value for key, value in report.subject.items() if key not in ("generator", "unresolved")}
    told = redact(decided(replace(report, subject=bare))).decision
    assert told is not None
    checks = {check["metric"]: check["reason"] for check in told["checks"]["public"]}
    assert "no card says" in checks["run.generator"] and "nothing says" in checks["run.identifiers"]
