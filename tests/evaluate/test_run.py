from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.estimate import Estimate
from semblance.core.judge import measures
from semblance.core.report import Finding, Report
from semblance.core.rng import stream
from semblance.evaluate import suites
from semblance.evaluate.run import evaluate
from tests.contracts.samples import WEIRD, cohort, shuffled, table

SECRET = "Zanzibarite"


@measures("fidelity.broken", "privacy.broken")
def broken(evidence):
    raise ValueError(SECRET)


def undeclared(evidence):
    return ({}[SECRET],)


def interrupted(evidence):
    raise KeyboardInterrupt


def test_a_whole_report():
    train, holdout, fresh = (cohort(240, seed) for seed in range(3))
    heard: list[str] = []
    evidence = Evidence(train, holdout, fresh, catalog.modality("table"), floor=shuffled(fresh, stream(0)), tier="fast")
    report = evaluate(evidence, about={"generator": "test"}, watch=heard.append)
    assert heard == [*suites.metrics(evidence.modality), *suites.attacks(evidence.modality)]
    assert "error" not in {f.status for f in report.findings}
    assert sum(f.status == "measured" for f in report.findings) > 40
    assert len({f.metric for f in report.findings}) == len(report.findings)
    assert report.subject["rows"] == {"train": 240, "holdout": 240, "synthetic": 240}
    assert report.subject["patients"] == {"train": 240, "holdout": 240}
    assert report.subject["target"] == "died"
    assert report.subject["generator"] == "test"
    plain = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert Report.from_json(plain).to_json() == plain
    assert evaluate(replace(evidence, _cache={})).findings == report.findings


@pytest.fixture
def alone(monkeypatch):
    """No shared judges."""
    monkeypatch.setattr(suites, "METRICS", ())
    monkeypatch.setattr(suites, "ATTACKS", ())


def test_without_unseen_patients_no_privacy_finding_is_measured():
    one = cohort(240, 0)
    findings = evaluate(Evidence(one, one, one, catalog.modality("table"), tier="fast", unseen=False)).findings
    assert {f.status for f in findings if f.section == "privacy"} == {"insufficient"}
    assert "measured" in {f.status for f in findings}


@measures("privacy.made_up")
def leaks_nothing(evidence):
    return (Finding("privacy.made_up", "Made up", "privacy", estimate=Estimate(0.0, 0.0, 0.0)),)


def test_where_patients_are_unknown_no_finding_of_privacy_certifies_anything(alone):
    one = cohort(40, 0)
    manifest = replace(catalog.modality("table"), metrics=(f"{__name__}:leaks_nothing",), attacks=())
    before = evaluate(Evidence(one, one, one, manifest))
    object.__setattr__(one, "anonymous", True)
    after = evaluate(Evidence(one, one, one, manifest))
    (known,), (unknown,) = before.findings, after.findings
    assert before.subject["readable"] and before.subject["untested"] == manifest.untested
    assert before.subject["floor"].startswith("every column on its own")
    assert before.subject["patients"] == {"train": 40, "holdout": 40} and after.subject["patients"] == {}
    assert (known.status, unknown.status) == ("measured", "insufficient")
    assert unknown.estimate == known.estimate
    assert "of one patient" in unknown.reason


def test_a_crash_is_an_error_under_the_owed_names_and_tells_no_value(alone):
    one = cohort(40, 0)
    manifest = replace(catalog.modality("table"), metrics=(f"{__name__}:broken", f"{__name__}:undeclared"), attacks=())
    report = evaluate(Evidence(one, one, one, manifest))
    assert [(f.metric, f.status) for f in report.findings] == [
        ("fidelity.broken", "error"),
        ("privacy.broken", "error"),
        ("validity.undeclared", "error"),
    ]
    assert "ValueError in broken" in report.findings[0].reason
    assert SECRET not in json.dumps(report.to_json())


def test_an_interrupt_is_passed_on(alone):
    one = cohort(40, 0)
    manifest = replace(catalog.modality("table"), metrics=(f"{__name__}:interrupted",), attacks=())
    with pytest.raises(KeyboardInterrupt):
        evaluate(Evidence(one, one, one, manifest))


def test_a_few_missing_values_are_not_counted_out(alone):
    frame = pd.DataFrame({"x": np.arange(100) / 3, "y": np.arange(100) / 7})
    frame.loc[:9, "x"] = np.nan
    frame.loc[:19, "y"] = np.nan
    one = table(frame)
    manifest = replace(catalog.modality("table"), metrics=(), attacks=())
    columns = evaluate(Evidence(one, one, one, manifest)).subject["columns"]
    assert [c["missing"] for c in columns] == [None, 0.2]


@pytest.mark.parametrize("name", WEIRD)
def test_no_judge_crashes_on_a_weird_table(name):
    whole = WEIRD[name]()
    evidence = Evidence(whole, whole, whole, catalog.modality("table"), floor=whole, tier="fast")
    assert [f.reason for f in evaluate(evidence).findings if f.status == "error"] == []
