from __future__ import annotations

from dataclasses import replace

from semblance.core.dataset import Evidence
from semblance.modalities.vitals import MANIFEST
from semblance.modalities.vitals.declare import Said
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


def test_declared_orders_are_judged_and_no_others():
    whole = evidence(upside_down)
    train = replace(whole.train, said=Said(order=(("HR", "Temp"),)))
    (finding,) = order(Evidence(train, whole.holdout, whole.synthetic, MANIFEST, tier="fast"))
    assert finding.detail["orders"] == ["HR >= Temp"]
    assert finding.estimate.value == 0
    train = replace(whole.train, said=Said(order=(("DiasABP", "SysABP"),)))
    assert order(Evidence(train, whole.holdout, whole.holdout, MANIFEST, tier="fast"))[0].estimate.value == 1
