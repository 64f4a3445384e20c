"""A finding beside what the policy says about it: its level, what keeps it from a better one, and its picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from semblance.app import figures, words
from semblance.core.report import Finding, Report

LEVELS = ("public", "controlled", "internal")
WORST_FIRST = ("none", "insufficient", "internal", "controlled", "public", "context", "absent", "untested")
NEXT_BETTER = {"none": "internal", "insufficient": "internal", "internal": "controlled", "controlled": "public"}


@dataclass(frozen=True)
class Judged:
    """A finding with the policy's checks of it, by profile."""

    finding: Finding
    checks: Mapping[str, Mapping[str, Any]]

    @property
    def level(self) -> str:
        """The strictest profile for which the finding is good enough, or why there is none."""
        if not self.checks:
            return "absent" if self.finding.status == "not_applicable" else "context"
        if all(check["outcome"] == "NOT APPLICABLE" for check in self.checks.values()):
            return "absent"
        for profile in LEVELS:
            if profile not in self.checks or not self.checks[profile]["refuses"]:
                return profile
        return "insufficient" if self.checks[LEVELS[-1]]["outcome"] == "INSUFFICIENT" else "none"

    @property
    def ruled(self) -> bool:
        """Whether the policy has a say in it."""
        return self.level not in ("context", "absent")

    @property
    def title(self) -> str:
        """The finding's name."""
        return self.finding.title

    @property
    def meaning(self) -> str:
        """One sentence in plain words, the judge's own."""
        return self.finding.meaning

    @property
    def reason(self) -> str:
        """What keeps the finding from the next better profile."""
        barrier = NEXT_BETTER.get(self.level, "")
        return f"Why not {barrier}: {self.checks[barrier]['reason']}" if barrier in self.checks else ""

    @property
    def limits(self) -> tuple[tuple[str, str], ...]:
        """The thresholds as they are read, by profile."""
        return tuple((p, words.limits(c)) for p, c in self.checks.items() if p in LEVELS[:2] and words.limits(c))

    @property
    def strain(self) -> float:
        """How much of what the strictest rule allows is used up: above 1 is too much; 0 where nothing is compared."""
        return max((_strain(check) for check in self.checks.values()), default=0.0)

    @property
    def rank(self) -> tuple[int, bool, float]:
        """Worst first."""
        return WORST_FIRST.index(self.level), self.finding.estimate is None, -self.strain

    def _zero(self, check: Mapping[str, Any]) -> float:
        """Where a check counts from: an excess is counted from the control."""
        control = self.finding.control
        return control.value if check["bound"] == "excess" and control is not None else 0.0

    def plot(self, *, width: int = 300) -> Markup:
        """The finding as a picture; nothing where it has no number."""
        finding = self.finding
        if finding.estimate is None:
            return Markup("")
        zones = [
            figures.Threshold(profile, check["threshold"] + self._zero(check), check["direction"] == "at_most")
            for profile, check in self.checks.items()
            if profile in LEVELS[:2] and check.get("threshold") is not None
        ]
        return figures.interval_plot(
            finding.estimate,
            control=finding.control,
            floor=finding.floor,
            called=(words.control(finding), words.floor(finding)),
            thresholds=zones,
            better=finding.better,
            width=width,
            title=self.title,
        )


def _strain(check: Mapping[str, Any]) -> float:
    number, threshold = check.get("number"), check.get("threshold")
    if number is None or not threshold:
        return 0.0
    if check["direction"] == "at_least" and threshold > 0:
        return float(threshold / number) if number > 0 else 1e9
    return float(number / threshold)


def judge(report: Report) -> tuple[Judged, ...]:
    """Every finding with its checks."""
    by_metric: dict[str, dict[str, Mapping[str, Any]]] = {}
    for profile, checks in (report.decision or {}).get("checks", {}).items():
        for check in checks:  # of several checks, one that refuses
            found = by_metric.setdefault(check["metric"], {})
            if profile not in found or check["refuses"]:
                found[profile] = check
    return tuple(Judged(finding, by_metric.get(finding.metric, {})) for finding in report.findings)


def headline(report: Report) -> tuple[Judged, ...]:
    """The weakest finding under a rule of each section, with a number where there is one, in the sections' order."""
    ruled = [one for one in judge(report) if one.ruled]
    mine = ([one for one in ruled if one.finding.section == section] for section in words.SECTIONS)
    return tuple(min(ones, key=lambda one: one.rank) for ones in mine if ones)


def unshown(report: Report, sections: tuple[str, ...], *, shown: set[str]) -> Iterator[tuple[str, str]]:
    """Refusals that no finding carries (the run's own checks, findings that are missing): level and reason."""
    checks = (report.decision or {}).get("checks", {})
    below = dict(zip(LEVELS, (*LEVELS[1:], "none"), strict=True))
    seen: dict[str, tuple[str, str]] = {}
    for profile in LEVELS:
        for check in checks.get(profile, ()):
            if check["section"] in sections and check["refuses"] and check["metric"] not in shown:
                seen[check["metric"]] = (below[profile], f"Why not {profile}: {check['reason']}")
    yield from seen.values()
