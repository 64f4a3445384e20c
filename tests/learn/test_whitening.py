from __future__ import annotations

import numpy as np
import pytest

from semblance.learn.drawn import Learned
from semblance.learn.whitening import Coloured, Whitening, parted


@pytest.fixture
def learned() -> Learned:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 4000)
    turn = np.eye(5) + 0.3 * rng.normal(size=(2, 5, 5))
    x = np.einsum("nd,ndk->nk", rng.normal(size=(4000, 5)), turn[labels]) + 3.0 * labels[:, None]
    return Learned(x.astype(np.float32), labels, np.zeros((4000, 0), np.float32), np.arange(4000), 3)


def test_each_class_is_centred_and_has_no_covariance(learned):
    made = Whitening.fit(learned).whitened(learned)
    for k in range(2):
        own = made.coefficients[learned.labels == k]
        assert np.abs(own.mean(0)).max() < 0.01
        assert np.abs(np.cov(own.T) - np.eye(5)).max() < 0.25


def test_coloured_is_the_inverse(learned):
    white = Whitening.fit(learned)
    made = white.coloured(white.whitened(learned).coefficients, learned.labels)
    assert np.allclose(made, learned.coefficients, atol=1e-3)


def test_a_class_of_no_records_is_like_all(learned):
    white = Whitening.fit(learned)
    assert np.allclose(white.means[2], learned.coefficients.mean(0), atol=1e-4)
    assert np.isfinite(white.roots[2]).all()


def test_what_is_saved_is_restored(learned):
    class Zeros:
        def draw(self, labels, given, *, rng):
            return np.zeros((len(labels), 5), np.float32)

        def arrays(self):
            return {"x": np.ones(1)}

    white = Whitening.fit(learned)
    inner, again = parted(Coloured(Zeros(), white).arrays())
    assert list(inner) == ["x"]
    made = Coloured(Zeros(), again).draw(np.array([0, 1]), np.zeros((2, 0)), rng=np.random.default_rng(0))
    assert np.allclose(made, white.means[:2])
