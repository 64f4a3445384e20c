"""A finished run is only taken for what is asked when it is whole and was made so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from semblance.app import config
from semblance.app.assemble import Bundle, assemble
from semblance.app.finished import refuse_other
from semblance.app.options import SynthOptions
from semblance.core.errors import SignatureError, UsageError
from semblance.core.report import Report

INPUTS = {"patients.csv": "ab12"}
GENERATOR = {"rare": 5, "bins": 64}
ASKED = SynthOptions(("patients.csv",), Path("RUN"), modality="table", model="marginals", threads=2, rows=90)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A sealed run folder that was made as ASKED."""
    settings: dict[str, Any] = {"plan": {}, "generator": GENERATOR, "inputs": INPUTS, "versions": {}, "accepted": {}}
    report = Report((), {"rows": {"train": 70, "holdout": 20, "synthetic": 90}}).decided(
        {"verdict": "REFUSED", "asked": "controlled", "granted": None, "exit_code": 5, "against": "controlled",
         "reasons": [], "checks": {}, "policy": {"name": "p", "sha256": "0" * 64}}
    )  # fmt: skip
    assemble(Bundle(report, config.effective(ASKED, **settings)), tmp_path / "RUN")
    return tmp_path / "RUN"


def asked(
    run: Path, *, inputs: Mapping[str, str] = INPUTS, generator: Mapping[str, Any] = GENERATOR, **more: Any
) -> None:
    refuse_other(run, replace(ASKED, **more), inputs=inputs, generator=generator)


def test_what_was_asked_before_is_found_again(run: Path) -> None:
    asked(run)
    asked(run, rows=None, threads=None)


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1},
        {"model": "copula"},
        {"profile": "public"},
        {"rows": 10},
        {"subject": "pid"},
        {"target": "died"},
        {"threads": 1},
        {"declared": {"na": ["?"]}},
        {"plan": {"steps": 9}},
        {"inputs": {"patients.csv": "cd34"}},
        {"generator": {"rare": 11, "bins": 64}},
    ],
)
def test_anything_else_is_refused(run: Path, other: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        asked(run, **other)


def test_every_difference_is_told(run: Path) -> None:
    with pytest.raises(UsageError) as caught:
        asked(run, seed=1, target="died")
    assert len(caught.value.problems) == 2 and "seed" in str(caught.value) and "target" in str(caught.value)


def test_a_damaged_run_is_not_taken_for_a_finished_one(run: Path) -> None:
    (run / "card.md").write_text("another")
    with pytest.raises(SignatureError):
        asked(run)


def test_a_folder_that_synth_did_not_make_is_refused(tmp_path: Path, run: Path) -> None:
    report = Report.from_json(json.loads((run / "report.json").read_text()))
    assemble(Bundle(report, {"evaluate": {"seed": 0}}), tmp_path / "JUDGED")
    with pytest.raises(UsageError, match="semblance synth"):
        asked(tmp_path / "JUDGED")
