"""The datasheet: every section, answers from the report, and open questions that name who must answer."""

from __future__ import annotations

from semblance.app.exports.datasheet import COLLECTOR, HOLDER, RELEASER, datasheet
from semblance.app.redact import redact
from semblance.core.report import Report

SECTIONS = ("Motivation", "Composition", "Collection process", "Uses", "Distribution", "Maintenance")


def test_all_sections_and_what_is_known(full: Report) -> None:
    text = datasheet(full)
    for title in SECTIONS:
        assert f"## {title}" in text
    for said in ("7,864", "c" * 64, "no formal guarantee", "Weakest: Inference 0.043", "autoregressive"):
        assert said in text
    assert "<script" not in text


def test_open_questions_name_who_must_answer(full: Report) -> None:
    text = datasheet(full)
    assert all(f"To be answered by {who}." in text for who in (HOLDER, RELEASER, COLLECTOR))


def test_the_public_one_is_coarse(full: Report) -> None:
    text = datasheet(redact(full))
    assert "7,900" in text
    for secret in ("7,864", "6,291", "hospital number", "4711", "KeyError"):
        assert secret not in text


def test_an_empty_report_has_a_datasheet() -> None:
    assert "UNDECIDED" in datasheet(Report((), {}))
