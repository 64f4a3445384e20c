"""The gate: a report and a policy in, a decision with its reasons out.

It fails closed. What crashed, is missing, or rests on too few patients refuses; only "not applicable" does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from semblance.core.estimate import Estimate
from semblance.core.report import Finding, Report, spelt
from semblance.release.policy import Policy, Profile, Rule, holds

Outcome = Literal["PASS", "FAIL", "NOT APPLICABLE", "INSUFFICIENT", "ERROR", "MISSING"]
Verdict = Literal["RELEASE", "CONTROLLED", "REFUSED"]


@dataclass(frozen=True)
class Check:
    """One rule applied to one finding: the outcome, the number compared, and (last) the reason as a sentence."""

    metric: str
    title: str
    section: str
    outcome: Outcome
    bound: str = ""
    direction: str = ""
    number: float | None = None
    threshold: float | None = None
    n: int | None = None
    needs: int = 0
    required: bool = True
    note: str = ""
    reason: str = ""

    @property
    def refuses(self) -> bool:
        """Whether this check alone keeps the profile from being granted."""
        if self.outcome in ("MISSING", "INSUFFICIENT"):
            return self.required
        return self.outcome in ("FAIL", "ERROR")

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {**asdict(self), "refuses": self.refuses}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Check:
        """The inverse of `to_json`."""
        return cls(**{key: value for key, value in data.items() if key != "refuses"})


@dataclass(frozen=True)
class Decision:
    """What the gate says. `checks` holds every check of every profile, from the strictest profile to the loosest."""

    asked: str
    checks: Mapping[str, tuple[Check, ...]]
    policy: Mapping[str, str]

    def grants(self, profile: str) -> bool:
        """Whether a profile passes entirely."""
        return not any(check.refuses for check in self.checks[profile])

    @property
    def granted(self) -> str | None:
        """The strictest profile that passes entirely."""
        return next((profile for profile in self.checks if self.grants(profile)), None)

    @property
    def verdict(self) -> Verdict:
        """RELEASE to the public, CONTROLLED access, or REFUSED (which leaves internal use, if that is granted)."""
        if self.grants("public"):
            return "RELEASE"
        return "CONTROLLED" if self.grants("controlled") else "REFUSED"

    @property
    def against(self) -> str | None:
        """The profile whose refusals are told: the asked one, or the next better one where that is granted."""
        if not self.grants(self.asked):
            return self.asked
        return {"RELEASE": None, "CONTROLLED": "public", "REFUSED": "controlled"}[self.verdict]

    @property
    def reasons(self) -> tuple[str, ...]:
        """What stands against the profile `against`."""
        refusing = () if self.against is None else self.checks[self.against]
        return tuple(check.reason for check in refusing if check.refuses)

    @property
    def exit_code(self) -> int:
        """0 if the asked profile is granted, 5 if privacy is (among) what refuses it, otherwise 6."""
        refusing = [check for check in self.checks[self.asked] if check.refuses]
        if not refusing:
            return 0
        return 5 if any(check.section == "privacy" for check in refusing) else 6

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, with everything that a page needs to show it."""
        return {
            "verdict": self.verdict,
            "granted": self.granted,
            "asked": self.asked,
            "exit_code": self.exit_code,
            "against": self.against,
            "reasons": list(self.reasons),
            "policy": dict(self.policy),
            "checks": {profile: [check.to_json() for check in checks] for profile, checks in self.checks.items()},
        }


def decide(report: Report, policy: Policy, *, asked: str = "controlled", rare: int | None = 5) -> Decision:
    """Judge a report. `rare` is the fewest patients behind any category of the output, None where nobody knows it.

    `report.subject` tells the gate about the run: "generator" (the card, with "holds_records") and "unresolved" (names
    of columns that may identify a patient and that nobody decided on). Where one is absent, public is refused. Under a
    "promise" of differential privacy no number of patients stands behind a category.
    Raises UsageError for a profile that is not in the policy.
    """
    asked = policy[asked].name
    checks = {
        profile.name: tuple(
            replace(check, reason=explain(check))
            for check in (*_run(report, profile, rare=rare), *_judge(report, profile), *_crashed(report, profile))
        )
        for profile in policy.profiles
    }
    return Decision(asked, checks, {"name": policy.name, "sha256": policy.sha256})


def _judge(report: Report, profile: Profile) -> Iterator[Check]:
    for rule in profile.rules:
        found = [finding for finding in report.findings if rule.matches(finding.metric)]
        if not found:
            section = rule.metric.partition(".")[0]
            yield Check(rule.metric, spelt(rule.metric), section, "MISSING", **_terms(rule))
        for finding in found:
            yield _apply(rule, finding)


def _apply(rule: Rule, finding: Finding) -> Check:
    check = Check(finding.metric, finding.title, finding.section, "ERROR", note=finding.reason, **_terms(rule))
    if finding.status == "measured" and finding.estimate is not None:
        estimate, few = finding.estimate, finding.estimate.n < rule.needs
        number, point = _numbers(rule, finding)
        needs = max(rule.needs, _enough(rule, estimate))
        # A value beyond the threshold fails however few the patients; a value within it needs enough of them.
        outcome: Outcome = "PASS" if rule.allows(number) else "FAIL"
        if rule.allows(point) and (few or (outcome == "FAIL" and needs > estimate.n)):
            outcome = "INSUFFICIENT"
        # Too few patients is a matter of the threshold itself, so it binds even where the finding may be missing.
        required = rule.required or outcome == "INSUFFICIENT"
        return replace(check, outcome=outcome, number=number, n=estimate.n, needs=needs, required=required)
    named: dict[str, Outcome] = {"not_applicable": "NOT APPLICABLE", "insufficient": "INSUFFICIENT"}
    return replace(check, outcome=named.get(finding.status, "ERROR"))


