from __future__ import annotations

from semblance.modalities.vitals.metrics.order import order
from tests.modalities.vitals.evidences import evidence
from tests.modalities.vitals.simulated import upside_down


def test_real_pressures_keep_their_order():
    (finding,) = order(evidence())
    assert finding.estimate.value == 0
    assert finding.estimate.high > 0
    assert finding.detail["orders"] == ["SysABP >= MAP >= DiasABP"]


def test_pressures_upside_down_are_seen():
    assert order(evidence(upside_down))[0].estimate.value == 1
