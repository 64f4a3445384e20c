"""The report as one self-contained page: what a governance board reads first, then what a clinician asks next.

`render` turns the Report's JSON into plain values for the template; every text passes Jinja's escaping. The page holds
no script and loads nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from semblance.app import figures, words
from semblance.app.redact import LEFT_OUT, redact
from semblance.core.promise import Guarantee
from semblance.core.report import Finding, Report

LEVELS = ("public", "controlled", "internal")
WORST_FIRST = ("none", "internal", "controlled", "public", "context", "absent", "untested")
DRAWN_COLUMNS = 60
HERE = Path(__file__).parent


def render(report: Report, *, public: bool) -> str:
    """The page. `public=True` renders the redacted report and says what was left out."""
    report = redact(report) if public else report
    loader, strict = jinja2.FileSystemLoader(HERE), jinja2.StrictUndefined
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=strict, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(num=words.number, limits=words.limits, count=count)
    template = environment.get_template("report.html.j2")
    style = Markup((HERE / "report.css").read_text(encoding="utf-8"))
    return template.render(style=style, public=public, left_out=LEFT_OUT if public else (), **view(report))


def view(report: Report) -> dict[str, Any]:
    """Everything the template shows."""
    verdict = words.verdict(report)
    judged = judge(report)
    decision = report.decision or {}
    return {
        "verdict": verdict,
        "headline": words.VERDICTS[verdict][0],
        "meaning": words.VERDICTS[verdict][1],
        "decision": decision,
        "against": words.against(decision) if decision.get("reasons") else "",
        "ladder": tuple(ladder(report)),
        "subject": report.subject,
        "facts": tuple(facts(report)),
        "sections": tuple(_section(report, name, judged) for name in words.SECTIONS),
        "matrix": tuple(matrix(report)),
        "levels": words.LEVELS,
        "columns": columns(report),
        "pairs": pairs(report),
        "untested": tuple(words.untested(report)),
        "intended": words.INTENDED,
        "prohibited": words.PROHIBITED,
        "removed": tuple(removed(report)),
        "notes": tuple(report.subject.get("notes", ())),
        "reproduction": tuple(reproduction(report)),
    }


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
        return "none"

    @property
    def meaning(self) -> str:
        """One sentence in plain words."""
        return words.meaning(self.finding.metric) or self.finding.meaning

    @property
    def reason(self) -> str:
        """What keeps the finding from the next better profile."""
        barrier = {"none": "internal", "internal": "controlled", "controlled": "public"}.get(self.level, "")
        return f"Why not {barrier}: {self.checks[barrier]['reason']}" if barrier in self.checks else ""

    @property
    def limits(self) -> tuple[tuple[str, str], ...]:
        """The thresholds as they are read, by profile."""
        return tuple((p, words.limits(c)) for p, c in self.checks.items() if p in LEVELS[:2] and words.limits(c))

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
            thresholds=zones,
            better=finding.better,
            width=width,
        )


def judge(report: Report) -> tuple[Judged, ...]:
    """Every finding with its checks."""
    return tuple(Judged(finding, _checks(report, finding.metric)) for finding in report.findings)


def _checks(report: Report, metric: str) -> dict[str, Mapping[str, Any]]:
    """The check of a finding per profile; of several, one that refuses."""
    found: dict[str, Mapping[str, Any]] = {}
    for profile, checks in (report.decision or {}).get("checks", {}).items():
        for check in checks:
            if check["metric"] == metric and (profile not in found or check["refuses"]):
                found[profile] = check
    return found


def _section(report: Report, name: str, judged: Sequence[Judged]) -> dict[str, Any]:
    """A section's light is that of its worst finding; its headline is that finding."""
    mine = [one for one in judged if one.finding.section == name]
    worst = min(mine, key=lambda one: (WORST_FIRST.index(one.level), one.finding.estimate is None), default=None)
    unshown = tuple(_unshown(report, name, shown={one.finding.metric for one in mine}))
    levels = ["untested" if worst is None else worst.level, *(level for level, _ in unshown)]
    return {
        "title": words.SECTIONS[name][0],
        "question": words.SECTIONS[name][1],
        "level": min(levels, key=WORST_FIRST.index),
        "worst": worst,
        "findings": mine,
        "extra": tuple(reason for _, reason in unshown),
    }


def _unshown(report: Report, section: str, *, shown: set[str]) -> Iterator[tuple[str, str]]:
    """Refusals that no finding carries (the run's own checks, findings that are missing): level and reason."""
    checks = (report.decision or {}).get("checks", {})
    below = dict(zip(LEVELS, (*LEVELS[1:], "none"), strict=True))
    seen: dict[str, tuple[str, str]] = {}
    for profile in LEVELS:
        for check in checks.get(profile, ()):
            if check["section"] == section and check["refuses"] and check["metric"] not in shown:
                seen[check["metric"]] = (below[profile], f"Why not {profile}: {check['reason']}")
    yield from seen.values()


