"""Finding and Report: the JSON in which the judge and the gate meet. The truth is here; HTML only renders it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, cast

from semblance.core.estimate import Estimate

Section = Literal["fidelity", "utility", "privacy", "fairness", "rare", "validity"]
Status = Literal["measured", "not_applicable", "insufficient", "error"]


def section_of(metric: str) -> Section:
    """The section that a metric id begins with: 'privacy.unique_copies' belongs to privacy."""
    return cast(Section, metric.partition(".")[0])


def spelt(metric: str) -> str:
    """A metric id in words, for a finding that nothing has named: 'privacy.unique_copies' is 'Unique copies'."""
    section, _, name = metric.partition(".")
    return (name.replace(".", " ").replace("_", " ").replace("*", "").strip() or section).capitalize()


@dataclass(frozen=True)
class Finding:
    """One measured thing.

    `metric` is a stable id such as "fidelity.c2st"; `estimate` the value with its interval; `control` the same measure
    on real data against real data, or what `control_is` names instead; `floor` the same of the modality's naive
    generator, or of what `floor_is` names. `better` says which way is good.
    `gated` findings are compared with the policy. `detail` holds what a picture needs, never a record.
    A finding that cannot apply is "not_applicable" and never refuses; one that crashed is "error" and always does.
    """

    metric: str
    title: str
    section: Section
    status: Status = "measured"
    estimate: Estimate | None = None
    control: Estimate | None = None
    floor: Estimate | None = None
    control_is: str = ""
    floor_is: str = ""
    better: Literal["lower", "higher", "half"] = "lower"
    meaning: str = ""
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status == "measured" and self.estimate is None:
            raise ValueError(f"{self.metric}: a measured finding has an estimate")
        if self.status != "measured" and not self.reason:
            raise ValueError(f"{self.metric}: say why it was not measured")

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Finding:
        """The inverse of `to_json`."""
        numbers = {k: None if data[k] is None else Estimate(**data[k]) for k in ("estimate", "control", "floor")}
        return cls(**{**data, **numbers})


@dataclass(frozen=True)
class Report:
    """Every finding about one synthetic data set, what was judged, and (once the gate has spoken) the decision."""

    findings: tuple[Finding, ...]
    subject: Mapping[str, Any]
    decision: Mapping[str, Any] | None = None
    version: int = 1

    def __getitem__(self, metric: str) -> Finding:
        return {finding.metric: finding for finding in self.findings}[metric]

    def decided(self, decision: Mapping[str, Any]) -> Report:
        """The same report with the gate's decision."""
        return replace(self, decision=decision)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "version": self.version,
            "subject": dict(self.subject),
            "decision": None if self.decision is None else dict(self.decision),
            "findings": [finding.to_json() for finding in self.findings],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """The inverse of `to_json`."""
        findings = tuple(Finding.from_json(entry) for entry in data["findings"])
        return cls(findings, data["subject"], data["decision"], data["version"])
