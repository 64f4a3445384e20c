from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.schema import Column
from semblance.modalities.vitals import MANIFEST
from semblance.modalities.vitals.metrics.mortality import _area, reverse, transfer
from tests.modalities.vitals.evidences import evidence, few
from tests.modalities.vitals.simulated import Stays, unrelated


def test_the_area_by_hand():
    assert _area(np.array([True, False, True, False]), np.array([0.9, 0.1, 0.4, 0.4])) == 0.875
    assert _area(np.array([True, True]), np.array([0.1, 0.2])) == 0.5


def test_models_of_other_real_stays_are_as_good():
    tstr, gap = transfer(evidence())
    assert tstr.control.value > 0.65
    assert gap.estimate.low <= 0.03
    assert abs(gap.estimate.value - (tstr.control.value - tstr.estimate.value)) < 1e-9


def test_unrelated_outcomes_teach_nothing():
    tstr, gap = transfer(evidence(unrelated))
    assert tstr.estimate.value < 0.65
    assert gap.estimate.value > 0.05
    (trts,) = reverse(evidence(unrelated))
    assert trts.detail["difference"] < -0.05


def test_a_fact_that_tells_the_outcome_is_left_out():
    def told(stays: Stays) -> Stays:
        day = np.where(stays.frame["died"] == "1", 3.0, np.nan)
        column = Column("day of death", "integer", dtype="int64")
        schema = stays.schema.with_columns((*stays.schema, column))
        return replace(stays, schema=schema, frame=stays.frame.assign(**{"day of death": day}))

    whole = evidence()
    parts = (told(part) for part in (whole.train, whole.holdout, whole.synthetic))
    tstr, _ = transfer(Evidence(*parts, MANIFEST, tier="fast"))
    assert tstr.detail["left_out"] == ["day of death"]
    assert tstr.control.value < 0.95


def test_few_stays_are_said():
    assert {f.status for f in (*transfer(few()), *reverse(few()))} == {"insufficient"}
