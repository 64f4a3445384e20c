"""The card: complete, and nothing of the data can break out of its Markdown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from semblance.app.card import card, plain
from semblance.core.estimate import Estimate
from semblance.core.report import Report


@pytest.mark.parametrize("public", [False, True])
def test_the_card_tells_every_finding(report: Report, decided: Callable[..., Report], public: bool) -> None:
    text = card(decided(report), public=public)
    for finding in report.findings:
        assert plain(finding.title) in text
    for title in ("Generator", "Data", "Findings", "Meant for", "Not allowed", "Not tested"):
        assert f"## {title}" in text
    assert "**CONTROLLED**" in text and ("Internal: do not share" in text) is not public


def test_the_public_card_gives_nothing_internal_away(report: Report, decided: Callable[..., Report]) -> None:
    text = card(decided(report), public=True)
    for word in ("6,291", "1,573", "4711", "hospital number", "0.013"):
        assert word not in text
    assert "6,300 learned from" in text and "## Left out of this version" in text


def test_markup_of_the_data_is_only_text(report: Report, decided: Callable[..., Report]) -> None:
    text = card(decided(report))
    assert "<script" not in text
    row = next(line for line in text.splitlines() if "alert" in line and line.startswith("|"))
    assert row.replace("\\|", "").count("|") == 4


def test_plain_escapes_and_keeps_one_line() -> None:
    assert plain("a|b\n# <c> *d* [e](f) `g`") == "a\\|b # &lt;c&gt; \\*d\\* \\[e\\](f) \\`g\\`"


def test_other_tools_have_a_card_too(report: Report, decided: Callable[..., Report]) -> None:
    subject = {key: value for key, value in report.subject.items() if key != "generator"}
    assert "the records were made elsewhere" in card(decided(replace(report, subject=subject)))
    assert "UNDECIDED" in card(Report((), {}))


def test_what_is_of_one_patient_has_no_interval(report: Report, decided: Callable[..., Report]) -> None:
    first, *others = report.findings
    number = Estimate(0.25, 0.25, 0.25, n=1)
    alone = replace(first, title="Of one", status="insufficient", reason="one", estimate=number)
    text = card(decided(replace(report, findings=(alone, *others))))
    row = next(line for line in text.splitlines() if line.startswith("| Of one"))
    assert row.split("|")[2].strip() == "0.250"


@pytest.mark.parametrize("public", [False, True])
def test_a_model_is_differentially_private_only_where_a_ledger_paid_for_it(report: Report, public: bool) -> None:
    able = {**report.subject, "generator": {**report.subject["generator"], "private": True}}
    promise = {"guarantee": "(1, 1e-06)-differential privacy per patient", "promise": {"epsilon": 1.0, "delta": 1e-6}}
    for subject, said in ((able, "no (this generator can be)"), ({**able, **promise}, "yes")):
        text = card(replace(report, subject=subject), public=public)
        assert f"- Differentially private: {said}\n" in text


def test_what_too_few_patients_have_is_told_inside_and_not_outside(report: Report) -> None:
    subject = {
        **report.subject,
        "columns": [],
        "unlearned": {"beats of V": "patients who have them: 3, and 5 are needed"},
    }
    inside, outside = (card(replace(report, subject=subject), public=public) for public in (False, True))
    assert "Not learned:\n\n- beats of V: not learned (patients who have them: 3, and 5 are needed)\n" in inside
    assert "beats of V" not in outside
