"""Whose records a file's are: one cohort's, however its id is spelt."""

from __future__ import annotations

from pathlib import Path

import pytest

from semblance.core.errors import UsageError
from semblance.privacy.cohorts import changed, measured, refuse_other
from semblance.privacy.ledger import Ledger


def opened(folder: Path, cohort: str) -> Ledger:
    return Ledger.open(folder, cohort=cohort, epsilon=1.0, delta=1e-6)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("icu-2024", "ICU_2024", True), ("a.b", "ab", True), ("icu-2024", "icu-2025", False), ("a", "aa", False)],
)
def test_ids_are_the_same_but_for_case_and_punctuation(tmp_path: Path, one: str, other: str, same: bool) -> None:
    opened(tmp_path, one)
    if same:
        with pytest.raises(UsageError, match="case and punctuation"):
            refuse_other(tmp_path, other)
    else:
        refuse_other(tmp_path, other)
    refuse_other(tmp_path, one)


def test_files_are_known_by_the_cohort_that_measured_them(tmp_path: Path) -> None:
    ledger = opened(tmp_path, "icu")
    assert measured(ledger.path) == [] and not changed(ledger.path, ["aa"])
    ledger.bind(["bb", "aa"])
    ledger.bind(["cc"])
    assert measured(ledger.path) == [["aa", "bb"], ["cc"]]
    assert [changed(ledger.path, data) for data in (["aa", "bb"], ["bb", "aa"], ["cc"], ["aa"], ["dd"])] == [
        False, False, False, True, True
    ]  # fmt: skip
    with pytest.raises(UsageError, match="one budget"):
        refuse_other(tmp_path, "ward", ["dd", "cc"])
    refuse_other(tmp_path, "ward", ["dd"])
    refuse_other(tmp_path / "nowhere", "ward", ["cc"])


def test_a_line_that_another_run_is_writing_is_passed_over(tmp_path: Path) -> None:
    ledger = opened(tmp_path, "icu")
    ledger.bind(["aa"])
    with ledger.path.open("ab") as file:
        file.write(b'{"data": ["b')
    assert measured(ledger.path) == [["aa"]]
