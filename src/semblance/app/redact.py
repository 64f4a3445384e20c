"""The report that may leave: an allow-list of what stands in it, with counts and estimates made coarse.

A report about private data is itself a release. Exact counts and exact metrics, asked for often enough, rebuild
records (ReconSyn, Ganev and De Cristofaro 2023), so what leaves is rounded and says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from semblance.app.coarse import CURVE_POINTS, SHARE, SMALL, STEP, TIMES, coarse, detail, rounded, steps
from semblance.core.report import Finding, Report
from semblance.release.gate import Check, explain

SAID = ("floor", "readable", "untested")
"""What a modality says of itself, which is the same of all data."""
KEPT = ("generator", "wanted", "guarantee", "promise", "target", "tier", "versions", "date", "sha256", *SAID)
INSIDE = "the reason stays inside"

LEFT_OUT = (
    f"Counts are rounded, and counts below {SMALL} are not shown",
    f"Values, intervals and controls are rounded to {STEP:g}, intervals outwards",
    f"Pictures and tables show no group of fewer than {SMALL} patients, and shares are rounded to {SHARE:.0%}",
    f"Curves keep at most {CURVE_POINTS} points (attacks) or {TIMES} rounded times (survival)",
    "Coefficients, tables by column, and how far single records lie from each other stay inside",
    "Configuration, seed, hashes of the input, missing rates, the names of columns that were removed, and the kinds of "
    "records that too few patients have stay inside",
)


def redact(report: Report) -> Report:
    """The public version of a report."""
    findings = tuple(map(_finding, report.findings))
    decision = None if report.decision is None else _decision(report.decision)
    return Report(findings, _subject(report.subject), decision, report.version)


def _subject(subject: Mapping[str, Any]) -> dict[str, Any]:
    told = {key: subject[key] for key in KEPT if key in subject}
    for key in ("rows", "patients", "pieces"):
        counts = subject.get(key)
        if isinstance(counts, Mapping):
            told[key] = {part: coarse(n) if isinstance(n, int) else n for part, n in counts.items()}
    told["columns"] = [
        {key: column[key] for key in ("name", "kind", "role") if key in column}
        for column in subject.get("columns", ())
        if column.get("role") != "drop"
    ]
    return told


def _finding(finding: Finding) -> Finding:
    numbers: dict[str, Any] = {key: rounded(getattr(finding, key)) for key in ("estimate", "control", "floor")}
    return replace(finding, **numbers, reason=_reason(finding), detail=detail(finding))


def _reason(finding: Finding) -> str:
    """A reason may hold exact counts; why something does not apply is a plain statement, unless it counts."""
    return finding.reason if finding.status == "not_applicable" and _plain(finding.reason) else _inside(finding)


def _inside(finding: Finding) -> str:
    return "" if finding.status == "measured" else INSIDE


def _plain(text: str) -> bool:
    return not any(letter.isdigit() for letter in text)


def _decision(decision: Mapping[str, Any]) -> dict[str, Any]:
    checks = {name: [_check(check) for check in listed] for name, listed in decision["checks"].items()}
    reasons = [check["reason"] for check in checks.get(decision["against"], ()) if check["refuses"]]
    kept = {key: decision[key] for key in ("verdict", "granted", "asked", "exit_code", "against", "policy")}
    return {**kept, "reasons": reasons, "checks": checks}


def _check(data: Mapping[str, Any]) -> dict[str, Any]:
    check = Check.from_json(data)
    n = None if check.n is None else coarse(check.n)
    run = check.metric.startswith("run.")
    number = check.number if check.number is None else _group(check.number) if run else _worse(check.number, check)
    # A note may hold names of columns or exact counts; that something does not apply, or is not known, is plain.
    plain = check.outcome == "NOT APPLICABLE" or (run and check.outcome == "MISSING")
    note = check.note if plain and _plain(check.note) else ""
    check = replace(check, number=number, n=n if isinstance(n, int) else None, needs=_needed(check.needs), note=note)
    return replace(check, reason=explain(check)).to_json()


def _group(number: float) -> float:
    """A fewest count of patients, lowered to a usual limit: a measured one is an exact count."""
    return float(max(limit for limit in (0, 1, 5, SMALL) if limit <= number))


def _worse(number: float, check: Check) -> float:
    count = math.ceil(number / STEP - 1e-9) if check.direction == "at_most" else math.floor(number / STEP + 1e-9)
    return steps(count)


def _needed(count: int) -> int:
    """How many patients are needed, raised to two digits: the exact number follows from exact counts."""
    digit: int = 10 ** max(len(str(count)) - 2, 0)
    return -(-count // digit) * digit
