"""Views: lights, the worst group, and one row per requirement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from semblance.app.judged import judge
from semblance.app.views import light, matrix, tally, view, worst_group
from semblance.core.report import Report

Decided = Callable[..., Report]


def test_a_light_is_its_worst_finding(full: Report) -> None:
    judged = judge(full)
    lights = {name: light(full, name, judged) for name in ("privacy", "utility", "fairness", "rare", "validity")}
    assert {name: one["level"] for name, one in lights.items()} == {
        "privacy": "public",
        "utility": "public",
        "fairness": "controlled",
        "rare": "public",
        "validity": "none",
    }
    assert lights["utility"]["worst"].finding.section in ("utility", "fidelity")
    assert lights["fairness"]["worst"].finding.metric == "fairness.subgroup_utility"
    assert (
        lights["fairness"]["tally"] == "4 findings under a rule: 3 good enough to publish, 1 for controlled access only"
    )


def test_a_light_is_no_better_than_what_nobody_measured(full: Report, decided: Decided) -> None:
    fewer = tuple(f for f in full.findings if f.metric != "privacy.linkability")
    missing = decided(replace(full, findings=fewer))
    assert light(missing, "privacy", judge(missing))["level"] == "internal"


def test_a_section_without_findings_is_untested() -> None:
    assert light(Report((), {}), "rare", ())["level"] == "untested" and tally(()) == ""


def test_the_worst_group_is_that_of_the_worst_subgroup_finding(full: Report) -> None:
    found = worst_group(judge(full))
    assert found["group"] == "sex = F" and found["patients"] == 3211 and found["value"] == 0.06
    assert worst_group(()) == {}


def test_every_requirement_has_a_row_with_all_profiles(full: Report) -> None:
    assert full.decision is not None
    rows = list(matrix(full))
    assert {row["metric"] for row in rows} == {
        c["metric"] for checks in full.decision["checks"].values() for c in checks if c["outcome"] != "MISSING"
    }


def test_what_no_profile_asks_of_these_records_has_no_row(report: Report, decided: Decided) -> None:
    """A table is no image, and no report of it asks for a spectrum; what is required and missing is told."""
    rows = {row["metric"] for row in matrix(decided(replace(report, findings=())))}
    assert "privacy.membership" in rows and not any("image" in metric for metric in rows)


def test_contents_name_only_what_is_there(report: Report, full: Report) -> None:
    assert "attacks" in dict(view(full)["contents"]) and "attacks" not in dict(view(report)["contents"])
