from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.vitals.encoding.encoding import Encoding
from semblance.modalities.vitals.encoding.paths import Paths
from tests.modalities.vitals.simulated import stays


@pytest.fixture(scope="module")
def coded():
    return Encoding.fit(stays(120, 0), blocks=4, factors=6, rare=5, rng=stream(0, "fit"))


def test_series_and_back_are_the_same_vectors(coded):
    encoding, learned = coded
    paths = Paths.of(encoding)
    series, rest = paths.split(learned.coefficients)
    assert series.shape == (120, 4 * (len(encoding.when.groups) + 8))
    assert rest.shape[1] == encoding.sizes.numbers - 12
    assert np.allclose(paths.join(series, rest), learned.coefficients, atol=1e-4)


def test_a_series_is_the_course_of_its_channel(coded):
    """A row of a channel is its means in the parts of the stay, in other units."""
    encoding, learned = coded
    what, paths = encoding.what, Paths.of(encoding)
    series = paths.split(learned.coefficients)[0].reshape(120, paths.channels, 4)
    first = encoding.when.width
    own = learned.coefficients[:, first : first + what.factors.axes.shape[1]]
    means = what.factors.means(own).reshape(120, 4, 8)
    for channel in (2, 4):
        made = series[:, len(encoding.when.groups) + channel]
        assert np.corrcoef(made.ravel(), (means[:, :, channel] - means[:, :, channel].mean(0)).ravel())[0, 1] > 0.95
        assert 0.5 < made.std() < 1.5


def test_stays_without_a_channel_have_one_series_at_rest():
    nothing, learned = Encoding.fit(stays(3, 0), blocks=4, factors=6, rare=5, rng=stream(0, "fit"))
    series, rest = Paths.of(nothing).split(learned.coefficients)
    assert (series == np.zeros((3, nothing.when.blocks))).all()
    assert np.isfinite(Paths.of(nothing).join(series, rest)).all()


def test_series_that_factors_cannot_tell_come_as_near_as_they_can(coded):
    encoding, learned = coded
    paths = Paths.of(encoding)
    series, rest = paths.split(learned.coefficients)
    noisy = series + stream(0, "noise").normal(0, 0.2, series.shape)
    again = paths.split(paths.join(noisy, rest))[0]
    assert np.linalg.norm(again - noisy) < np.linalg.norm(series - noisy)
