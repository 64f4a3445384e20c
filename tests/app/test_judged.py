"""Levels: the strictest profile that a finding meets, and how close it is to the edge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from semblance.app.judged import Judged, headline, judge, unshown
from semblance.core.estimate import Estimate
from semblance.core.report import Report

Decided = Callable[..., Report]


@pytest.mark.parametrize(
    ("value", "level"), [(0.03, "public"), (0.06, "controlled"), (0.16, "internal"), (0.3, "none")]
)
def test_the_level_is_the_strictest_profile_that_the_finding_meets(
    report: Report, decided: Decided, value: float, level: str
) -> None:
    other = replace(report["fidelity.shape"], estimate=Estimate(value, value, value))
    judged = judge(decided(replace(report, findings=(other,))))
    assert judged[0].level == level


def test_findings_without_a_rule_have_no_level(report: Report, decided: Decided) -> None:
    levels = {one.finding.metric: one.level for one in judge(decided(report))}
    assert levels["fidelity.longitudinal"] == "absent" and levels["utility.tstr.linear"] == "context"
    assert Judged(report["fidelity.shape"], {}).level == "context" and not Judged(report["fidelity.shape"], {}).ruled


def test_what_cannot_be_certified_is_insufficient_and_has_not_failed(report: Report, decided: Decided) -> None:
    unknown = replace(report["privacy.copies"], status="insufficient", reason="nobody knows whose they are")
    (one,) = judge(decided(replace(report, findings=(unknown,))))
    assert one.level == "insufficient" and one.reason == (
        f"Why not internal: {one.title}: cannot be certified (nobody knows whose they are)"
    )


def test_strain_is_the_share_of_what_is_allowed(full: Report) -> None:
    strain = {one.finding.metric: one.strain for one in judge(full)}
    assert strain["privacy.inference"] == pytest.approx(0.0472 / 0.05)
    assert strain["rare.categories"] == pytest.approx(0.25 / 0.3)  # 0.25 below real, 0.3 allowed
    assert strain["privacy.dcr"] == 0


def test_the_worst_ranks_first_and_the_closest_to_its_edge_next(full: Report) -> None:
    ranked = sorted(judge(full), key=lambda one: one.rank)
    assert ranked[0].finding.metric == "validity.sex" and ranked[0].level == "none"
    levels = [one.level for one in ranked]
    assert levels.index("controlled") < levels.index("public") < levels.index("context") < levels.index("absent")


def test_what_nothing_measured_is_told_once(report: Report, decided: Decided) -> None:
    bare = decided(replace(report, findings=()))
    told = dict.fromkeys(reason for _, reason in unshown(bare, ("privacy",), shown=set()))
    assert len(told) == len(list(unshown(bare, ("privacy",), shown=set()))) and len(told) > 5


def test_the_headline_is_the_weakest_of_each_section_that_has_a_rule(full: Report) -> None:
    shown = {one.finding.section: one for one in headline(full)}
    assert list(shown) == ["privacy", "utility", "fidelity", "fairness", "rare", "validity"]
    for section, one in shown.items():
        mine = [other.rank for other in judge(full) if other.finding.section == section and other.ruled]
        assert one.rank == min(mine)
