from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from semblance.app.values import wrong_keys, wrong_values


@dataclass(frozen=True)
class Options:
    """One field of each type."""

    steps: int
    share: float = 0.5
    tied: bool = True
    name: str = "a"
    shares: tuple[float, ...] = ()


@pytest.mark.parametrize(
    "fine", [{}, {"steps": 1, "share": 0, "tied": False, "name": ""}, {"share": 0.999}, {"shares": [0.1, 0]}]
)
def test_what_fits_is_no_problem(fine: dict[str, Any]) -> None:
    assert list(wrong_values(Options, fine, section="plan")) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"steps": 2.0},
        {"steps": True},
        {"share": 1.0},
        {"share": -0.1},
        {"share": float("nan")},
        {"share": "0.5"},
        {"tied": 1},
        {"name": 3},
        {"shares": 0.5},
        {"shares": [0.5, 2.0]},
    ],
)
def test_what_does_not_fit_is_told_with_its_section(wrong: dict[str, Any]) -> None:
    (problem,) = wrong_values(Options, wrong, section="generator")
    assert problem.found.startswith(f"[generator] {next(iter(wrong))}")


def test_unknown_and_absent_keys_are_told() -> None:
    unknown, absent = wrong_keys(Options, {"stepps": 3})
    assert "did you mean 'steps'?" in unknown.fix and "steps" in absent.found
