from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from semblance.app.options import EvaluateOptions, SynthOptions
from semblance.core.errors import UsageError


@pytest.mark.parametrize(
    "wrong",
    [
        {"holdout": 0.0},
        {"holdout": 1.0},
        {"rows": 0},
        {"time_budget": 0.0},
        {"time_budget": float("inf")},
        {"threads": 0},
        {"seed": -1},
        {"epsilon": 0.0},
        {"delta": 1e-6},
        {"profile": "everyone"},
        {"device": "tpu"},
        {"paths": ()},
    ],
)
def test_options_validate_themselves(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        SynthOptions(**{"paths": ("a.csv",), "run": Path("RUN"), **wrong})


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        SynthOptions(("a.csv",), Path("RUN"), rows=0, profile="all", seed=-1)
    assert len(caught.value.problems) == 3


def test_small_groups_are_larger_where_anyone_may_read() -> None:
    assert SynthOptions(("a.csv",), Path("RUN"), profile="public").rare == 11
    assert SynthOptions(("a.csv",), Path("RUN")).rare == 5


@pytest.mark.parametrize("wrong", [{"tier": "hardest"}, {"profile": "everyone"}, {"seed": -1}])
def test_the_options_of_evaluate_validate_themselves_too(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        EvaluateOptions("a", "b", "c", Path("RUN"), **wrong)


INPUT = (("a.csv",), Path("RUN"))


def test_what_is_wanted_is_read_and_all_that_is_wrong_with_it_told() -> None:
    asked = SynthOptions(*INPUT, given={"age": "60..80"}, fair_on="race,sex", fairness="odds").wanted
    assert asked is not None and asked.given == {"age": ("60", "80")} and asked.fair_on == ("race", "sex")
    assert SynthOptions(*INPUT).wanted is None
    with pytest.raises(UsageError) as caught:
        SynthOptions(*INPUT, given={"age": 60}, shift={"age": "older"}, seed=-1)
    assert len(caught.value.problems) == 3
    with pytest.raises(UsageError, match="parity"):
        SynthOptions(*INPUT, fairness="equal")
    with pytest.raises(UsageError, match="sum to 0"):
        SynthOptions(*INPUT, quota={"sex": "F:.5,M:.4"})
