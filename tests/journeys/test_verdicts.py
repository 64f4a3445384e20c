"""Known answers on real cohorts: strangers are released, and each way to cheat is refused for its own reason."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bench.boards import BOARDS
from bench.judged import PROFILES, PROTECTED, Parts, biased, collapsed, copycat, fresh
from semblance.app import stages
from semblance.catalog import modality
from semblance.core.modality import ReadOptions
from semblance.core.report import Report
from semblance.core.rng import stream
from semblance.modalities.table.data import Table, from_frame

ABOUT = {"generator": {"name": "known", "holds_records": False}, "unresolved": []}
MAKE = {"fresh": fresh, "copycat": copycat, "collapsed": collapsed, "biased": biased}


@cache
def dealt(board: str) -> Parts:
    return Parts.of(BOARDS[board].load(), protected=PROTECTED[board], seed=0)


def judged(board: str, name: str, *, tier: str) -> Report:
    pytest.importorskip("sksurv")
    parts = dealt(board)
    synthetic = _table(MAKE[name](parts, stream(0, name)), parts.train)
    made = {"train": parts.train, "holdout": parts.holdout, "synthetic": synthetic}
    report = stages.judge(modality("table"), **made, seed=0, tier=tier, rare=5, about=ABOUT)
    return stages.decide(report, profile=PROFILES[board], rare=11)


def _table(frame: Any, train: Table) -> Table:
    roles = {c.name: {"role": c.role} for c in train.schema if c.role in ("subject", "target")}
    made, _ = from_frame(frame, ReadOptions(declared={"columns": roles}))
    return made


def refusals(report: Report, profile: str = "controlled") -> set[str]:
    assert report.decision is not None
    return {check["metric"] for check in report.decision["checks"][profile] if check["refuses"]}


def check(name: str, report: Report) -> None:
    """What must be said of a set, whatever the cohort."""
    assert report.decision is not None
    refused = refusals(report)
    if name == "fresh":
        assert refused == set() and report.decision["verdict"] in ("RELEASE", "CONTROLLED")
        return
    assert report.decision["verdict"] == "REFUSED"
    expected = {
        "copycat": {"privacy.membership", "privacy.membership_tpr", "privacy.linkability", "privacy.attribute"},
        "collapsed": {"rare.modes", "rare.diversity", "validity.duplicates"},
        "biased": {"fairness.amplification.data", "fairness.amplification.model"},
    }[name]
    assert expected <= refused
    if name == "biased":
        assert all(metric.startswith(("fairness.", "utility.")) for metric in refused)


@pytest.mark.parametrize("name", MAKE)
def test_flchain(name: str) -> None:
    check(name, judged("flchain", name, tier="fast"))


@pytest.mark.slow
@pytest.mark.parametrize("board", ["adult", "diabetes130"])
@pytest.mark.parametrize("name", MAKE)
def test_large_cohorts(shared_data: Path, board: str, name: str) -> None:
    check(name, judged(board, name, tier="standard"))
