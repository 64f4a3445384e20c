from __future__ import annotations

import numpy as np
import pytest

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.fairness.subgroups import subgroup_fidelity
from tests.contracts.samples import WEIRD, collapsed, patients, shuffled, table


def parts(n: int = 1200):
    return tuple(table(patients(n, seed), subject="pid", target="died") for seed in range(3))


def judged(train, holdout, synthetic, **more):
    (finding,) = subgroup_fidelity(Evidence(train, holdout, synthetic, catalog.modality("table"), **more))
    return finding


def test_a_fresh_sample_is_as_near_as_real_records():
    finding = judged(*parts())
    assert abs(finding.estimate.value - finding.control.value) < 0.05
    assert finding.estimate.low <= finding.control.high


def test_a_group_that_is_described_badly_is_named_though_the_others_are_fine():
    train, holdout, _ = parts()
    frame = patients(1200, 2)
    women = frame["sex"] == "F"
    for name in ("creatinine", "icd code", "smoker"):
        frame.loc[women, name] = frame.loc[women, name].iloc[0]
    finding = judged(train, holdout, table(frame, subject="pid", target="died"))
    assert finding.estimate.low > finding.control.high
    assert "sex = F" in finding.detail["groups"][0]["group"]


def test_lost_relations_are_seen_within_the_groups():
    train, holdout, fresh = parts()
    good, torn = judged(train, holdout, fresh), judged(train, holdout, shuffled(fresh, stream(0)))
    assert torn.estimate.value > good.estimate.value + 0.02


def test_a_handful_of_patients_again_and_again_is_judged_and_not_excused():
    train, holdout, fresh = parts()
    assert judged(train, holdout, collapsed(fresh, stream(0))).estimate.low > 0.3


def test_the_surest_group_stands_first():
    train, holdout, fresh = parts()
    rows = judged(train, holdout, shuffled(fresh, stream(0))).detail["groups"]
    assert all(row["patients"] >= 30 for row in rows)
    excess = [row["value"] - row["control"] for row in rows]
    assert max(excess[: len(excess) // 2]) >= max(excess[len(excess) // 2 :]) - 0.05


@pytest.mark.parametrize("name", WEIRD)
def test_weird_tables_are_no_crash(name):
    whole = WEIRD[name]()
    assert judged(whole, whole, whole).status in ("measured", "not_applicable", "insufficient")


def test_few_patients_are_insufficient_or_without_groups():
    three = tuple(part.take(np.arange(3)) for part in parts())
    assert judged(*three).status == "not_applicable"
