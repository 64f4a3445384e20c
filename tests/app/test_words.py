"""Words: numbers as they are read, and only what was not measured counts as untested."""

from __future__ import annotations

from semblance.app.words import limits, meaning, number, untested, verdict
from semblance.core.estimate import Estimate
from semblance.core.report import Finding, Report
from semblance.release.policy import Policy


def test_numbers_have_a_true_minus_and_no_negative_zero() -> None:
    assert [number(x) for x in (-0.25, -0.0001, 0.5, None)] == ["\u22120.250", "0.000", "0.500", "\u2013"]
    assert number(0.5, digits=1) == "0.5"


def test_limits_are_read_as_inequalities() -> None:
    assert limits({"threshold": 0.02, "direction": "at_most", "bound": "value"}) == "≤ 0.02"
    assert limits({"threshold": 11.0, "direction": "at_least", "bound": "value"}) == "≥ 11"
    assert limits({"threshold": 0.02, "direction": "at_most", "bound": "excess"}) == "≤ 0.02 above real"
    assert limits({"threshold": None}) == ""


def test_every_metric_of_the_policy_has_its_plain_words() -> None:
    for rule in Policy.load()["controlled"].rules:
        assert meaning(rule.metric.replace("*", "x"))
    assert meaning("privacy.membership_tpr") != meaning("privacy.membership")
    assert meaning("utility.tstr.linear") and meaning("other") == ""


def test_what_is_measured_is_not_untested() -> None:
    fair = Finding("fairness.sex", "By sex", "fairness", estimate=Estimate(0, 0, 0))
    gone = Finding("utility.gap.linear", "Loss", "utility", status="not_applicable", reason="no target")
    lines = list(untested(Report((fair, gone), {})))
    assert not any("protected groups" in line for line in lines)
    assert "Loss: not applicable (no target)" in lines and any("singled out" in line for line in lines)


def test_the_verdict_of_an_undecided_report() -> None:
    assert verdict(Report((), {})) == "UNDECIDED"
