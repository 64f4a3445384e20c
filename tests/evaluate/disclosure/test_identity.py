from __future__ import annotations

import numpy as np
import pytest

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.evaluate.disclosure.identity import _majority, deviation, identity, terms
from tests.contracts.samples import cohort


def attacked(*parts, **more):
    return identity(Evidence(*parts, catalog.modality("table"), **more))[0]


def test_the_two_terms_by_hand():
    mine, everybody = np.array([0, 0, 1, 2]), np.array([0, 0, 1, 2, 0, 1, 3, 3])
    learned = 0.6 * np.array([1, 1, 1, 0])
    first, second = terms(mine, everybody, learned)
    assert first.value == pytest.approx(0.6 * (1 / 2 + 1 / 2 + 1) / 8)
    assert second.value == pytest.approx(0.6 * (1 / 3 + 1 / 3 + 1 / 2) / 4)
    assert second.n == 4


def test_nobody_found_among_few_patients_is_not_certainly_nobody():
    made = terms(np.arange(300), np.arange(600), np.zeros(300))
    assert [one.value for one in made] == [0, 0]
    assert all(one.low == 0 and one.high == pytest.approx(3 / 300) for one in made)
    assert all(one.low >= 0 for one in terms(np.arange(300), np.arange(600), np.eye(300)[0]))
    every = terms(np.arange(300), np.arange(600), np.full(300, 0.6))[1]  # sure of everybody, but for the rule of three
    assert every.low == pytest.approx(every.value) and every.high < every.value + 0.01


def test_what_most_patients_have_teaches_nothing():
    column = np.array([1.0, 1, 1, 2, np.nan])
    assert _majority(column, np.array([1.0, 2.0, np.nan])).tolist() == [True, False, False]
    assert _majority(np.array([np.nan, np.nan, 1.0]), np.array([np.nan, 1.0])).tolist() == [True, False]
    assert not _majority(np.array([1.0, 2.0, 3.0]), np.array([1.0])).any()
    assert deviation(np.array([1.0, 2.0, 4.0, np.nan])) == 1
    assert deviation(np.array([np.nan])) == 0


def test_a_copycat_is_above_the_accepted_level_and_above_strangers():
    whole = cohort(1500, 0)
    train, holdout, fresh = (whole.take(np.arange(500 * i, 500 * (i + 1))) for i in range(3))
    made, safe = attacked(train, holdout, train), attacked(train, holdout, fresh)
    assert made.estimate.low > 0.09
    assert made.estimate.low > made.control.high
    assert safe.estimate.value < made.estimate.value
    assert safe.estimate.low <= safe.control.high
    assert safe.control.low <= safe.estimate.high
