from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal.knobs import Knobs, landmarks
from semblance.modalities.signal.metrics.delineation import NAMES, delineated
from tests.modalities.signal.simulated import AT, NORMAL, WIDE, WIDE_AT, WIDE_WIDTH, WIDTH
from tests.modalities.signal.simulated import pieces as simulated_pieces

RATE, BEFORE, SIZE = 250.0, 100, 256
TIME = (np.arange(SIZE) - BEFORE) / RATE


def beat(leads: int = 2) -> np.ndarray:
    """An R peak of 1 at 0 s, a P wave at -0.16 s and a T wave of 0.3 at 0.28 s."""
    shapes = ((1.0, 0.0, 0.012), (0.12, -0.16, 0.02), (0.3, 0.28, 0.035))
    wave = sum(height * np.exp(-(((TIME - at) / width) ** 2) / 2) for height, at, width in shapes)
    return np.tile(wave.astype(np.float32), (3, leads, 1))


def turned(knobs: Knobs, waves: np.ndarray | None = None) -> np.ndarray:
    some = beat() if waves is None else waves
    return knobs.turn(some, np.ones(len(some)), np.zeros(len(some), dtype=int), rate=RATE, before=BEFORE)


def drawn(size: np.ndarray, at: np.ndarray, width: np.ndarray) -> np.ndarray:
    """(3, 2, SIZE) beats of these waves."""
    bells = np.exp(-(((TIME - at[:, None]) / width[:, None]) ** 2) / 2)
    return np.tile((size @ bells).astype(np.float32), (3, 1, 1))


def narrow_and_wide() -> tuple[np.ndarray, np.ndarray]:
    return drawn(NORMAL, AT, WIDTH), drawn(WIDE, WIDE_AT, WIDE_WIDTH)


@pytest.mark.parametrize("longer", [-0.05, 0.03, 0.08])
def test_the_t_wave_moves_and_the_qrs_complex_does_not(longer: float) -> None:
    made, as_before = turned(Knobs(qt=longer)), beat()
    j, _, end = landmarks(beat()[0], TIME, 1.0)
    assert j == pytest.approx(0.04, abs=0.015) and end == pytest.approx(0.28 + 2 * 0.035, abs=0.02)
    assert np.array_equal(made[..., j >= TIME], as_before[..., j >= TIME])
    late = np.flatnonzero(TIME > 0.12)
    peak = TIME[late[made[0, 0, late].argmax()]]
    assert peak == pytest.approx(0.28 + longer, abs=1 / RATE)
    assert made[0, 0, late].max() == pytest.approx(0.3, abs=0.005)


def test_the_qrs_complex_of_a_wide_beat_stays_too() -> None:
    """It was taken to end 50 ms behind R in all beats, so that a ventricular one was stretched and lifted."""
    narrow, wide = narrow_and_wide()
    waves, kinds = np.concatenate([narrow, wide]), np.repeat([0, 1], 3)
    for knobs in (Knobs(qt=0.06), Knobs(qt=-0.04), Knobs(st=(0.2, 0.1))):
        made = knobs.turn(waves, np.ones(6), kinds, rate=RATE, before=BEFORE)
        # S of the wide beat stands at 0.085 s and is 0.035 s wide.
        assert np.abs(made - waves)[:3, :, TIME < 0.055].max() < 1e-6
        assert np.abs(made - waves)[3:, :, TIME < 0.085 + 1.5 * 0.035].max() < 1e-6
        assert np.abs(made - waves)[..., TIME > 0.2].max() > 0.02
        each = (knobs.turn(some, np.ones(3), np.zeros(3), rate=RATE, before=BEFORE) for some in (narrow, wide))
        assert np.array_equal(made, np.concatenate(list(each)))


@pytest.mark.parametrize("longer", [-0.03, 0.04])
def test_another_delineation_finds_the_longer_interval(longer: float) -> None:
    """NeuroKit2's, of a normal beat: its QT interval is as much longer, and its QRS complex as long."""
    pytest.importorskip("neurokit2")
    before, after = (
        intervals(waves) for waves in (narrow_and_wide()[0], turned(Knobs(qt=longer), narrow_and_wide()[0]))
    )
    assert after["qt interval"] - before["qt interval"] == pytest.approx(longer, abs=0.008)
    assert after["qrs duration"] == before["qrs duration"] and after["r height"] == before["r height"]
    assert after["pr interval"] == before["pr interval"]


def intervals(waves: np.ndarray) -> dict[str, float]:
    """The numbers of the second beat on the first lead, as NeuroKit2 reads them."""
    one = simulated_pieces(1, 0).take(np.zeros(len(waves), dtype=int))
    return dict(zip(NAMES, delineated(replace(one, waves=waves))[1].tolist(), strict=True))


def test_the_st_segment_is_raised_in_the_lead_that_was_named() -> None:
    made = turned(Knobs(st=(0.2, 0.0))) - beat()
    j, _, end = landmarks(beat()[0], TIME, 1.0)
    assert np.array_equal(made[:, 1], np.zeros_like(made[:, 1]))
    assert made[:, 0, np.abs(TIME - 0.12) < 0.02] == pytest.approx(0.2, abs=1e-6)
    assert np.abs(made[:, 0, (j >= TIME) | (end <= TIME)]).max() == 0


def test_knobs_at_rest_change_nothing() -> None:
    waves = beat()
    assert turned(Knobs(), waves) is waves
    assert turned(Knobs(st=(0.0, 0.0)), waves) is waves


def test_noise_is_added_as_strong_as_asked() -> None:
    values = np.zeros((20_000, 2), dtype=np.float32)
    assert Knobs().noisy(values, rng=stream(0)) is values
    assert Knobs(noise=0.05).noisy(values, rng=stream(0)).std(0) == pytest.approx(0.05, rel=0.05)