def matrix(report: Report) -> Iterator[dict[str, Any]]:
    """One row per check, with each profile's outcome and threshold beside each other."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for profile, checks in (report.decision or {}).get("checks", {}).items():
        for check in checks:
            row = {"title": check["title"], "metric": check["metric"], "compared": compared(check)}
            rows.setdefault((check["metric"], check["bound"]), row)[profile] = check
    yield from rows.values()


def compared(check: Mapping[str, Any]) -> str:
    """The number that is compared with the thresholds, and which of the estimate's numbers it is."""
    if check["number"] is None:
        return "fact" if check["metric"].startswith("run.") else "no number"
    if check["metric"].startswith("run."):
        return count(int(check["number"]))
    end = {"upper": " (upper end)", "lower": " (lower end)", "excess": " (above real)", "value": ""}[check["bound"]]
    return words.number(check["number"]) + end


def ladder(report: Report) -> Iterator[tuple[str, bool, int]]:
    """Each profile: whether it is granted, and how many requirements refuse it."""
    for profile, checks in (report.decision or {}).get("checks", {}).items():
        refusing = sum(check["refuses"] for check in checks)
        yield profile, refusing == 0, refusing


def facts(report: Report) -> Iterator[tuple[str, str]]:
    """What was judged, as pairs of a name and a text."""
    s = report.subject
    rows, patients = s.get("rows", {}), s.get("patients", {})
    if rows:
        yield "Synthetic records", count(rows.get("synthetic"))
        yield "Real records", f"{count(rows.get('train'))} learned from, {count(rows.get('holdout'))} held out"
    if patients:
        each = all(patients[part] == rows.get(part) for part in patients)
        parts = f"{count(patients.get('train'))} learned from, {count(patients.get('holdout'))} held out"
        yield "Patients", "one record each; none is on both sides" if each else f"{parts}; none is on both sides"
    learned = [c for c in s.get("columns", ()) if c.get("role") not in ("subject", "key", "drop")]
    if learned:
        yield "Columns", f"{len(learned)} learned" + (f"; target: {s['target']}" if s.get("target") else "")
    card = s.get("generator")
    named = f"{card['name']}: {card.get('summary', '')}" if isinstance(card, Mapping) else words.UNKNOWN_GENERATOR
    yield "Generator", named
    yield "Formal guarantee", guarantee(s.get("guarantee"))
    if s.get("date"):
        yield "Date", str(s["date"])
    policy = (report.decision or {}).get("policy", {})
    if policy:
        yield "Policy", f"{policy['name']} ({policy['sha256'][:12]})"


def guarantee(said: Any) -> str:
    """A guarantee as a sentence."""
    if isinstance(said, Mapping):
        return str(Guarantee(**said))
    return str(Guarantee()) if said is None else str(said)


def count(value: Any) -> str:
    """A count as it is read; coarse counts are texts already."""
    return f"{value:,}" if isinstance(value, int) else "unknown" if value is None else str(value)


def columns(report: Report) -> dict[str, Any]:
    """The columns with their pictures, the farthest from the real ones first."""
    found = next((f.detail.get("columns", ()) for f in report.findings if f.metric == "fidelity.shape"), ())
    ranked = sorted(found, key=lambda column: -column.get("value", 0.0))
    drawn = [{**column, "plot": _picture(column)} for column in ranked[:DRAWN_COLUMNS]]
    return {"drawn": drawn, "all": len(ranked)}


def _picture(column: Mapping[str, Any]) -> Markup:
    cells = column.get("cells", ())
    if not cells:
        return Markup("")
    return figures.histogram(cells) if column.get("distance") == "KS" else figures.bars(cells)


def pairs(report: Report) -> dict[str, Any]:
    """The map of all pairs, if it was measured, and the worst of them."""
    detail = next((f.detail for f in report.findings if f.metric == "fidelity.pairs"), {})
    if len(detail.get("columns", ())) < 2 or "matrix" not in detail:
        return {}
    drawn = figures.heat_map(detail["columns"], detail["matrix"])
    return {"map": drawn, "worst": tuple(detail.get("worst", ()))[:8], "shades": figures.SHADES}


def removed(report: Report) -> Iterator[tuple[str, str]]:
    """Columns that were not learned, and what was done instead."""
    done = {
        "drop": "dropped: it does not stand in the synthetic records",
        "key": "regenerated: numbered anew",
        "subject": "regenerated: synthetic patients are numbered anew",
    }
    for column in report.subject.get("columns", ()):
        if column.get("role") in done:
            yield column["name"], done[column["role"]]


def reproduction(report: Report) -> Iterator[tuple[str, str]]:
    """What it takes to make these numbers again."""
    s = report.subject
    for key in ("seed", "tier"):
        if s.get(key) is not None:
            yield key.capitalize(), str(s[key])
    for name, value in s.get("config", {}).items():
        yield str(name), str(value)
    for name, version in s.get("versions", {}).items():
        yield str(name), str(version)
    for name, seconds in s.get("times", {}).items():
        yield f"Time: {name}", f"{seconds:.1f} s" if isinstance(seconds, float) else str(seconds)
