"""What a guarantee rests on is told where it leaves."""

from __future__ import annotations

from typing import Any

import pytest

from semblance.app.exports.guarantee import guarantee_page
from semblance.core.promise import Guarantee, Noise, Steps
from semblance.core.schema import Column, Schema

SEX = Column("sex", "categorical", categories=("F", "M"), bound="declared")
COUNTS, STEPS = Noise(7.6, 1, 5).to_json(), Steps(1.25, 0.05, 149).to_json()


def rests_on(*noise: Any, subject: bool = True) -> str:
    told = {
        **Guarantee(2.99, 1e-6).to_json(),
        "cohort": "icu",
        "budget": {"epsilon": 3.0, "delta": 1e-6},
        "noise": list(noise),
        "measured": {"records": 722},
    }
    whose = (Column("who", "identifier", "subject"),) if subject else ()
    page = guarantee_page(told, schema=Schema((*whose, SEX), "icu", 700, public=True), file="synthetic.csv")
    return page.split("## What it rests on")[1].split("##")[0]


def test_whether_a_column_tells_patients_is_told() -> None:
    """A guarantee for a patient that was made of records is one for a patient only where each has one."""
    named, nobody = rests_on(COUNTS), rests_on(COUNTS, subject=False)
    assert "column `who`" in named and "second record" not in named
    assert "No column was declared to tell patients: no patient has a second record" in nobody


@pytest.mark.parametrize("said", ["as a whole", "unfinished run", "errors", "without looking", "ledger of the cohort"])
def test_what_the_documentation_assumes_is_assumed_where_it_leaves(said: str) -> None:
    assert said in rests_on(COUNTS)


def test_what_is_assumed_of_a_training_is_told_of_trainings_alone() -> None:
    assert "planned" in rests_on(COUNTS, STEPS) and "floating-point" in rests_on(COUNTS, STEPS)
    assert "planned" not in rests_on(STEPS) and "floating-point" in rests_on(STEPS)
    assert "planned" not in rests_on(COUNTS) and "floating-point" not in rests_on(COUNTS)
