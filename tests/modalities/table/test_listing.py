"""Codes in a row."""

from __future__ import annotations

import pytest

from semblance.modalities.table.listing import is_listed, listed


def test_a_row_has_both_ends_and_keeps_what_its_first_code_begins_with() -> None:
    assert listed(["001..003", "V9..V11", "250.08..250.11"]) == (
        *("001", "002", "003", "V9", "V10", "V11"),
        *("250.08", "250.09", "250.10", "250.11"),
    )
    assert listed(["7..7", 7, "I50.1"]) == ("7", "I50.1")
    assert len(listed(["1..999"])) == 999


@pytest.mark.parametrize("said", ["9..1", "V1..E9", "V1..9", "a..b", "..", "1..", "1..2..3", "0..999999"])
def test_what_is_no_row_is_refused(said: str) -> None:
    assert not is_listed(["1", said])
    with pytest.raises(ValueError, match="no row of codes"):
        listed([said])
