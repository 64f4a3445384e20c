"""The map: every text, the findings with value and level, what people judge, and no claim."""

from __future__ import annotations

from semblance.app.exports.mapping import TEXTS, mapping
from semblance.app.redact import redact
from semblance.core.report import Report


def test_every_text_and_every_requirement_has_a_row(full: Report) -> None:
    text = mapping(full)
    for title, requirements in TEXTS.items():
        assert f"## {title}" in text and all(one.people for one in requirements)
    for name in ("05/2014", "28/2024", "164.514(b)(1)", "27559", "Article 10(3)", "Article 50(2)", "7 Cs"):
        assert name in text
    for criterion in (
        "Congruence",
        "Coverage",
        "Constraint",
        "Completeness",
        "Compliance",
        "Comprehension",
        "Consistency",
    ):
        assert criterion in text


def test_rows_are_well_formed(full: Report) -> None:
    rows = [line for line in mapping(full).splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {4}


def test_findings_stand_with_value_and_level(full: Report) -> None:
    row = next(line for line in mapping(full).splitlines() if line.startswith("| Linkability"))
    assert "Linkability: 0.004" in row and "good enough to publish" in row


def test_what_was_not_measured_is_said() -> None:
    text = mapping(Report((), {}))
    assert "privacy.linkability: not measured in this report" in text and "certifies nothing" in text


def test_it_never_claims(full: Report) -> None:
    text = mapping(full).lower()
    for claim in ("compliant", "complies", "certified", "is met", "anonymous", "fulfil", "satisf"):
        assert claim not in text


def test_the_public_one_keeps_to_rounded_values(full: Report) -> None:
    text = mapping(redact(full))
    assert "0.043" not in text and "0.045" in text and "KeyError" not in text
