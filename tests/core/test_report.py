from __future__ import annotations

import json

import pytest

from semblance.core.estimate import Estimate
from semblance.core.report import Finding, Report, spelt

MEASURED = Finding(
    "fidelity.c2st",
    "Classifier two-sample test",
    "fidelity",
    estimate=Estimate(0.53, 0.5, 0.56, n=100),
    control=Estimate(0.5, 0.48, 0.52, n=100),
    better="half",
    detail={"folds": 3},
)
ABSENT = Finding("fidelity.longitudinal", "Visits", "fidelity", status="not_applicable", reason="no repeated visits")


def test_json_round_trip():
    report = Report((MEASURED, ABSENT), {"rows": {"train": 10}}).decided({"verdict": "REFUSED"})
    assert Report.from_json(json.loads(json.dumps(report.to_json()))) == report


def test_a_finding_is_found_by_its_id():
    report = Report((MEASURED, ABSENT), {})
    assert report["fidelity.c2st"] is MEASURED
    with pytest.raises(KeyError):
        report["fidelity.other"]


def test_a_decision_makes_a_new_report():
    report = Report((MEASURED,), {})
    assert report.decided({"verdict": "RELEASE"}).decision == {"verdict": "RELEASE"}
    assert report.decision is None


def test_a_measured_finding_has_a_number():
    with pytest.raises(ValueError, match=r"fidelity\.x"):
        Finding("fidelity.x", "X", "fidelity")


@pytest.mark.parametrize("status", ["not_applicable", "insufficient", "error"])
def test_what_was_not_measured_says_why(status):
    with pytest.raises(ValueError, match="why"):
        Finding("fidelity.x", "X", "fidelity", status=status)


def test_an_id_is_spelt_out():
    assert spelt("privacy.unique_copies") == "Unique copies"
    assert spelt("utility.gap.*") == "Gap"
