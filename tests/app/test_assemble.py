from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from semblance.app.assemble import Bundle, assemble, leaves
from semblance.app.exports.schema import problems
from semblance.core.report import Report
from semblance.release.bundle import verify
from tests.app.rich import MERGED, TERM, TINY


@pytest.mark.parametrize(
    ("verdict", "code", "may"),
    [
        ("RELEASE", 0, True),
        ("CONTROLLED", 0, True),
        ("CONTROLLED", 5, False),
        ("REFUSED", 0, False),
        ("REFUSED", 6, False),
    ],
)
def test_nothing_leaves_unless_the_asked_profile_is_granted_and_the_verdict_allows(
    verdict: str, code: int, may: bool
) -> None:
    assert leaves(Report((), {}).decided({"verdict": verdict, "exit_code": code})) is may


def test_an_undecided_report_never_leaves() -> None:
    assert not leaves(Report((), {}))


DOCUMENTS = {"report.json", "report.html", "card.md", "croissant.json", "DATASHEET.md", "MAPPING.md"}
PLANTED = (TINY, MERGED, TERM, "98.7", "hospital number", "4711", "6,291", "6291", "a" * 12, "secret-file", "KeyError")


@pytest.fixture
def folder(tmp_path: Path, full: Report, decided: Callable[..., Report]) -> Path:
    """A granted run of a judgement."""
    fine = tuple(f for f in full.findings if f.status != "error")
    files = {"names": ["secret-file.csv", "h.csv", "secret-file2.csv"], "sha256": ["a" * 64, "b" * 64, "c" * 64]}
    judged = {"train": "secret-file.csv", "holdout": "h.csv", "synthetic": "secret-file2.csv"}
    report = decided(replace(full, findings=fine))
    assemble(Bundle(report, {"evaluate": judged, "input": files, "versions": {}}), tmp_path / "RUN")
    return tmp_path / "RUN"


def test_both_parts_hold_the_report_in_all_its_forms(folder: Path) -> None:
    for part in (folder, folder / "public"):
        assert {path.name for path in part.iterdir()} >= DOCUMENTS | {"manifest.json", "attestation.json"}
        assert list(problems(json.loads((part / "report.json").read_text()))) == []
        verify(part)


def test_nothing_planted_stands_in_the_public_part(folder: Path) -> None:
    for name in DOCUMENTS:
        text = (folder / "public" / name).read_text()
        assert [secret for secret in PLANTED if secret in text] == [], name
    inside = (folder / "report.json").read_text()
    assert "secret-file.csv" in inside and "a" * 64 in inside and TINY in inside
