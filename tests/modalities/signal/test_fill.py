from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal.encode import Encoding
from semblance.modalities.signal.fill import Linear, agreeing, centred, plotted, precision, strayed
from semblance.modalities.signal.waveform import Waveform
from tests.modalities.signal import simulated


@pytest.mark.parametrize("kind", ["components", "waveform"])
def test_a_code_is_the_linear_function_that_was_found(kind: str) -> None:
    pieces = simulated.pieces(200, 0)
    code = Encoding.fit(pieces, components=20, rng=stream(0)) if kind == "components" else Waveform.fit(pieces)
    line = Linear.of(code, pieces.labels[0], rng=stream(1))
    numbers = code.encode(pieces.take(np.arange(50)))
    waves = code.decode(numbers, np.full(50, pieces.labels[0], dtype=object), rng=stream(2)).reshape(50, -1)
    left = waves - (line.offset + numbers @ line.rows)
    assert np.square(left).mean() < max(3 * line.noise.mean(), 1e-6)


def gaussian(n: int) -> tuple[Linear, np.ndarray, np.ndarray]:
    """Two numbers of covariance `spread`, seen as their sum and as the second one, with noise of variance 0.01."""
    spread = np.array([[1.0, 0.8], [0.8, 2.0]])
    line = Linear(np.array([[1.0, 0.0], [1.0, 1.0]]), np.zeros(2), np.full(2, 0.01))
    return line, spread, np.linalg.cholesky(spread) @ stream(3).standard_normal((2, n))


def test_draws_that_agree_with_what_was_measured_are_those_of_the_posterior() -> None:
    n = 40_000
    line, spread, drawn = gaussian(n)
    waves = np.tile(np.array([[[1.5, 0.0]]]), (n, 1, 1))
    measured = np.tile(np.array([[[True, False]]]), (n, 1, 1))  # the sum alone
    made = agreeing(line, drawn.T, np.linalg.inv(spread), waves, measured, rng=stream(4))
    gain = spread @ np.ones(2) / (np.ones(2) @ spread @ np.ones(2) + 0.01)
    assert made.mean(0) == pytest.approx(1.5 * gain, abs=0.02)
    assert np.cov(made.T) == pytest.approx(spread - np.outer(gain, np.ones(2) @ spread), abs=0.03)


def test_where_nothing_was_measured_draws_stay_as_they_are() -> None:
    line, spread, drawn = gaussian(10)
    nothing = np.zeros((10, 1, 2))
    made = agreeing(line, drawn.T, np.linalg.inv(spread), nothing, nothing.astype(bool), rng=stream(4))
    assert np.array_equal(made, drawn.T)


def test_the_centre_and_what_strays_are_found_from_pieces_with_gaps() -> None:
    rng = stream(5)
    line = Linear(rng.normal(size=(3, 40)), np.zeros(40), np.full(40, 0.01))
    people, true = rng.normal(size=(400, 3)), np.array([1.0, -2.0, 0.5])
    waves = ((true + 0.4 * rng.normal(size=(300, 3))) @ line.rows + 0.1 * rng.normal(size=(300, 40)))[:, None, :]
    measured = rng.random(waves.shape) < 0.6
    found = centred(line, people, 0.4, waves, measured)
    assert found == pytest.approx(true, abs=0.1)
    assert strayed(line, found, 1.0, waves, measured) == pytest.approx(0.4, abs=0.05)
    none = np.zeros((0, 1, 40))
    assert centred(line, people, 0.4, none, none.astype(bool)) == pytest.approx(people.mean(0))
    assert strayed(line, true, 0.7, none, none.astype(bool)) == pytest.approx(0.7)


def test_numbers_without_spread_have_a_precision() -> None:
    assert np.isfinite(precision(np.ones((5, 3)))).all()


def test_windows_beyond_the_ends_were_not_measured() -> None:
    values = np.arange(10.0)[:, None] + np.array([0.0, 100.0])
    values[4, 1] = np.nan
    waves, measured = plotted(values, np.array([-2, 8]), 4)
    assert measured[0, 0].tolist() == [False, False, True, True] and measured[1, 0].tolist() == [
        True,
        True,
        False,
        False,
    ]
    assert waves[0, 1, 2:].tolist() == [100, 101]
