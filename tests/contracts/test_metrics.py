"""What every metric of the catalogue promises: near its ideal on real against real, worse when the data is spoilt."""

from __future__ import annotations

import json
import math
from functools import cache
from typing import Any

import numpy as np
import pytest

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.modality import load
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate import suites
from semblance.modalities.signal.metrics import gru
from tests.contracts.samples import SAMPLES, thirds

FIRST = next(iter(catalog.MODALITIES))
CASES = [(FIRST, path) for path in suites.METRICS]
CASES += [(m, path) for m in catalog.MODALITIES for path in catalog.modality(m).metrics]
# What all modalities share is held to the contract on the first, and has to take what judges see of the others.
SHARED = [(m, path) for m in catalog.MODALITIES if m != FIRST for path in suites.METRICS]


@cache
def parts(modality: str) -> tuple[Any, Any, Any]:
    """Train, holdout and a third sample, all drawn alike."""
    return thirds(modality, SAMPLES[modality].enough, 2)


@cache
def evidence(modality: str, spoilt: str = "", *, again: bool = False) -> Evidence[Any]:
    """What the judges of a modality share, as in a report: what several need is computed once. `again` is the same a
    second time, computed anew."""
    train, holdout, fresh = parts(modality)
    spoil = {"": lambda fresh, _: fresh, "copied": lambda *_: train, **SAMPLES[modality].corruptions}[spoilt]
    synthetic, floor = spoil(fresh, stream(0, "spoil")), SAMPLES[modality].floor(fresh, stream(0, "floor"))
    return Evidence(train, holdout, synthetic, catalog.modality(modality), floor=floor)


@cache
def few(modality: str) -> Evidence[Any]:
    """Three records a side."""
    return Evidence(*(part.take(np.arange(3)) for part in parts(modality)), catalog.modality(modality))


@cache
def judged(modality: str, path: str, spoilt: str = "") -> tuple[Finding, ...]:
    return tuple(load(path)(evidence(modality, spoilt)))


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network that tells pieces apart learns for a moment: what is spoilt here is plain to see."""
    monkeypatch.setitem(gru.STEPS, "standard", 25)


def badness(finding: Finding) -> float:
    """A number that grows as the finding gets worse."""
    assert finding.estimate is not None
    value = finding.estimate.value
    return {"lower": value, "higher": -value, "half": abs(value - 0.5)}[finding.better]


def measured(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {f.metric: f for f in findings if f.status == "measured"}


@pytest.mark.parametrize(("modality", "path"), CASES + SHARED)
def test_a_finding_is_complete(modality, path):
    findings = judged(modality, path)
    assert findings
    assert len({f.metric for f in findings}) == len(findings)
    for finding in findings:
        assert finding.status != "error"
        assert finding.metric.startswith(f"{finding.section}.")
        assert finding.title
        assert finding.meaning or finding.reason
    assert json.loads(json.dumps([f.to_json() for f in findings], allow_nan=False))


@pytest.mark.parametrize(("modality", "path"), CASES)
def test_the_same_evidence_gives_the_same_numbers(modality, path):
    assert tuple(load(path)(evidence(modality, again=True))) == judged(modality, path)


@pytest.mark.parametrize(("modality", "path"), CASES)
def test_real_against_real_is_near_its_control(modality, path):
    for finding in measured(judged(modality, path)).values():
        if finding.control is None:
            continue
        spread = max(finding.control.high - finding.control.low, finding.estimate.high - finding.estimate.low, 0.02)
        assert abs(finding.estimate.value - finding.control.value) <= 1.5 * spread, finding.metric


@pytest.mark.parametrize(("modality", "path"), CASES)
def test_some_damage_is_seen_by_every_metric(modality, path):
    good = measured(judged(modality, path))
    if not good:
        assert {f.status for f in judged(modality, path)} == {"not_applicable"}
        return
    about_copies = any(metric.startswith("privacy.") for metric in good)
    spoilt = sorted(("copied", *SAMPLES[modality].corruptions), key=lambda one: (one == "copied") != about_copies)
    assert any(seen(good, measured(judged(modality, path, one))) for one in spoilt), f"{path} sees no damage"


def seen(good: dict[str, Finding], spoilt: dict[str, Finding]) -> bool:
    """Whether some finding of spoilt data is worse."""
    return any(badness(spoilt[metric]) > badness(good[metric]) + 0.02 for metric in good.keys() & spoilt.keys())


@pytest.mark.parametrize(("modality", "path"), CASES)
def test_interval_and_control_are_finite(modality, path):
    for finding in measured(judged(modality, path)).values():
        for number in (finding.estimate, finding.control, finding.floor):
            assert number is None or all(map(math.isfinite, (number.low, number.value, number.high)))
            assert number is None or number.n > 0


@pytest.mark.parametrize(("modality", "path"), CASES)
def test_few_records_are_no_crash(modality, path):
    assert all(f.status != "error" for f in load(path)(few(modality)))
