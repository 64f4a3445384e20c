from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal.pieces import pieces
from semblance.modalities.signal.waveform import Waveform, cosines, in_time
from tests.modalities.signal.simulated import recordings


@pytest.fixture(scope="module")
def some():
    whole = recordings(4, 1)
    return pieces(whole, whole)


def test_a_wave_comes_back_from_its_numbers(some):
    code = Waveform.fit(some)
    numbers = code.encode(some)
    assert numbers.shape == (len(some), code.width) == (len(some), some.waves[0].size)
    assert code.decode(numbers, some.labels, rng=stream(0, "decode")) == pytest.approx(some.waves, abs=1e-4)


def test_every_lead_has_one_scale_and_distances_stay(some):
    code = Waveform.fit(some)
    numbers = code.encode(some)
    waves = in_time(numbers, leads=2)
    assert waves.std((0, 2)) == pytest.approx(np.ones(2), rel=1e-3)
    assert np.linalg.norm(numbers[0] - numbers[1]) == pytest.approx(np.linalg.norm(waves[0] - waves[1]), rel=1e-4)


@pytest.mark.parametrize("samples", [1, 2, 131, 256])
def test_cosines_turn_back(samples):
    waves = stream(0, "waves").normal(size=(3, 2, samples)).astype(np.float32)
    assert in_time(cosines(waves), leads=2) == pytest.approx(waves, abs=1e-5)


def test_a_flat_lead_stays_flat(some):
    code = Waveform.fit(replace(some, waves=np.where([[[True], [False]]], some.waves, np.float32(0.25))))
    drawn = stream(0, "drawn").normal(size=(9, code.width))
    assert code.decode(drawn, some.labels[:9], rng=stream(0, "decode"))[:, 1] == pytest.approx(0.25, abs=1e-4)


def test_saved_and_restored_it_is_the_same(some):
    code = Waveform.fit(some)
    again = Waveform.from_arrays(code.labels, code.arrays())
    assert again.width == code.width
    assert np.array_equal(again.encode(some), code.encode(some))
