"""The model and data card in Markdown: what a person needs who meets the records without the report.

Sections follow Model Cards (Mitchell et al. 2019) and Datasheets (Gebru et al. 2021), cut to what is known here.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from semblance.app import words
from semblance.app.facts import facts, removed, reproduction
from semblance.app.judged import Judged, judge
from semblance.app.redact import LEFT_OUT, redact
from semblance.core.estimate import Estimate
from semblance.core.report import Report


def card(report: Report, *, public: bool = False) -> str:
    """The card. `public=True` writes that of the redacted report."""
    report = redact(report) if public else report
    blocks = [_head(report, public=public), _judged(report), _generator(report.subject)]
    blocks += [_data(report), _findings(report), _limits(report), _again(report, public=public)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def plain(text: Any) -> str:
    """A text that Markdown and the HTML in it take as nothing but text, on one line."""
    line = html.escape(" ".join(str(text).split()), quote=False)
    return re.sub(r"([\\`*_{}\[\]|~])", r"\\\1", line)


def _head(report: Report, *, public: bool) -> str:
    verdict = words.verdict(report)
    headline, meaning = words.headline(report), words.VERDICTS[verdict][1]
    lines = ["# Card of a synthetic data set", ""]
    lines += [] if public else ["> **Internal: do not share.**", ""]
    lines += [f"**{verdict}**: {headline.lower()}. {meaning}"]
    decision = report.decision
    if decision is not None and decision["reasons"]:
        lines += ["", f"{words.against(decision)}:", "", *_listed(decision["reasons"])]
    return "\n".join(lines)


def _judged(report: Report) -> str:
    return _section("What was judged", (f"- {name}: {plain(text)}" for name, text in facts(report)))


def _generator(subject: Mapping[str, Any]) -> str:
    made = subject.get("generator")
    if not isinstance(made, Mapping):
        return _section("Generator", [f"{words.UNKNOWN_GENERATOR.capitalize()}."])
    said = {True: "yes", False: "no", None: "unknown"}
    unpaid = made.get("private") and not subject.get("promise")
    rows = {
        "Name": made.get("name"),
        "How": made.get("summary"),
        "Paper": made.get("paper"),
        "Keeps training records": said[made.get("holds_records")],
        "Differentially private": "no (this generator can be)" if unpaid else said[made.get("private")],
    }
    return _section("Generator", (f"- {name}: {plain(value)}" for name, value in rows.items() if value))


def _data(report: Report) -> str:
    columns = [c for c in report.subject.get("columns", ()) if c.get("role") not in ("subject", "key", "drop")]
    rows = (f"| {plain(c['name'])} | {c['kind']} | {c['role']} |" for c in columns)
    lines = ["| Column | Kind | Role |", "| --- | --- | --- |", *rows] if columns else []
    gone = [f"- {plain(name)}: {what}" for name, what in removed(report)]
    lines += ["", "Not learned:", "", *gone] if gone else []
    return _section("Data", lines) if lines else ""


def _findings(report: Report) -> str:
    head = "| Finding | Value [95 % interval] | Real against real | Naive generator | Good enough for |"
    return _section("Findings", [head, "| --- | ---: | ---: | ---: | --- |", *map(_row, judge(report))])


def _row(one: Judged) -> str:
    finding, grade = one.finding, words.LEVELS[one.level][0]
    if finding.estimate is None:
        return f"| {plain(one.title)} | {finding.status.replace('_', ' ')}: {plain(finding.reason)} | | | {grade} |"
    e = finding.estimate
    others = (_other(finding.control, finding.control_is), _other(finding.floor, finding.floor_is))
    return f"| {plain(one.title)} | {words.number(e.value)}{words.interval(e)} | {' | '.join(others)} | {grade} |"


def _other(estimate: Estimate | None, called: str) -> str:
    """A control or a floor, and what it is where that is not what the column says."""
    return words.number(None if estimate is None else estimate.value) + (f" ({called})" if estimate and called else "")


def _limits(report: Report) -> str:
    untested = (*words.untested(report), *words.unmeasured(report))
    parts = {"Meant for": words.INTENDED, "Not allowed": words.PROHIBITED, "Not tested": untested}
    return "\n\n".join(_section(title, _listed(lines)) for title, lines in parts.items())


def _again(report: Report, *, public: bool) -> str:
    lines = [f"- {plain(name)}: {plain(text)}" for name, text in reproduction(report)]
    check = ["", "`semblance verify RUN` checks every byte of the folder that this card came in."]
    return _section("How to check and repeat", [*lines, *check]) + (
        "\n\n" + _section("Left out of this version", _listed(LEFT_OUT)) if public else ""
    )


def _listed(lines: Iterable[str]) -> Iterator[str]:
    return (f"- {plain(line)}" for line in lines)


def _section(title: str, lines: Iterable[str]) -> str:
    return "\n".join([f"## {title}", "", *lines])
