from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal.knobs import Knobs

RATE, BEFORE, SIZE = 250.0, 100, 256
TIME = (np.arange(SIZE) - BEFORE) / RATE


def beat(leads: int = 2) -> np.ndarray:
    """An R peak of 1 at 0 s, a P wave at -0.16 s and a T wave of 0.3 at 0.28 s."""
    shapes = ((1.0, 0.0, 0.012), (0.12, -0.16, 0.02), (0.3, 0.28, 0.035))
    wave = sum(height * np.exp(-(((TIME - at) / width) ** 2) / 2) for height, at, width in shapes)
    return np.tile(wave.astype(np.float32), (3, leads, 1))


def turned(knobs: Knobs, waves: np.ndarray | None = None) -> np.ndarray:
    return knobs.turn(beat() if waves is None else waves, np.ones(3), rate=RATE, before=BEFORE)


@pytest.mark.parametrize("longer", [-0.05, 0.03, 0.08])
def test_the_t_wave_moves_and_the_qrs_complex_does_not(longer: float) -> None:
    made, as_before = turned(Knobs(qt=longer)), beat()
    early = TIME < 0.05
    assert np.array_equal(made[..., early], as_before[..., early])
    late = np.flatnonzero(TIME > 0.12)
    peak = TIME[late[made[0, 0, late].argmax()]]
    # The T wave's peak stands (0.28 - 0.05) of (0.4 - 0.05) along the stretched part.
    assert peak == pytest.approx(0.28 + longer * 0.23 / 0.35, abs=1.5 / RATE)
    assert made[0, 0, late].max() == pytest.approx(0.3, abs=0.005)


def test_the_st_segment_is_raised_in_the_lead_that_was_named() -> None:
    made = turned(Knobs(st=(0.2, 0.0))) - beat()
    assert np.array_equal(made[:, 1], np.zeros_like(made[:, 1]))
    assert made[:, 0, np.abs(TIME - 0.12) < 0.02] == pytest.approx(0.2, abs=1e-6)
    assert np.abs(made[:, 0, (TIME < 0.05) | (TIME > 0.41)]).max() == 0


def test_knobs_at_rest_change_nothing() -> None:
    waves = beat()
    assert turned(Knobs(), waves) is waves
    assert turned(Knobs(st=(0.0, 0.0)), waves) is waves


def test_noise_is_added_as_strong_as_asked() -> None:
    values = np.zeros((20_000, 2), dtype=np.float32)
    assert Knobs().noisy(values, rng=stream(0)) is values
    assert Knobs(noise=0.05).noisy(values, rng=stream(0)).std(0) == pytest.approx(0.05, rel=0.05)
