from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from semblance.core.estimate import auc
from semblance.evaluate.attacks.likelihood import likelihood_ratio, raised
from tests.evaluate.attacks.games import copycat, evidence, noisy


def test_it_is_what_a_kernel_density_gains():
    rng = np.random.default_rng(0)
    x, made, real = rng.normal(size=1), rng.normal(size=(4, 1)), rng.normal(size=(9, 1))

    def density(points):
        return norm.pdf(made, points.T, 0.5).mean(axis=1)

    gain = np.log(density(np.concatenate([real, x[:, None]])) / density(real)).sum() - 4 * np.log(9 / 10)
    assert raised((made - x)[None], (real - x)[None], width=0.5) == pytest.approx(gain)


def test_it_stays_finite_far_from_everybody():
    far = np.full((1, 2, 3), 1e4)
    assert np.isfinite(raised(far, -far, width=1e-3)).all()
    assert raised(far, -far, width=1e-3) >= 0


def test_copies_are_told():
    for one in (copycat(), evidence(noisy(0.1))):
        told = likelihood_ratio(one)
        assert auc(told.member, told.outsider).low > 0.7
