"""Words: numbers as they are read, and only what was not measured counts as untested."""

from __future__ import annotations

from semblance.app.words import LIGHTS, SECTIONS, headline, interval, limits, number, unmeasured, untested, verdict
from semblance.catalog import modality
from semblance.core.estimate import Estimate
from semblance.core.report import Finding, Report


def test_numbers_have_a_true_minus_and_no_negative_zero() -> None:
    assert [number(x) for x in (-0.25, -0.0001, 0.5, None)] == ["\u22120.250", "0.000", "0.500", "\u2013"]
    assert number(0.5, digits=1) == "0.5"


def test_one_unit_has_no_interval() -> None:
    assert interval(Estimate(0.5, 0.4, 0.6, n=9)) == " [0.400, 0.600]"
    assert interval(Estimate(0.5, 0.5, 0.5, n=1)) == ""


def test_limits_are_read_as_inequalities() -> None:
    assert limits({"threshold": 0.02, "direction": "at_most", "bound": "value"}) == "≤ 0.02"
    assert limits({"threshold": 11.0, "direction": "at_least", "bound": "value"}) == "≥ 11"
    assert limits({"threshold": 0.02, "direction": "at_most", "bound": "excess"}) == "≤ 0.02 above real"
    assert limits({"threshold": -0.1, "direction": "at_least", "bound": "excess"}) == "≤ 0.1 below real"
    assert limits({"threshold": None}) == ""


def test_what_is_measured_is_not_untested() -> None:
    fair = Finding("fairness.sex", "By sex", "fairness", estimate=Estimate(0, 0, 0))
    gone = Finding("utility.gap.linear", "Loss", "utility", status="not_applicable", reason="no target")
    report = Report((fair, gone), {})
    lines = list(untested(report))
    assert not any("groups of patients" in line for line in lines) and any("picked out" in line for line in lines)
    assert list(unmeasured(report)) == ["Loss: not applicable (no target)"]


def test_what_a_modality_leaves_open_is_its_own() -> None:
    def lines(name: str) -> str:
        return " ".join(untested(Report((), {"untested": dict(modality(name).untested)})))

    assert "survival over time" in lines("table") and "order of dates" in lines("table")
    assert "treatment" not in lines("image") and "dates" not in lines("image") and "stretched" in lines("image")
    assert all("clinically possible" in lines(name) for name in ("table", "image"))


def test_an_attack_that_was_played_is_tested() -> None:
    def lines(*names: str) -> str:
        detail = {"attacks": [{"name": name} for name in names]}
        found = Finding("privacy.membership", "M", "privacy", estimate=Estimate(0, 0, 0), detail=detail)
        return " ".join(untested(Report((found,), {})))

    assert "again and again" in lines("nearest") and "again and again" not in lines("nearest", "shadow")


def test_every_section_stands_under_one_light() -> None:
    under = [section for sections in LIGHTS.values() for section in sections]
    assert sorted(under) == sorted(SECTIONS) and list(LIGHTS) == ["privacy", "utility", "fairness", "rare", "validity"]


def test_the_verdict_of_an_undecided_report() -> None:
    assert verdict(Report((), {})) == "UNDECIDED"


def test_a_refusal_for_every_use_says_so():
    inside = Report((), {}, {"verdict": "REFUSED", "granted": "internal"})
    nobody = Report((), {}, {"verdict": "REFUSED", "granted": None})
    assert headline(inside) == "Must not leave the institution"
    assert headline(nobody) == "Not good enough for any use"
