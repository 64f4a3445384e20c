"""Attacks on what will measure, before it does: what they find is told, and a broken mechanism measures nothing."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from semblance.app import audit
from semblance.app.options import SynthOptions
from semblance.app.pipeline import run_synth
from semblance.catalog import modality
from semblance.core.errors import PrivacyError
from semblance.modalities.table.generators.pairwise import Pairwise
from semblance.privacy import ledger
from semblance.privacy.audit import Audit, reach
from tests.journeys.test_private import SCHEMA, cohort_csv

ASKED: dict[str, Any] = {"epsilon": 1.0, "delta": 1e-5, "plan": {}, "public": None, "confidence": 0.999}


def test_a_broken_mechanism_measures_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "noised", lambda counts, sigma: counts)
    asked = SynthOptions(
        (str(cohort_csv(tmp_path / "clinic.csv")),),
        tmp_path / "RUN",
        epsilon=2.0,
        declared=tomllib.loads(SCHEMA),
        ledger=str(tmp_path / "ledgers"),
        yes=True,
    )
    with pytest.raises(PrivacyError, match="measured nothing yet"):
        run_synth(asked)
    assert not (tmp_path / "RUN").exists() and not list((tmp_path / "ledgers").glob("*.jsonl"))


def test_what_a_schema_would_measure_is_not_measured_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "noised", lambda counts, sigma: counts)
    schema = tomllib.loads(SCHEMA.replace("min = 0\nmax = 300", 'min = "measured"\nmax = "measured"'))
    assert schema["columns"]["crp"]["max"] == "measured"
    asked = SynthOptions(
        (str(cohort_csv(tmp_path / "clinic.csv")),),
        tmp_path / "RUN",
        epsilon=2.0,
        declared=schema,
        ledger=str(tmp_path / "ledgers"),
        yes=True,
    )
    with pytest.raises(PrivacyError, match="measured nothing yet"):
        run_synth(asked)
    assert not list((tmp_path / "ledgers").glob("*.jsonl"))


@pytest.mark.parametrize("epsilon", [0.5, 2.0, 8.0])
def test_so_many_refits_are_made_that_what_leaks_all_is_refuted(epsilon: float) -> None:
    how: dict[str, Any] = {"delta": 1e-5, "confidence": audit.SURE}
    trials = audit.enough(audit.FIRST, epsilon=epsilon, **how)
    assert reach(trials, **how) > epsilon and trials <= audit.MOST
    assert audit.enough(audit.FIRST, epsilon=40.0, **how) == audit.MOST


@pytest.mark.parametrize(("plan", "trials"), [({}, 500), ({"steps": 4}, 20)])
def test_a_network_is_refitted_less_often_than_what_counts(
    plan: Mapping[str, Any], trials: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def attack(spec: Any, **how: Any) -> Audit:
        asked.append(how)
        return Audit(1.0, 1e-5, 0.999, how["trials"], 0.0, 0.0, 0.0)

    monkeypatch.setattr(audit, "load", lambda name: attack)
    audit.attacked(modality("table"), Pairwise(), **{**ASKED, "plan": plan, "public": 800}, trials=None)
    assert asked[0]["trials"] == trials
    assert (asked[0]["ran"] is None) == (not plan)


def test_what_refutes_is_refused_and_what_does_not_is_told() -> None:
    harmless = Audit(1.0, 1e-5, 0.999, 40, 0.1, 0.3, 0.2)
    audit.refuse_refuted(harmless)
    told = audit.told(harmless)
    assert told.pop("reach") > 5 and told == {"epsilon": 0.3, "confidence": 0.999, "trials": 40}
    with pytest.raises(PrivacyError, match=r"at least 1\.5"):
        audit.refuse_refuted(Audit(1.0, 1e-5, 0.999, 40, 0.1, 0.3, 1.5))
