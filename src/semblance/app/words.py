"""The plain words of the report and the card: verdicts, sections, uses, and what was not tested."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from semblance.core.estimate import Estimate
from semblance.core.report import Finding, Report

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
    "insufficient": ("Insufficient", "too little is known to certify it for any use"),
    "context": ("For context", "shown for orientation, not judged by the policy"),
    "absent": ("Not applicable", "does not apply to these data"),
    "untested": ("Not tested", "nothing was measured here"),
}

SECTIONS: Mapping[str, tuple[str, str]] = {
    "privacy": ("Privacy", "Could someone learn about a patient from the synthetic records?"),
    "utility": ("Utility", "Does an analysis of the synthetic records reach what the real ones would give?"),
    "fidelity": ("Fidelity", "Do the synthetic records look like the real ones?"),
    "fairness": ("Fairness", "Are the records as good for one group of patients as for another?"),
    "rare": ("Rare groups", "Are unusual patients still there, and not only the average ones?"),
    "validity": ("Validity", "Are the records clinically and formally possible?"),
}

LIGHTS: Mapping[str, tuple[str, ...]] = {
    "privacy": ("privacy",),
    "utility": ("utility", "fidelity"),
    "fairness": ("fairness",),
    "rare": ("rare",),
    "validity": ("validity",),
}
"""The five lights of the first page, and the sections that each stands for."""

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
    "privacy.membership": "Whether an attacker can tell who was in the training data",
    "privacy.attribute": "Whether more can be learned about the patients of the training data than about others",
    "privacy.singling_out": "Whether single patients can be picked out by what is special about them",
    "privacy.linkability": "Whether two files about one patient can be joined through the synthetic records",
    "privacy.inference": "Whether a secret of a patient can be guessed from what an outsider may know",
    "privacy.shadow": "Attackers who can train the same generator again and again (only --tier audit tests it)",
    "utility.inference": "Whether a published analysis would come to the same estimates, intervals and p-values",
    "fairness.": "Whether groups of patients are served equally well (needs columns declared as protected)",
    "rare.": "Whether rare kinds of patients are still there",
    "validity.": "Whether each record is clinically possible",
}
"""What a report may leave open, by the start of the ids that would have measured it; modalities have their own."""

NOBODY_TESTED = (
    "Attackers who know more than these attacks assume, or who hold several releases of the same patients",
    "Whether the real records themselves are right, complete and fair",
)
"""What no report of this kind can say."""


def untested(report: Report) -> Iterator[str]:
    """What this report does not say, in plain words: what nobody looked at, then what could not be measured."""
    tested = [finding.metric for finding in report.findings if finding.status == "measured"]
    # An attack on membership has no finding of its own: it is one of those that the best is chosen from.
    tested += [f"privacy.{attack['name']}" for f in report.findings for attack in f.detail.get("attacks", ())]
    for prefix, text in {**_UNTESTED, **report.subject.get("untested", {})}.items():
        if not any(metric.startswith(prefix) for metric in tested):
            yield text
    yield from NOBODY_TESTED


def unmeasured(report: Report) -> Iterator[str]:
    """The findings that have no number, or whose number certifies nothing, each with its reason."""
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


def interval(estimate: Estimate, form: str = " [{}, {}]") -> str:
    """The ends of an interval in a form; nothing where one unit was measured, which has none."""
    return "" if estimate.n == 1 else form.format(number(estimate.low), number(estimate.high))


REAL, NAIVE = "real against real", "naive generator"
"""What a control and a floor are, where a finding does not say."""


def control(finding: Finding) -> str:
    """What the control of a finding is."""
    return finding.control_is or REAL


def floor(finding: Finding) -> str:
    """What the floor of a finding is."""
    return finding.floor_is or NAIVE


def limits(check: Mapping[str, Any]) -> str:
    """A threshold as it is read: '≤ 0.02', or '≤ 0.1 below real' where less than real is allowed by so much."""
    threshold = check.get("threshold")
    if threshold is None:
        return ""
    if check["bound"] != "excess":
        return f"{'≤' if check['direction'] == 'at_most' else '≥'} {threshold:g}"
    if check["direction"] == "at_least" and threshold < 0:
        return f"≤ {-threshold:g} below real"
    return f"{'≤' if check['direction'] == 'at_most' else '≥'} {threshold:g} above real"


def verdict(report: Report) -> str:
    """The verdict's name, UNDECIDED where the gate has not spoken."""
    return "UNDECIDED" if report.decision is None else str(report.decision["verdict"])


def headline(report: Report) -> str:
    """The verdict in a few words; a refusal also says whether use inside is granted."""
    refused = report.decision is not None and report.decision["granted"] is None
    return "Not good enough for any use" if refused else VERDICTS[verdict(report)][0]
