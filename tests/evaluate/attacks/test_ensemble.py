from __future__ import annotations

import numpy as np

from semblance.core.estimate import auc
from semblance.evaluate.attacks.ensemble import CROWDS, neighbour_ensemble, shares
from tests.evaluate.attacks.games import copycat, evidence, noisy


def test_shares_by_hand():
    near, far = np.arange(20.0)[None], 100 + np.arange(20.0)[None]
    assert shares(near, far) == 1
    assert shares(far, near) == 0
    alternating = shares(2 * near, 2 * near + 1)
    assert alternating == np.mean([np.ceil(k / 2) / k for k in CROWDS])


def test_few_neighbours():
    assert shares(np.array([[1.0]]), np.array([[2.0]])) == np.mean([1, *[0.5] * (len(CROWDS) - 1)])


def test_copies_are_told():
    for one, least in ((copycat(), 0.9), (evidence(noisy(0.1)), 0.7)):
        told = neighbour_ensemble(one)
        assert auc(told.member, told.outsider).low > least
