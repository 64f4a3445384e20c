"""A report as a run of the table modality makes it, with a column whose name is an attack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from semblance.core.estimate import Estimate
from semblance.core.report import Finding, Report
from semblance.release.gate import decide
from semblance.release.policy import Policy
from tests.app.rich import rich

ATTACK = "<script>alert('x')</script>|`a`"


def _estimate(value: float, half: float = 0.0037, n: int = 1573) -> Estimate:
    return Estimate(value, value - half, value + half, n=n)


def _cells(*labels: str) -> list[dict[str, Any]]:
    share = round(1 / len(labels), 4)
    return [{"label": label, "train": share, "synthetic": share} for label in labels]


def _columns() -> list[dict[str, Any]]:
    plain = {"low": 0.0111, "high": 0.0222, "control": 0.0127}
    names = [f"category {i}" for i in range(12)]
    return [
        {
            "name": "age",
            "kind": "integer",
            "distance": "KS",
            "value": 0.01613,
            **plain,
            "cells": _cells("below 52", "52 or more"),
        },
        {
            "name": ATTACK,
            "kind": "categorical",
            "distance": "TV",
            "value": 0.0231,
            **plain,
            "cells": _cells(ATTACK, *names),
        },
        {"name": "empty", "kind": "boolean", "distance": "TV", "value": 0.0, **plain, "cells": []},
    ]


def _pairs() -> dict[str, Any]:
    names = ["age", ATTACK, "empty"]
    matrix = [[0.0, 0.0412, 0.0071], [0.0412, 0.0, 0.3], [0.0071, 0.3, 0.0]]
    return {
        "columns": names,
        "matrix": matrix,
        "worst": [{"a": "age", "b": ATTACK, "value": 0.0412, "control": 0.0333}],
    }


def _required() -> tuple[Finding, ...]:
    """What the policy asks for besides, all of it good enough to publish."""
    privacy = ("membership_tpr_low", "membership_outliers", "singling_out", "linkability", "inference", "attribute")
    privacy += ("unique_combinations", "disclosed", "identity")
    found = (
        Finding(f"privacy.{name}", name.replace("_", " ").capitalize(), "privacy", estimate=_estimate(0.001, n=6299))
        for name in privacy
    )
    modes = _estimate(0.97, n=6299)
    kept = Finding("rare.modes", "Kinds of patients", "rare", estimate=modes, control=modes, better="higher")
    return (*found, kept)


def _findings() -> tuple[Finding, ...]:
    e, floor = _estimate, _estimate(0.9137)
    return (
        Finding("fidelity.shape", "Single columns", "fidelity", estimate=e(0.0162), control=e(0.0148), floor=e(0.0151),
                detail={"columns": _columns(), "rare": 11}),
        Finding("fidelity.pairs", "Pairs of columns", "fidelity", estimate=e(0.079), control=e(0.071), detail=_pairs()),
        Finding("fidelity.c2st", "Told from real", "fidelity", estimate=e(0.557), floor=floor, better="half"),
        Finding("fidelity.longitudinal", "Order of visits", "fidelity", status="not_applicable", reason="no visits"),
        Finding("utility.tstr.linear", "Prediction", "utility", estimate=e(0.871), control=e(0.884), better="higher"),
        Finding("utility.gap.linear", "Loss of prediction", "utility", estimate=e(0.0134)),
        Finding("privacy.copies", "Exact copies", "privacy", estimate=e(0.0, 0.0005, 6299)),
        Finding("privacy.unique_copies", "Copies of unique patients", "privacy", estimate=e(0.0, 0.0019, 6299)),
        Finding("privacy.membership", "Membership attack", "privacy", estimate=e(0.0126)),
        Finding("privacy.membership_tpr", "Membership at 1%", "privacy", estimate=e(0.0114), meaning="Patients found"),
        *_required(),
    )  # fmt: skip


def _subject() -> dict[str, Any]:
    return {
        "rows": {"train": 6291, "holdout": 1573, "synthetic": 7864},
        "patients": {"train": 6291, "holdout": 1573},
        "columns": [
            {"name": "hospital number", "kind": "identifier", "role": "drop", "missing": None},
            {"name": "row", "kind": "identifier", "role": "key", "missing": None},
            {"name": "age", "kind": "integer", "role": "feature", "missing": 0.01234},
            {"name": ATTACK, "kind": "categorical", "role": "feature", "missing": 0.0},
            {"name": "empty", "kind": "boolean", "role": "target", "missing": 0.0},
        ],
        "target": "empty",
        "tier": "standard",
        "seed": 4711,
        "generator": {
            "name": "autoregressive",
            "summary": "masked network",
            "paper": "a paper",
            "holds_records": False,
        },
        "guarantee": "no formal guarantee: privacy is measured by attacks, not proven",
        "versions": {"semblance": "0.1.0", "python": "3.11.9"},
        "notes": [f"'{ATTACK}' has 12 categories"],
        "unresolved": [],
    }


@pytest.fixture
def report() -> Report:
    """A report that the gate has not seen."""
    return Report(_findings(), _subject())


@pytest.fixture
def decided() -> Callable[..., Report]:
    """The gate's decision added to a report."""

    def add(report: Report, *, asked: str = "controlled", rare: int = 11) -> Report:
        return report.decided(decide(report, Policy.load(), asked=asked, rare=rare).to_json())

    return add


@pytest.fixture
def full(report: Report, decided: Callable[..., Report]) -> Report:
    """A decided report with every kind of detail."""
    return decided(rich(report))
