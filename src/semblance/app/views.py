"""What the page shows, as plain values: the first page, then every finding, then what lies behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from semblance.app import words
from semblance.app.facts import count, facts, removed, reproduction
from semblance.app.judged import LEVELS, WORST_FIRST, Judged, judge, unshown
from semblance.app.panels import panels
from semblance.core.report import Report

FIRST_REASONS = 5
WORST_GROUP = ("fairness.subgroup_utility", "fairness.subgroup_fidelity")


def view(report: Report) -> dict[str, Any]:
    """Everything the template shows."""
    judged = judge(report)
    shown = panels(report)
    return {
        **_decided(report),
        "subject": report.subject,
        "facts": tuple(facts(report)),
        "lights": tuple(light(report, name, judged) for name in words.LIGHTS),
        "worst": worst_group(judged),
        "sections": tuple(section(report, name, judged) for name in words.SECTIONS),
        "matrix": tuple(matrix(report)),
        "levels": words.LEVELS,
        "untested": tuple(words.untested(report)),
        "unmeasured": tuple(words.unmeasured(report)),
        "intended": words.INTENDED,
        "prohibited": words.PROHIBITED,
        "removed": tuple(removed(report)),
        "notes": tuple(report.subject.get("notes", ())),
        "reproduction": tuple(reproduction(report)),
        "shown": shown,
        "contents": tuple(contents(shown, decided=report.decision is not None)),
    }


def _decided(report: Report) -> dict[str, Any]:
    """The verdict in words, and what stands against the next better one."""
    verdict, decision = words.verdict(report), report.decision or {}
    reasons = tuple(decision.get("reasons", ()))
    return {
        "verdict": verdict,
        "headline": words.headline(report),
        "meaning": words.VERDICTS[verdict][1],
        "decision": decision,
        "reasons": reasons[:FIRST_REASONS],
        "more_reasons": reasons[FIRST_REASONS:],
        "against": words.against(decision) if reasons else "",
        "ladder": tuple(ladder(report)),
    }


def contents(shown: Mapping[str, Any], *, decided: bool) -> Iterator[tuple[str, str]]:
    """The table of contents: the id and the title of each part that the page has."""
    yield from (("summary", "At a glance"), ("use", "Use and limits"), ("findings", "Every finding"))
    if decided:
        yield "policy", "What each profile asks"
    titles = {
        "pictures": "What it looks like",
        "frontier": "Privacy against utility",
        "attacks": "Membership attacks",
        "secrets": "Secrets",
        "groups": "Groups of patients",
        "survival": "Survival",
        "models": "Coefficients",
        "features": "Importance of features",
        "projections": "Projection",
        "pairs": "Pairs of columns",
    }
    yield from ((key, title) for key, title in titles.items() if shown[key])
    if shown["columns"]["drawn"]:
        yield "columns", "Column by column"
    yield "again", "How to check and repeat"


def light(report: Report, name: str, judged: Sequence[Judged]) -> dict[str, Any]:
    """One of the five lights: as good as its worst finding, which is shown beside it."""
    sections = words.LIGHTS[name]
    mine = [one for one in judged if one.finding.section in sections]
    worst = min(mine, key=lambda one: one.rank, default=None)
    refused = tuple(unshown(report, sections, shown={one.finding.metric for one in mine}))
    levels = ["untested" if worst is None else worst.level, *(level for level, _ in refused)]
    level = min(levels, key=WORST_FIRST.index)
    return {
        "name": name,
        "title": words.SECTIONS[name][0],
        "question": words.SECTIONS[name][1],
        "level": level,
        "worst": worst,
        "tally": tally(mine),
        "extra": tuple(reason for _, reason in sorted(refused, key=lambda one: WORST_FIRST.index(one[0]))),
    }


def tally(findings: Sequence[Judged]) -> str:
    """How many of the findings under a rule are how good, in words."""
    levels = [one.level for one in findings if one.ruled]
    told = {"public": "good enough to publish", "controlled": "for controlled access only", "internal": "inside only"}
    told |= {"none": "failed", "insufficient": "insufficient"}
    said = [f"{levels.count(level)} {text}" for level, text in told.items() if level in levels]
    count = f"{len(levels)} finding{'' if len(levels) == 1 else 's'} under a rule"
    return f"{count}: {', '.join(said)}" if len(said) > 1 else f"{count}, {said[0].partition(' ')[2]}" if said else ""


def worst_group(judged: Sequence[Judged]) -> dict[str, Any]:
    """The group of patients that fares worst, and by which finding; empty where groups were not compared."""
    found = [one for one in judged if one.finding.section == "fairness" and one.finding.detail.get("groups")]
    preferred = [one for one in found if one.finding.metric in WORST_GROUP] or found
    if not preferred:
        return {}
    one = min(preferred, key=lambda one: one.rank)
    return {"title": one.title, "meaning": one.meaning, "level": one.level, **one.finding.detail["groups"][0]}


def section(report: Report, name: str, judged: Sequence[Judged]) -> dict[str, Any]:
    """The findings of a section, the worst first; those without a rule stand apart."""
    mine = sorted((one for one in judged if one.finding.section == name), key=lambda one: one.rank)
    refused = unshown(report, (name,), shown={one.finding.metric for one in mine})
    return {
        "name": name,
        "title": words.SECTIONS[name][0],
        "question": words.SECTIONS[name][1],
        "ruled": tuple(one for one in mine if one.ruled),
        "context": tuple(one for one in mine if not one.ruled),
        "extra": tuple(reason for _, reason in refused),
    }


def matrix(report: Report) -> Iterator[dict[str, Any]]:
    """One row per check, with each profile's outcome and threshold beside each other; none for what no profile requires
    and nothing measures, as of another modality."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for profile, checks in (report.decision or {}).get("checks", {}).items():
        for check in checks:
            row = {"title": check["title"], "metric": check["metric"], "compared": compared(check)}
            rows.setdefault((check["metric"], check["bound"]), row)[profile] = check
    yield from (row for row in rows.values() if any(_asks(row[profile]) for profile in LEVELS if profile in row))


def _asks(check: Mapping[str, Any]) -> bool:
    """Whether a profile asks for it of these records."""
    return check["outcome"] != "MISSING" or check["refuses"]


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
