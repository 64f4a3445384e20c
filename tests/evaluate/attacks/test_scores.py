from __future__ import annotations

import numpy as np
import pytest

from semblance.core.estimate import Estimate
from semblance.core.judge import AttackScores
from semblance.core.rng import stream
from semblance.evaluate.attacks.scores import advantage, findings


def scores(member, outsider):
    null = np.arange(30.0)
    return AttackScores("test", np.asarray(member), np.asarray(outsider), null, null)


def test_chance_and_certainty():
    rng = stream(0)
    blind, _ = findings([scores(rng.normal(size=500), rng.normal(size=500))])
    assert blind.estimate.low <= 0 <= blind.estimate.high
    sure, hits = findings([scores(np.ones(200), np.zeros(200))])
    assert (sure.estimate.value, hits.estimate.value) == (1, 1)
    assert sure.estimate.n == hits.estimate.n == 200
    assert sure.control.value == pytest.approx(0)


def test_the_advantage_is_twice_the_area_above_chance():
    made = advantage(Estimate(0.6, 0.55, 0.65, n=9))
    assert (made.value, made.low, made.high, made.n) == pytest.approx((0.2, 0.1, 0.3, 9))


def test_few_patients_are_insufficient():
    assert {f.status for f in findings([scores(np.ones(19), np.zeros(500))])} == {"insufficient"}
