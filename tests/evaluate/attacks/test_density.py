from __future__ import annotations

import numpy as np
import pytest

from semblance.core.estimate import auc
from semblance.evaluate.attacks.density import COPY, density_ratio, log_radius
from tests.evaluate.attacks.games import copycat, evidence, noisy


def test_the_radius_of_evenly_spaced_neighbours():
    distance = np.full((1, 20), 2.0)
    assert log_radius(distance) == pytest.approx(np.log(2), abs=1e-5)
    assert log_radius(np.zeros((1, 3))) == pytest.approx(np.log(COPY))


def test_twice_as_far_is_the_logarithm_of_two():
    distance = np.sort(np.random.default_rng(0).random((5, 20)), axis=1) + 1
    assert log_radius(2 * distance) - log_radius(distance) == pytest.approx(np.log(2), abs=1e-5)


def test_copies_are_told_without_error_and_noisy_copies_nearly_so():
    told = density_ratio(copycat())
    assert auc(told.member, told.outsider).value == 1
    told = density_ratio(evidence(noisy(0.1)))
    assert auc(told.member, told.outsider).low > 0.75
