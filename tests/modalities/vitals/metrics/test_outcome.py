from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.schema import Schema
from semblance.modalities.vitals import MANIFEST
from semblance.modalities.vitals.metrics.outcome import missingness
from tests.modalities.vitals.evidences import evidence
from tests.modalities.vitals.simulated import Stays, unrelated


def test_outcomes_that_say_nothing_of_what_is_missing_are_seen():
    (before,), (after,) = missingness(evidence()), missingness(evidence(unrelated))
    lactate = [next(r["value"] for r in f.detail["channels"] if r["name"] == "Lactate") for f in (before, after)]
    assert lactate[1] > lactate[0] + 0.1
    assert after.estimate.value > before.estimate.value


def test_without_an_outcome_it_does_not_apply():
    def without(stays: Stays) -> Stays:
        frame = stays.frame[["age", "sex"]]
        return replace(stays, schema=Schema(stays.schema.columns[:3]), frame=frame)

    whole = evidence()
    parts = (without(part) for part in (whole.train, whole.holdout, whole.synthetic))
    assert missingness(Evidence(*parts, MANIFEST))[0].status == "not_applicable"
    assert np.isfinite(missingness(whole)[0].control.value)
