"""The plain words of the report and the card: verdicts, sections, uses, and what was not tested."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from semblance.core.report import Report

VERDICTS: Mapping[str, tuple[str, str]] = {
    "RELEASE": (
        "May be published",
        "The synthetic records pass every public threshold: anyone may have the files in the folder public/.",
    ),
    "CONTROLLED": (
        "For named users under an agreement",
        "The synthetic records may be shared with named users under an agreement. They must not be published.",
    ),
    "REFUSED": (
        "Must not leave the institution",
        "The synthetic records must not be shared: at least one requirement for controlled access is not met.",
    ),
    "UNDECIDED": ("Not decided yet", "The findings below have not been compared with a release policy."),
}

BARRIERS: Mapping[str, str] = {
    "public": "public release",
    "controlled": "controlled access",
    "internal": "internal use",
}

UNKNOWN_GENERATOR = "unknown: the records were made elsewhere"

LEVELS: Mapping[str, tuple[str, str]] = {
    "public": ("Public", "good enough to publish"),
    "controlled": ("Controlled", "good enough for named users under an agreement"),
    "internal": ("Internal", "good enough only inside the institution"),
    "none": ("Failed", "not good enough for any use"),
    "context": ("For context", "shown for orientation, not judged by the policy"),
    "absent": ("Not applicable", "does not apply to these data"),
    "untested": ("Not tested", "nothing was measured here"),
}

SECTIONS: Mapping[str, tuple[str, str]] = {
    "privacy": ("Privacy", "Could someone learn about a patient from the synthetic records?"),
    "utility": ("Utility", "Does an analysis of the synthetic records reach what the real ones would give?"),
    "fidelity": ("Fidelity", "Do the synthetic records look like the real ones?"),
    "fairness": ("Fairness", "Are the records as good for one group of patients as for another?"),
    "validity": ("Validity", "Are the records clinically and formally possible?"),
}

MEANINGS: Mapping[str, str] = {
    "fidelity.shape": "Distance between each column's synthetic and real distribution: 0 same, 1 nothing in common.",
    "fidelity.pairs": "The same distance for two columns together, so that relations between columns count.",
    "fidelity.c2st": "How well a classifier tells synthetic from real records: 0.5 cannot tell, 1 always right.",
    "utility.gap": "What a prediction model loses when it learns from synthetic instead of real records: 0 nothing.",
    "utility.tstr": "Quality of a prediction model that learned from synthetic records, on real ones: 1 is best.",
    "privacy.membership": "How much better than a guess an attacker tells who was in the training data: 0 not at all.",
    "privacy.membership_tpr": "Share of training patients found while 1 % of outsiders are accused: 0.01 is a guess.",
    "privacy.copies": "Synthetic records that repeat a training record, beyond what chance makes: 0 none.",
    "privacy.unique_copies": "The same, only for records that a single patient holds.",
}

INTENDED = (
    "Exploring the structure of the data, and preparing analyses and software before access to real records",
    "Teaching, and testing of pipelines and dashboards",
    "Methods research, with every conclusion confirmed on real records",
)

PROHIBITED = (
    "Decisions about the care of a person, or about a person at all",
    "Any attempt to find a person, or to link the records with other data about people",
    "Evidence of efficacy or safety, or a regulatory claim, without confirmation on real records",
    "Passing the records on beyond the verdict on this page",
)

_UNTESTED: Mapping[str, str] = {
    "privacy.attribute": "Whether a sensitive value of a patient can be inferred from the patient's other values",
    "privacy.singling_out": "Whether single patients can be singled out or linked with an outside file",
    "privacy.shadow": "Attackers who can train the same generator again many times (shadow models)",
    "utility.inference": "Whether estimates, confidence intervals and p-values of a published analysis would agree",
    "fairness.": "Whether small or protected groups of patients are represented as well as the others",
    "validity.": "Whether each record is clinically possible (order of dates, sex-specific diagnoses, ranges)",
}


def meaning(metric: str) -> str:
    """What a finding says, in plain words; empty for one that is not known here."""
    known = (name for name in MEANINGS if metric == name or metric.startswith(name + "."))
    return MEANINGS.get(max(known, key=len, default=""), "")


def untested(report: Report) -> Iterator[str]:
    """What this report does not say, in plain words."""
    measured = [finding for finding in report.findings if finding.status == "measured"]
    for prefix, text in _UNTESTED.items():
        if not any(finding.metric.startswith(prefix) for finding in measured):
            yield text
    for finding in report.findings:
        if finding.status != "measured":
            yield f"{finding.title}: {finding.status.replace('_', ' ')} ({finding.reason})"


def against(decision: Mapping[str, Any]) -> str:
    """The title of a decision's reasons: which profile they stand against."""
    profile = decision["against"]
    return f"What stands against {BARRIERS[profile]}" + (", as asked for" if profile == decision["asked"] else "")


def number(value: float | None, *, digits: int = 3) -> str:
    """A number as it is read, with a true minus sign; a dash for none."""
    if value is None:
        return "\u2013"
    text = f"{value:.{digits}f}"
    return f"\u2212{text[1:]}" if text.startswith("-") and float(text) != 0 else text.lstrip("-")


def limits(check: Mapping[str, Any]) -> str:
    """A threshold as it is read: '≤ 0.02'."""
    if check.get("threshold") is None:
        return ""
    above = " above real" if check["bound"] == "excess" else ""
    return f"{'≤' if check['direction'] == 'at_most' else '≥'} {check['threshold']:g}{above}"


def verdict(report: Report) -> str:
    """The verdict's name, UNDECIDED where the gate has not spoken."""
    return "UNDECIDED" if report.decision is None else str(report.decision["verdict"])
