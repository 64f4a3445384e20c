from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal import stitch
from semblance.modalities.signal.pieces import Cut, without_wander
from tests.modalities.signal.simulated import recordings


def test_real_beats_become_the_recording_that_they_were_cut_from():
    whole = recordings(5, 1)
    cut = Cut.of(whole)
    for i in range(len(whole)):
        one, pieces = whole.recordings[i], cut.pieces(whole.take(np.array([i])))
        fits = (one.beats.at >= cut.before) & (one.beats.at - cut.before + cut.size <= one.length)
        fits[[0, -1]] = False
        at = one.beats.at[fits]
        made = stitch.beats(pieces.waves, at, one.length, rate=cut.rate, before=cut.before)
        inner = slice(at[0], at[-1])
        apart = (made - without_wander(one.values(), one.rate))[inner]
        assert np.abs(apart).mean() < 0.01
        peaks = made[at] - without_wander(one.values(), one.rate)[at]
        assert np.abs(peaks).max() < 0.05


def quick(n: int, gap: int) -> tuple[np.ndarray, np.ndarray]:
    """Sharp beats `gap` samples apart with a little noise, and where they stand."""
    at = 150 + gap * np.arange(n)
    bells = np.exp(-0.5 * ((np.arange(at[-1] + 300)[:, None] - at) / 4) ** 2).sum(1)
    return (bells + stream(gap, "noise").normal(0, 0.01, len(bells)))[:, None].astype(np.float32), at


@pytest.mark.parametrize("gap", [90, 130, 200, 250])
def test_a_beat_alone_shows_no_neighbour_and_strips_are_as_they_were(gap):
    """Slow hearts showed the next beat of the quick ones that they were learned from, 0.04 mV high."""
    values, at = quick(12, gap)
    waves = np.stack([values[a - 100 : a + 156].T for a in at[1:-1]])
    lone = stitch.alone(waves, np.full((10, 2), gap / 250), rate=250.0, before=100)
    beside = np.abs(np.arange(256) - 100) > gap / 2
    assert np.abs(lone[:, 0, beside]).max() < 0.1
    noise = np.diff(lone[:, 0], 2)[:, (np.abs(np.arange(254) - 99) > 30)]
    assert noise.std() == pytest.approx(np.sqrt(6) * 0.01, rel=0.3)
    both = [stitch.beats(some, at[1:-1], len(values), rate=250.0, before=100) for some in (waves, lone)]
    inner = slice(at[1] - 20, at[-2] + 20)
    assert np.abs(both[0] - both[1])[inner].max() < 0.05


def test_pauses_have_the_noise_of_their_beats():
    """They were straight lines, and so was the start of a recording."""
    values, at = quick(12, 200)
    waves = np.stack([values[a - 100 : a + 156].T for a in at[1:-1]])
    made = stitch.beats(waves, 400 + 500 * np.arange(10), 6000, rate=250.0, before=100)[:, 0]
    away = np.abs(np.arange(6000)[:, None] - (400 + 500 * np.arange(10))).min(1) > 40
    shaky = np.abs(np.diff(made, 2))[away[1:-1]]
    assert np.median(shaky) == pytest.approx(0.6745 * np.sqrt(6) * 0.01, rel=0.4)
    assert (shaky[:200] > 0).mean() > 0.95
    pauses = np.stack([made[a + 170 : a + 370] for a in 400 + 500 * np.arange(10)])
    pauses -= pauses.mean(1, keepdims=True)
    for lag in range(5, 100):  # the ends of windows once went back and forth 5 times a second, as atria that flutter
        assert np.mean(pauses[:, lag:] * pauses[:, :-lag]) < 0.5 * pauses.var()


def test_marks_that_stand_too_close_halve_no_beat():
    wave = np.exp(-0.5 * ((np.arange(256) - 100) / 4) ** 2)[None, None, :].astype(np.float32)
    lone = stitch.alone(wave, np.array([[0.01, 0.8]]), rate=250.0, before=100)
    assert lone[0, 0, 100] == pytest.approx(1, abs=0.02)


def test_windows_at_other_levels_meet_without_a_step():
    rng = stream(0, "levels")
    at = np.arange(150, 4000, 200)
    bell = np.exp(-0.5 * ((np.arange(256) - 100) / 4) ** 2)
    waves = (bell[None, None, :] + rng.normal(0, 0.3, (len(at), 1, 1))).astype(np.float32)
    made = stitch.beats(waves, at, 4000, rate=250.0, before=100)
    quiet = np.abs(np.arange(4000)[:, None] - at).min(1) > 25
    assert np.abs(np.diff(made[:, 0]))[quiet[1:] & quiet[:-1]].max() < 0.02


def test_long_pauses_are_filled_and_short_intervals_overlap():
    at = np.array([120, 200, 900, 960, 1500])
    bell = np.exp(-0.5 * ((np.arange(256) - 100) / 4) ** 2)
    made = stitch.beats(np.tile(bell, (5, 2, 1)).astype(np.float32), at, 1800, rate=250.0, before=100)
    assert made.shape == (1800, 2)
    assert np.allclose(made[at], 1, atol=0.05)
    assert np.abs(made[300:800]).max() < 0.01


@pytest.mark.parametrize("n", [0, 1])
def test_few_beats_make_a_recording_too(n):
    made = stitch.beats(np.ones((n, 2, 256), dtype=np.float32), np.full(n, 300), 1000, rate=250.0, before=100)
    assert made.shape == (1000, 2)
    assert np.isfinite(made).all()


def test_windows_of_noise_keep_their_power_where_they_meet():
    waves = stream(0, "noise").standard_normal((400, 1, 64)).astype(np.float32)
    made = stitch.windows(waves, fade=16)
    assert made.shape == (400 * 48 + 16, 1)
    seams = made[np.arange(1, 400)[:, None] * 48 + np.arange(16)]
    assert seams.var() == pytest.approx(1, abs=0.05)
    assert np.array_equal(stitch.windows(waves[:1], fade=16)[:, 0], waves[0, 0])


@pytest.mark.parametrize(("size", "fade"), [(64, 16), (256, 16), (2, 1), (9, 3)])
def test_a_constant_stays_a_constant(size, fade):
    """Sines and cosines made 5932 of 4200 at every seam, and 170 mmHg of 127."""
    made = stitch.windows(np.full((6, 2, size), 4200, dtype=np.float32), fade=fade)
    assert np.allclose(made, 4200, rtol=1e-6)


def test_what_moves_slowly_meets_without_a_step_and_within_its_range():
    rng = stream(0, "slow")
    level = rng.normal(100, 20, (50, 1, 1)) + 5 * np.sin(np.linspace(0, 6, 256))
    made = stitch.windows(level.astype(np.float32), fade=16)[:, 0]
    assert level.min() - 10 < made.min() and made.max() < level.max() + 10
    assert np.abs(np.diff(made)).max() < 3


def test_more_beats_than_a_block_are_placed_alike(monkeypatch):
    at = np.arange(120, 30000, 180)
    waves = stream(0, "w").standard_normal((len(at), 2, 256)).astype(np.float32)
    once = stitch.beats(waves, at, 30100, rate=250.0, before=100)
    monkeypatch.setattr(stitch, "BLOCK", 7)
    assert np.array_equal(stitch.beats(waves, at, 30100, rate=250.0, before=100), once)
