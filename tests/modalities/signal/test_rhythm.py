from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal.rhythm import BANDS, CONTEXTS, Beats, Rhythm, mix_of, often_at, shares_of, told


def bigeminy(n: int, *, pace: float = 0.8) -> Beats:
    """Every other beat is premature and is followed by a pause."""
    kinds = np.arange(n) % 2
    kinds[: n // 2] = 0
    gaps = np.where(kinds == 1, 0.6 * pace, pace)
    gaps[1:][kinds[:-1] == 1] = 1.4 * pace
    return Beats(kinds, gaps * np.exp(0.01 * stream(0, "gaps").standard_normal(n)))


def test_a_rhythm_is_its_vector():
    vector = told([bigeminy(400), bigeminy(100)], 2)[0]
    assert np.array_equal(Rhythm.of_vector(vector, 2).vector, vector)


def test_what_follows_what_is_told_and_drawn_again():
    one = bigeminy(4000)
    rhythm = Rhythm.of_vector(told([one], 2)[0], 2)
    kinds = rhythm.kinds(4000, rng=stream(1, "kinds"))
    assert every_other(kinds) == pytest.approx(every_other(one.kinds), abs=0.03)
    assert (kinds[1:] & kinds[:-1]).mean() < 0.01


def every_other(kinds: np.ndarray) -> float:
    """How often an ectopic beat follows after one and a normal one."""
    return float(kinds[2:][(kinds[:-2] == 1) & (kinds[1:-1] == 0)].mean())


def test_the_mix_is_that_of_a_long_recording():
    often = np.array([[-3.0, -1.0, -0.5], [-4.0, -2.0, -3.0]])
    rhythm = Rhythm(0.0, np.zeros(BANDS), often, np.zeros((2, 3)), np.zeros((2, 3)))
    kinds = rhythm.kinds(60_000, rng=stream(1, "kinds"))
    assert np.bincount(kinds) / len(kinds) == pytest.approx(rhythm.mix, abs=0.006)


def test_the_mixes_of_many_rhythms_are_those_of_each() -> None:
    often = stream(3, "often").normal(-2, 1, (5, 3, CONTEXTS))
    each = [Rhythm(0.0, np.zeros(BANDS), one, np.zeros((3, 3)), np.zeros((3, 3))).mix for one in often]
    assert mix_of(shares_of(often)) == pytest.approx(np.array(each))


def test_early_beats_and_their_pauses_are_told_and_drawn_again():
    rhythm = Rhythm.of_vector(told([bigeminy(4000)], 2)[0], 2)
    kinds = rhythm.kinds(4000, rng=stream(1, "kinds"))
    gaps = rhythm.intervals(kinds, rng=stream(2, "gaps"))
    first = (kinds == 1) & (np.roll(kinds, 1) == 0)
    after = (kinds == 0) & (np.roll(kinds, 1) == 1)
    normal = (kinds == 0) & (np.roll(kinds, 1) == 0)
    assert np.median(gaps[first]) == pytest.approx(0.48, rel=0.03)
    assert np.median(gaps[after]) == pytest.approx(1.12, rel=0.03)
    assert np.median(gaps[normal]) == pytest.approx(0.8, rel=0.03)


def test_the_variability_of_normal_intervals_is_kept_by_bands():
    n = 3000
    wave = 0.05 * np.sin(2 * np.pi * 0.25 * np.arange(n)) + 0.02 * stream(0, "w").standard_normal(n)
    rhythm = Rhythm.of_vector(told([Beats(np.zeros(n, dtype=int), 0.9 * np.exp(wave))], 1)[0], 1)
    drawn = np.log(rhythm.intervals(np.zeros(n, dtype=int), rng=stream(1, "gaps")))
    assert drawn.std() == pytest.approx(wave.std(), rel=0.1)
    assert np.diff(drawn).std() == pytest.approx(np.diff(wave).std(), rel=0.1)


def test_gaps_between_marks_are_no_intervals():
    beats = Beats(np.zeros(50, dtype=int), np.full(50, 0.8))
    beats.intervals[20] = 100.0
    assert np.allclose(np.exp(beats.normal), 0.8)


def test_a_recording_with_few_beats_is_drawn_towards_the_cohort():
    often = [
        Rhythm.of_vector(v, 2).often[0, 0] for v in told([bigeminy(4000), Beats(np.zeros(3, dtype=int), np.ones(3))], 2)
    ]
    habit = np.exp(often) / (1 + np.exp(often))
    assert habit[1] == pytest.approx(habit[0], abs=0.05)


def test_the_places_of_often_are_those_of_the_vector():
    k = 4
    vector = np.arange(1 + BANDS + 3 * (k - 1) * CONTEXTS, dtype=float)
    assert np.array_equal(vector[often_at(k)], Rhythm.of_vector(vector, k).often)