def _numbers(rule: Rule, finding: Finding) -> tuple[float, float]:
    """The number that the rule compares, and the same without regard to the interval."""
    estimate, control = finding.estimate, finding.control
    assert estimate is not None
    if rule.bound == "excess":
        excess = estimate.value - (rule.ideal if control is None else control.value)
        return excess, excess
    return {"value": estimate.value, "upper": estimate.high, "lower": estimate.low}[rule.bound], estimate.value


def _enough(rule: Rule, estimate: Estimate) -> int:
    """Units with which the interval of a perfect generator would end at the threshold: its width falls with 1/sqrt(n).

    0 where the rule does not look at the interval.
    """
    if rule.bound not in ("upper", "lower"):
        return 0
    half = estimate.high - estimate.value if rule.bound == "upper" else estimate.value - estimate.low
    room = abs(rule.threshold - rule.ideal)
    return math.ceil(estimate.n * (half / room) ** 2) if room > 0 else 0


def _terms(rule: Rule) -> dict[str, Any]:
    terms = {"bound": rule.bound, "direction": rule.direction, "threshold": rule.threshold}
    return {**terms, "needs": rule.needs, "required": rule.required}


def _crashed(report: Report, profile: Profile) -> Iterator[Check]:
    for finding in report.findings:
        if finding.status == "error" and not any(rule.matches(finding.metric) for rule in profile.rules):
            yield Check(finding.metric, finding.title, finding.section, "ERROR", note=finding.reason)


def _run(report: Report, profile: Profile, *, rare: int | None) -> Iterator[Check]:
    yield _groups(report, profile, rare=rare)
    if not profile.holds_records:
        yield _generator(report)
    if not profile.unresolved:
        yield _identifiers(report)


def _groups(report: Report, profile: Profile, *, rare: int | None) -> Check:
    promise = report.subject.get("promise")
    private = isinstance(promise, Mapping) and promise.get("epsilon") is not None
    known = 1 if rare is None and profile.rare <= 1 else rare  # every category of train has a patient
    check = Check("run.rare", "Fewest patients behind a category", "privacy", "MISSING", "value", "at_least")
    check = replace(check, threshold=float(profile.rare))
    if private:  # the generator drops no category, and how many patients hold one is nobody's to know
        return replace(check, outcome="NOT APPLICABLE", note="categories are declared or paid for under the guarantee")
    if known is None:
        return replace(check, note="nothing says how many patients stand behind each category")
    return replace(check, outcome="PASS" if known >= profile.rare else "FAIL", number=float(known))


def _generator(report: Report) -> Check:
    card = report.subject.get("generator")
    holds = card.get("holds_records") if isinstance(card, Mapping) else None
    check = Check("run.generator", "Generator keeps no records", "privacy", "PASS")
    if holds is None:
        return replace(check, outcome="MISSING", note="no card says whether the generator keeps training records")
    return replace(check, outcome="FAIL", note="the generator keeps training records") if holds else check


def _identifiers(report: Report) -> Check:
    columns = report.subject.get("unresolved")
    check = Check("run.identifiers", "Identifiers are resolved", "privacy", "PASS")
    if columns is None:
        return replace(check, outcome="MISSING", note="nothing says whether every possible identifier was decided on")
    named = ", ".join(f"'{name}'" for name in columns)
    return replace(check, outcome="FAIL", note=f"nobody has decided on {named}") if columns else check


def explain(check: Check, *, digits: int = 3) -> str:
    """The reason of a check as one sentence; numbers carry `digits` decimals."""
    limit = "" if check.threshold is None else f"{check.direction.replace('_', ' ')} {check.threshold:g}"
    note = f" ({check.note})" if check.note else ""
    match check.outcome:
        case "MISSING":
            return f"{check.title}: {check.note or 'not measured, and the policy requires it'}"
        case "ERROR":
            return f"{check.title}: the measurement crashed{note}"
        case "NOT APPLICABLE":
            return f"{check.title}: not applicable{note}"
        case "INSUFFICIENT" if check.n is not None:
            enough = f"about {_round_up(check.needs):,} are needed to certify {limit}"
            return f"{check.title}: rests on {check.n:,} patients; {enough}"
        case "INSUFFICIENT":
            return f"{check.title}: cannot be certified{note}"
    if check.number is None:
        return f"{check.title}: {check.note or check.outcome.lower()}"
    number = _told(check, digits=digits)
    if check.bound == "excess" and check.direction == "at_least" and check.threshold is not None:
        side = "below" if check.number < 0 else "above"
        return f"{check.title} is {number.removeprefix('-')} {side} real against real; {-check.threshold:g} is allowed"
    reads = {
        "value": f"is {number}",
        "excess": f"is {number} above real against real",
        "upper": f"may be as high as {number}",
        "lower": f"may be as low as {number}",
    }
    return f"{check.title} {reads[check.bound]}; {limit} is {'allowed' if check.direction == 'at_most' else 'required'}"


def _round_up(count: int) -> int:
    """A count of patients that is needed, to two digits: it is an estimate itself."""
    step: int = 10 ** max(len(str(count)) - 2, 0)
    return -(-count // step) * step


def _told(check: Check, *, digits: int) -> str:
    """The number with `digits` decimals, or more where rounding would hide on which side of the threshold it lies."""
    assert check.number is not None and check.threshold is not None
    if check.number.is_integer():
        return f"{check.number:g}"
    for decimals in range(digits, 16):
        text = f"{check.number:.{decimals}f}"
        told, true = (holds(number, check.direction, check.threshold) for number in (float(text), check.number))
        if told == true:
            return text
    return repr(check.number)
