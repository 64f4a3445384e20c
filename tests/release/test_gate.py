"""The gate fails closed, is monotone, and a stricter profile implies the looser ones."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from importlib import resources
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semblance.core.errors import UsageError
from semblance.core.estimate import Estimate
from semblance.core.report import Finding, Report
from semblance.release.gate import Check, Decision, decide
from semblance.release.policy import PROFILES, Policy

POLICY = Policy.load()
REQUIRED = tuple(rule.metric.replace("*", "linear") for rule in POLICY["controlled"].rules if rule.required)
METRICS = tuple(rule.metric.replace("*", "linear") for rule in POLICY["public"].rules)
IDEAL = {rule.metric: rule.ideal for rule in POLICY["public"].rules}
CLEAN = {"generator": {"name": "autoregressive", "holds_records": False}, "unresolved": []}


def finding(metric: str, value: float | None = None, half: float = 0.001, n: int = 5000) -> Finding:
    value = IDEAL.get(metric, 0.0) if value is None else value
    estimate = Estimate(value, value - half, value + half, n=n)
    return Finding(metric, f"Title of {metric}", metric.partition(".")[0], estimate=estimate)  # type: ignore[arg-type]


def report(*findings: Finding, subject: Any = CLEAN) -> Report:
    return Report(findings, subject)


def good() -> tuple[Finding, ...]:
    return tuple(finding(metric) for metric in METRICS)


def changed(metric: str, *to: Finding) -> Report:
    return report(*(f for f in good() if f.metric != metric), *to)


def gate(judged: Report, *, asked: str = "controlled", rare: int = 11) -> Decision:
    return decide(judged, POLICY, asked=asked, rare=rare)


def only(decision: Decision, profile: str) -> Check:
    (check,) = [check for check in decision.checks[profile] if check.refuses]
    return check


def test_all_good_is_released() -> None:
    decision = gate(report(*good()))
    assert (decision.verdict, decision.granted, decision.exit_code, decision.reasons) == ("RELEASE", "public", 0, ())


def test_between_the_thresholds_is_controlled() -> None:
    decision = gate(changed("privacy.membership", finding("privacy.membership", 0.05)))
    assert (decision.verdict, decision.granted, decision.exit_code) == ("CONTROLLED", "controlled", 0)
    assert decision.reasons == ("Title of privacy.membership may be as high as 0.051; at most 0.02 is allowed",)


def test_beyond_controlled_is_refused_but_may_stay_internal() -> None:
    decision = gate(changed("privacy.membership", finding("privacy.membership", 0.15)))
    assert (decision.verdict, decision.granted, decision.exit_code) == ("REFUSED", "internal", 5)


def test_beyond_internal_grants_nothing() -> None:
    assert gate(changed("privacy.copies", finding("privacy.copies", 0.5))).granted is None


def test_a_reason_never_rounds_the_failure_away() -> None:
    decision = gate(changed("privacy.membership", finding("privacy.membership", 0.09905, half=0.001)))
    assert decision.reasons == ("Title of privacy.membership may be as high as 0.1001; at most 0.1 is allowed",)


def test_a_loss_against_real_is_not_rounded_away_either() -> None:
    control = Estimate(0.9, 0.8, 1.0)
    decision = gate(changed("rare.modes", replace(finding("rare.modes", 0.6996), control=control)))
    assert decision.reasons == ("Title of rare.modes is 0.2004 below real against real; 0.2 is allowed",)


def test_exit_codes_tell_privacy_from_the_rest() -> None:
    assert gate(changed("fidelity.c2st", finding("fidelity.c2st", 0.9))).exit_code == 6
    both = report(*(finding(f.metric, 0.9) for f in good()))
    assert gate(both).exit_code == 5
    assert gate(changed("fidelity.c2st", finding("fidelity.c2st", 0.75)), asked="public").exit_code == 6
    assert gate(changed("fidelity.c2st", finding("fidelity.c2st", 0.75))).exit_code == 0


@pytest.mark.parametrize(
    ("value", "asked", "against"),
    [
        (0.0, "internal", None),
        (0.05, "controlled", "public"),
        (0.05, "internal", "public"),
        (0.15, "public", "public"),
        (0.15, "controlled", "controlled"),
        (0.15, "internal", "controlled"),
        (0.9, "internal", "internal"),
    ],
)
def test_reasons_are_those_of_the_asked_profile_or_of_the_next_better_one(
    value: float, asked: str, against: str | None
) -> None:
    decision = gate(changed("privacy.membership", finding("privacy.membership", value)), asked=asked)
    refusing = () if against is None else (only(decision, against).reason,)
    assert (decision.against, decision.reasons) == (against, refusing)
    assert decision.to_json()["against"] == against


def test_few_patients_are_insufficient_for_public() -> None:
    decision = gate(
        changed("privacy.membership", finding("privacy.membership", 0.0, half=0.03, n=1575)), asked="public"
    )
    check = only(decision, "public")
    assert (check.outcome, decision.verdict, decision.exit_code) == ("INSUFFICIENT", "CONTROLLED", 5)
    assert check.reason.endswith("rests on 1,575 patients; about 3,600 are needed to certify at most 0.02")


def test_an_interval_wider_than_its_threshold_is_insufficient_and_says_how_many_patients_are_needed() -> None:
    wide = finding("privacy.linkability", 0.01, half=0.2, n=100)
    check = only(gate(changed("privacy.linkability", wide)), "controlled")
    assert (check.outcome, check.needs) == ("INSUFFICIENT", 400)
    assert check.reason.endswith("rests on 100 patients; about 400 are needed to certify at most 0.1")
    narrow = finding("privacy.linkability", 0.06, half=0.05, n=100)
    assert only(gate(changed("privacy.linkability", narrow)), "controlled").outcome == "FAIL"


def test_the_way_to_the_threshold_is_counted_from_the_ideal() -> None:
    one = finding("privacy.membership_tpr", 0.012, half=0.015, n=4000)
    check = only(gate(changed("privacy.membership_tpr", one), asked="public"), "public")
    assert (check.outcome, check.needs) == ("INSUFFICIENT", 9000)


def test_a_higher_is_better_excess_is_a_loss_against_real() -> None:
    control = Estimate(0.9, 0.8, 1.0)
    assert gate(changed("rare.modes", replace(finding("rare.modes", 0.85), control=control))).verdict == "RELEASE"
    collapsed = gate(changed("rare.modes", replace(finding("rare.modes", 0.2), control=control)))
    assert collapsed.reasons == ("Title of rare.modes is 0.700 below real against real; 0.2 is allowed",)
    assert gate(changed("rare.modes", finding("rare.modes", 0.5))).verdict == "REFUSED"


@pytest.mark.parametrize(
    ("metric", "real", "fine", "inside", "wrong"),
    [
        ("utility.translation_lesion_contrast", 0.1, 0.25, 0.65, 1.0),  # 1: all lesions are wiped out
        ("fidelity.image_fid_radiomics", 1.0, 2.39, 50.0, 199.65),
        ("fidelity.image_spectrum", 0.57, 2.34, 8.99, 40.0),
    ],
)
def test_images_that_are_far_from_real_ones_are_refused(
    metric: str, real: float, fine: float, inside: float, wrong: float
) -> None:
    def verdict(value: float) -> str | None:
        own = replace(finding(metric, value), control=Estimate(real, real, real))
        others = (one for one in good() if not one.metric.startswith(metric.rpartition("_")[0]))
        return gate(report(*others, own)).granted

    assert [verdict(value) for value in (fine, inside, wrong)] == ["public", "internal", None]


def test_a_value_beyond_the_threshold_fails_however_few_the_patients() -> None:
    decision = gate(changed("privacy.membership", finding("privacy.membership", 0.05, n=100)))
    assert only(decision, "public").outcome == "FAIL"


@pytest.mark.parametrize("metric", REQUIRED)
def test_missing_error_and_insufficient_refuse(metric: str) -> None:
    section: Any = metric.partition(".")[0]
    for status, outcome in (("error", "ERROR"), ("insufficient", "INSUFFICIENT")):
        bad = Finding(metric, "A title", section, status=status, reason="ValueError")  # type: ignore[arg-type]
        assert only(gate(changed(metric, bad)), "controlled").outcome == outcome
    missing = only(gate(changed(metric)), "controlled")
    assert missing.outcome == "MISSING" and "not measured" in missing.reason


@pytest.mark.parametrize("metric", METRICS)
def test_not_applicable_never_refuses(metric: str) -> None:
    section: Any = metric.partition(".")[0]
    decision = gate(changed(metric, Finding(metric, "A title", section, status="not_applicable", reason="no target")))
    assert decision.verdict == "RELEASE"


def test_a_crash_outside_the_policy_refuses_every_profile() -> None:
    crashed = Finding("fairness.gap", "Fairness", "fairness", status="error", reason="MemoryError")
    decision = gate(report(*good(), crashed))
    assert decision.granted is None and "crashed (MemoryError)" in decision.reasons[0] and decision.exit_code == 6


def test_every_match_of_a_wildcard_is_judged() -> None:
    data = tomllib.loads((resources.files("semblance.release") / "policy.toml").read_text())
    data["rule"] = [rule for rule in data["rule"] if not rule["metric"].startswith("fairness")]
    data["rule"].append({"metric": "fairness.*", "bound": "upper", "at_most": {name: 0.1 for name in PROFILES}})
    policy = Policy.parse(data)
    fair = (finding("fairness.sex", 0.01), finding("fairness.age", 0.3))
    assert decide(report(*good(), *fair), policy, rare=11).reasons == (
        "Title of fairness.age may be as high as 0.301; at most 0.1 is allowed",
    )
    unfair = report(*(f for f in good() if f.section != "fairness"))
    assert decide(unfair, policy, rare=11).reasons[0].startswith("Fairness: not measured")


def test_of_two_findings_of_one_metric_the_worse_counts() -> None:
    assert gate(report(finding("privacy.copies", 0.5), *good())).granted is None
    assert gate(report(*good(), finding("privacy.copies", 0.5))).granted is None


@pytest.mark.parametrize(
    ("subject", "word"),
    [
        ({**CLEAN, "generator": {"holds_records": True}}, "keeps training records"),
        ({"unresolved": []}, "no card says"),
        ({**CLEAN, "unresolved": ["mrn"]}, "nobody has decided on 'mrn'"),
        ({"generator": {"holds_records": False}}, "nothing says"),
    ],
)
def test_the_run_itself_may_exclude_public(subject: Any, word: str) -> None:
    decision = gate(report(*good(), subject=subject), asked="public")
    assert (decision.verdict, decision.exit_code) == ("CONTROLLED", 5)
    assert word in decision.reasons[0]


def test_groups_that_nobody_knows_are_certified_to_nobody_who_needs_them() -> None:
    decision = decide(report(*good()), POLICY, rare=None)
    assert decision.granted == "internal" and decision.exit_code == 5
    assert [c.outcome for profile in PROFILES for c in decision.checks[profile] if c.metric == "run.rare"] == [
        "MISSING",
        "MISSING",
        "PASS",
    ]


@pytest.mark.parametrize("rare", [11, 5, None])
def test_no_count_of_patients_is_certified_under_a_guarantee(rare: int | None) -> None:
    """Declared categories are public, and one may be held by one patient or none: `rare` says nothing of them."""
    promise = {"epsilon": 1.0, "delta": 1e-6}
    decision = decide(report(*good(), subject={**CLEAN, "promise": promise}), POLICY, rare=rare)
    told = [check for profile in PROFILES for check in decision.checks[profile] if check.metric == "run.rare"]
    assert {check.outcome for check in told} == {"NOT APPLICABLE"} and {check.number for check in told} == {None}
    assert "declared or paid for" in told[0].reason and decision.verdict == "RELEASE"
    none = decide(report(*good(), subject={**CLEAN, "promise": {"epsilon": None}}), POLICY, rare=rare)
    assert (none.verdict == "RELEASE") == (rare == 11)


def test_rare_categories_exclude_public() -> None:
    decision = decide(report(*good()), POLICY)
    assert decision.verdict == "CONTROLLED"
    assert decision.reasons == ("Fewest patients behind a category is 5; at least 11 is required",)


@pytest.mark.parametrize(
    ("value", "control", "verdict"),
    [
        (0.30, 0.29, "RELEASE"),
        (0.30, 0.27, "CONTROLLED"),
        (0.30, 0.0, "REFUSED"),
        (0.03, None, "CONTROLLED"),
        (0.1, 0.5, "RELEASE"),
    ],
)
def test_distances_are_judged_beyond_real_against_real(value: float, control: float | None, verdict: str) -> None:
    one = finding("fidelity.pairs", value)
    judged = changed(
        "fidelity.pairs", replace(one, control=None if control is None else Estimate(control, control, control))
    )
    assert gate(judged).verdict == verdict


def test_an_empty_report_is_refused_with_every_reason() -> None:
    decision = gate(report())
    assert decision.verdict == "REFUSED" and len(decision.reasons) == len(REQUIRED)


def test_an_unknown_profile_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="did you mean 'public'"):
        gate(report(*good()), asked="pulic")


def test_the_decision_names_its_policy_and_is_json() -> None:
    data = gate(changed("privacy.copies")).to_json()
    again = json.loads(json.dumps(data, allow_nan=False))
    assert again == data
    assert data["policy"] == {"name": POLICY.name, "sha256": POLICY.sha256}
    assert [Check.from_json(entry).to_json() for entry in data["checks"]["public"]] == data["checks"]["public"]


numbers = st.floats(-0.05, 1.0)
widths = st.floats(0, 0.2)
sizes = st.integers(1, 20_000)
statuses = st.sampled_from(["measured", "measured", "measured", "insufficient", "error", "not_applicable"])


@st.composite
def reports(draw: st.DrawFn) -> Report:
    findings = []
    for metric in METRICS:
        one = finding(metric, draw(numbers), draw(widths), draw(sizes))
        status = draw(statuses)
        findings.append(one if status == "measured" else replace(one, status=status, estimate=None, reason="a reason"))
    subject = {
        "generator": {"holds_records": draw(st.booleans())},
        "unresolved": draw(st.lists(st.just("x"), max_size=1)),
    }
    return report(*draw(st.permutations(findings)), subject=subject)


def rank(decision: Decision) -> int:
    return ("RELEASE", "CONTROLLED", "REFUSED").index(decision.verdict)


@given(reports(), st.sampled_from([1, 5, 11]))
def test_strictness_is_ordered(judged: Report, rare: int) -> None:
    decision = gate(judged, rare=rare)
    granted = [decision.grants(profile) for profile in PROFILES]
    assert granted == sorted(granted)


@st.composite
def worsened(draw: st.DrawFn, worse: Finding) -> Finding | None:
    """The same finding, worse: a higher value, a wider interval, fewer patients, crashed, insufficient or gone."""
    way = draw(st.sampled_from(["gone", "error", "insufficient", "higher", "wider", "fewer"]))
    if way == "gone":
        return None
    if worse.estimate is None or way in ("error", "insufficient"):
        status: Any = "error" if way != "insufficient" or worse.status == "error" else "insufficient"
        return replace(worse, status=status, estimate=None, reason="a reason")
    e, by = worse.estimate, draw(st.floats(0, 0.5))
    change = {
        "higher": {"value": e.value + by, "low": e.low + by, "high": e.high + by},
        "wider": {"low": e.low - by, "high": e.high + by},
        "fewer": {"n": draw(st.integers(1, e.n))},
    }
    return replace(worse, estimate=replace(e, **change[way]))


@settings(max_examples=150)
@given(st.data(), reports())
def test_worse_findings_never_upgrade_the_verdict(data: st.DataObject, judged: Report) -> None:
    position = data.draw(st.integers(0, len(judged.findings) - 1))
    worse = data.draw(worsened(judged.findings[position]))
    kept = [f for i, f in enumerate(judged.findings) if i != position]
    after = gate(report(*kept, *([] if worse is None else [worse]), subject=judged.subject))
    before = gate(judged)
    assert rank(after) >= rank(before)
    assert all(before.grants(profile) for profile in PROFILES if after.grants(profile))
