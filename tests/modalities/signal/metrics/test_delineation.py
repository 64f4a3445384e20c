"""NeuroKit2's intervals of waves whose truth is known, and beats that are spoilt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.modalities.signal.metrics import delineation as judge
from semblance.modalities.signal.metrics.delineation import NAMES, delineated, delineation
from tests.modalities.signal.evidences import evidence, few, plain
from tests.modalities.signal.metrics.test_morphology import ideal
from tests.modalities.signal.simulated import reversed_time

neurokit = pytest.importorskip("neurokit2")


def repeated(scale=1.0):
    one = ideal(scale)
    return replace(one.take(np.zeros(3, dtype=int)), waves=np.repeat(one.waves, 3, axis=0))


def test_an_ideal_beat_has_the_intervals_that_it_was_drawn_with():
    made = dict(zip(NAMES, delineated(repeated())[1].tolist(), strict=True))
    assert made["p height"] == pytest.approx(0.12, abs=0.03)
    assert made["t height"] == pytest.approx(0.30, abs=0.07)
    assert 0.05 < made["p duration"] < 0.15
    assert 0.10 < made["pr interval"] < 0.22
    assert 0.04 < made["qrs duration"] < 0.12
    assert 0.30 < made["qt interval"] < 0.48


def test_heights_scale_and_durations_do_not():
    one, twice = delineated(repeated())[1], delineated(repeated(2.0))[1]
    tall = np.array(["height" in name for name in NAMES])
    assert twice == pytest.approx(np.where(tall, 2.0, 1.0) * one, rel=1e-4)


def test_damage_is_seen():
    (good,), (bad,) = delineation(evidence()), delineation(evidence(reversed_time))
    assert bad.estimate.low > max(good.estimate.value, good.control.value)
    assert {row["label"] for row in good.detail["classes"]} >= {"N", "V"}


def test_without_beats_or_without_neurokit_nothing_is_measured(monkeypatch):
    assert delineation(plain())[0].status == "not_applicable"
    assert delineation(few())[0].status == "insufficient"
    monkeypatch.setattr(judge, "find_spec", lambda name: None)
    assert "semblance[signal]" in delineation(evidence())[0].reason
