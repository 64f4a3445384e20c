from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.evaluate.disclosure.singling_out import risk, singling_out
from tests.contracts.samples import WEIRD, cohort


def attacked(train, holdout, synthetic, **more):
    return singling_out(Evidence(train, holdout, synthetic, catalog.modality("table"), **more))[0]


def halves(n, holdout):
    whole = cohort(2 * n + holdout, 0)
    cuts = np.cumsum([0, n, holdout, n])
    return tuple(whole.take(np.arange(a, b)) for a, b in pairwise(cuts))


@pytest.mark.parametrize("holdout", [400, 130])
def test_a_copycat_is_caught_with_any_size_of_holdout(holdout):
    train, strangers, _ = halves(400, holdout)
    made = attacked(train, strangers, train)
    assert made.estimate.value > 0.6
    assert made.estimate.low > 0.25
    assert made.control.low <= 0


def test_no_risk_is_covered_for_strangers():
    covered, whole = [], cohort(30 * 620, 0)
    for seed in range(30):
        rows = 620 * seed + np.arange(620)
        train, holdout, fresh = (whole.take(part) for part in np.split(rows, [250, 370]))
        made = attacked(train, holdout, fresh, seed=seed, tier="fast")
        covered.append(made.estimate.low <= 0 <= made.estimate.high)
    assert np.mean(covered) >= 0.84


def test_a_tenth_of_copies_is_a_tenth_of_risk():
    victim = np.arange(100)
    group = np.where(victim < 10, victim, -1)
    nobody = np.full(100, -1)
    assert risk([group], nobody).value == pytest.approx(0.1)
    assert risk([np.where(victim < 5, victim, -1), np.where(victim > 94, victim, -1)], nobody).value == pytest.approx(
        0.1
    )


def test_no_risk_is_above_certainty_however_few_strangers_there_are():
    groups = [np.where(np.arange(20) == k, k, -1) for k in range(20)] * 2
    made = risk(groups, np.full(20, -1))
    assert made.value == made.high == 1


def test_predicates_about_one_patient_count_as_one():
    many, one = np.arange(200), np.zeros(200, dtype=int)
    nobody = np.full(200, -1)
    wide, narrow = (risk([np.where(many < 50, who, -1)], nobody) for who in (one, many))
    assert wide.value == narrow.value
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_odd_names_and_identical_sides():
    odd = WEIRD["odd names"]()
    assert attacked(odd, odd, odd).status in ("not_applicable", "measured")
    same = cohort(200, 0)
    made = attacked(same, same, same)
    assert abs(made.estimate.value) < 0.05 or made.estimate.low <= 0
