"""The report that may leave: an allow-list of what stands in it, with counts and estimates made coarse.

A report about private data is itself a release. Exact counts and exact metrics, asked for often enough, rebuild
records (ReconSyn, Ganev and De Cristofaro 2023), so what leaves is rounded and says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from semblance.app.words import meaning
from semblance.core.estimate import Estimate
from semblance.core.report import Finding, Report
from semblance.release.gate import Check, explain

SMALL = 11
STEP = 0.005
SHARE = 0.01
KEPT = ("generator", "guarantee", "target", "tier", "versions", "date")

LEFT_OUT = (
    f"Counts are rounded, and counts below {SMALL} are not shown",
    f"Values, intervals and controls are rounded to {STEP:g}, intervals outwards",
    f"Pictures show no group of fewer than {SMALL} patients, and shares are rounded to {SHARE:.0%}",
    "Configuration, seed, hashes of the input, missing rates, and the names of columns that were removed stay inside",
)


def redact(report: Report) -> Report:
    """The public version of a report."""
    subject = {key: report.subject[key] for key in KEPT if key in report.subject}
    for key in ("rows", "patients"):
        counts = report.subject.get(key)
        if isinstance(counts, Mapping):
            subject[key] = {part: coarse(count) for part, count in counts.items() if isinstance(count, int)}
    subject["columns"] = [
        {key: column[key] for key in ("name", "kind", "role") if key in column}
        for column in report.subject.get("columns", ())
        if column.get("role") != "drop"
    ]
    findings = tuple(_finding(finding) for finding in report.findings)
    return Report(findings, subject, None if report.decision is None else _decision(report.decision), report.version)


def coarse(count: int) -> int | str:
    """A count to two digits; below 11 only that it is below 11."""
    if count < SMALL:
        return f"fewer than {SMALL}"
    return round(count, 1 - math.floor(math.log10(count)))


def _finding(finding: Finding) -> Finding:
    numbers: dict[str, Any] = {key: _estimate(getattr(finding, key)) for key in ("estimate", "control", "floor")}
    # A reason may hold exact counts; why something does not apply is a plain statement.
    reason = "the reason stays inside" if finding.status in ("insufficient", "error") else finding.reason
    return replace(finding, **numbers, reason=reason, meaning=meaning(finding.metric), detail=_detail(finding))


def _estimate(estimate: Estimate | None) -> Estimate | None:
    """Rounded to STEP, the interval outwards, so that coarse never looks safer."""
    if estimate is None:
        return None
    low, high = math.floor(estimate.low / STEP + 1e-9), math.ceil(estimate.high / STEP - 1e-9)
    value = min(max(round(estimate.value / STEP), low), high)
    n = coarse(estimate.n)
    units = n if isinstance(n, int) else 0
    return Estimate(_steps(value), _steps(low), _steps(high), estimate.level, units)


def _steps(count: int) -> float:
    return round(count * STEP, 6)


def _detail(finding: Finding) -> Mapping[str, Any]:
    if finding.metric == "fidelity.shape" and finding.detail.get("rare", 0) >= SMALL:
        return {"columns": [_column(column) for column in finding.detail.get("columns", ())]}
    if finding.metric == "fidelity.pairs" and "matrix" in finding.detail:
        matrix = [[_share(value) for value in row] for row in finding.detail["matrix"]]
        return {"columns": list(finding.detail["columns"]), "matrix": matrix}
    return {}


def _column(column: Mapping[str, Any]) -> dict[str, Any]:
    cells = [
        {"label": cell["label"], "train": _share(cell["train"]), "synthetic": _share(cell["synthetic"])}
        for cell in column.get("cells", ())
    ]
    kept = {key: column[key] for key in ("name", "kind", "distance") if key in column}
    return {**kept, "value": _share(column.get("value", 0.0)), "cells": cells}


def _share(value: float) -> float:
    return round(round(value / SHARE) * SHARE, 6)


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
    # A note may hold names of columns or exact counts; why something does not apply is a plain statement.
    note = check.note if check.outcome == "NOT APPLICABLE" else ""
    check = replace(check, number=number, n=n if isinstance(n, int) else None, note=note)
    return replace(check, reason=explain(check)).to_json()


def _group(number: float) -> float:
    """A fewest count of patients, lowered to a usual limit: a measured one is an exact count."""
    return float(max(limit for limit in (0, 1, 5, SMALL) if limit <= number))


def _worse(number: float, check: Check) -> float:
    rounded = math.ceil(number / STEP - 1e-9) if check.direction == "at_most" else math.floor(number / STEP + 1e-9)
    return _steps(rounded)
