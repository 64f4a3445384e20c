from __future__ import annotations

import pytest

from semblance.app.assemble import leaves
from semblance.core.report import Report


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
