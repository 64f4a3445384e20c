from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from semblance.core.rng import stream
from semblance.learn.person import Person
from semblance.modalities.signal.rhythm import (
    BANDS,
    CONTEXTS,
    JUMPS,
    Beats,
    Rhythm,
    hits_of,
    mix_of,
    moved,
    often_at,
    shares_of,
    swing_at,
    told,
)


def bigeminy(n: int, *, pace: float = 0.8) -> Beats:
    """Every other beat is premature and is followed by a pause."""
    kinds = np.arange(n) % 2
    kinds[: n // 2] = 0
    gaps = np.where(kinds == 1, 0.6 * pace, pace)
    gaps[1:][kinds[:-1] == 1] = 1.4 * pace
    return Beats(kinds, gaps * np.exp(0.01 * stream(0, "gaps").standard_normal(n)))


def test_a_rhythm_is_its_vector():
    vector = told([bigeminy(400), bigeminy(100)], 2)[0]
    np.testing.assert_allclose(Rhythm.of_vector(vector, 2).vector, vector, atol=1e-9)


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
    often = np.array([[-3.0, -1.0, -0.5, -1.0, 1.5], [-4.0, -2.0, -3.0, 0.0, 0.0]])
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
    vector = np.arange(1 + BANDS + (k - 1) * (CONTEXTS + 2 * JUMPS + 1) + 1, dtype=float)
    rhythm = Rhythm.of_vector(vector, k)
    assert np.array_equal(vector[often_at(k)], rhythm.often) and np.array_equal(vector[swing_at(k)], rhythm.swing)
    np.testing.assert_allclose(rhythm.vector, vector)


def ectopic(n: int, swing: float, lasting: float, seed: int) -> Beats:
    """Beats of which some begin runs of ectopic ones, in episodes where there is a swing."""
    often = np.array([[-3.0, -2.0, -1.5, 0.0, 0.0]])
    rhythm = Rhythm(np.log(0.8), np.full(BANDS, -9.0), often, np.zeros((1, 3)), np.full((1, 3), -4.0), swing, lasting)
    kinds = rhythm.kinds(n, rng=stream(seed, "kinds"))
    return Beats(kinds, rhythm.intervals(kinds, rng=stream(seed, "gaps")))


def clustering(beats: Beats) -> float:
    """How many times more the numbers of ectopic beats in windows differ than coins would make them."""
    share = beats.kinds[: len(beats.kinds) // 100 * 100].reshape(-1, 100).mean(1)
    return float(share.var() / (share.mean() * (1 - share.mean()) / 100))


def test_episodes_are_told_and_drawn_again():
    there = [ectopic(20_000, 1.2, np.log(300), seed) for seed in range(5)]
    rows = told(there, 2)
    rhythms = [Rhythm.of_vector(row, 2) for row in rows]
    assert np.mean([rhythm.swing for rhythm in rhythms]) == pytest.approx(1.2, abs=0.25)
    assert rhythms[0].lasting == pytest.approx(np.log(300), abs=0.6)
    drawn = [clustering(Beats(r.kinds(20_000, rng=stream(i, "again")), np.ones(20_000))) for i, r in enumerate(rhythms)]
    assert np.mean(drawn) == pytest.approx(np.mean([clustering(one) for one in there]), rel=0.2)
    without = [ectopic(20_000, 0.0, 5.0, seed) for seed in range(5)]
    assert np.mean([clustering(one) for one in without]) < 0.5 * np.mean(drawn)


def test_where_coins_decide_there_are_no_episodes():
    rows = told([ectopic(20_000, 0.0, 5.0, seed) for seed in range(5)], 2)
    assert rows[:, swing_at(2)].max() < 0.45
    assert (told([Beats(np.zeros(500, dtype=int), np.ones(500))], 2)[:, swing_at(2)] == 0).all()


def test_states_move_how_often_beats_begin_and_not_how_often_there_are_some():
    often = np.array([[-3.0, -1.0, -0.5, -1.0, -1.0]])
    calm, busy = (1 / (1 + np.exp(-moved(often, np.array([side])))) for side in (-0.8, 0.8))
    assert busy[0, 0] > 4 * calm[0, 0] and (calm + busy)[0, 0] / 2 == pytest.approx(1 / (1 + np.exp(3.0)))
    assert np.array_equal(calm[0, 1:], busy[0, 1:])


def test_a_run_ends_as_its_length_says():
    """One beat is often followed by another one, two hardly ever by a third."""
    often = np.array([[-2.0, -2.0, 1.0, -4.0, -4.0]])
    kinds = Rhythm(0.0, np.zeros(BANDS), often, np.zeros((1, 3)), np.zeros((1, 3))).kinds(
        30_000, rng=stream(0, "kinds")
    )
    found = Beats(kinds, np.ones(len(kinds))).counts(2)[..., 0] / len(kinds)
    assert found == pytest.approx(hits_of(often), abs=0.005)
    runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[0], kinds, [0]]))))[::2]
    assert (runs == 2).mean() > 0.5 and (runs > 2).mean() < 0.05


def test_few_runs_are_long_and_those_that_are_last():
    """One chance for a third beat and for every later one made three times as many runs, and all of them short."""
    often = np.array([[-3.0, -2.0, -1.5, -2.5, 2.5]])
    kinds = Rhythm(0.0, np.zeros(BANDS), often, np.zeros((1, 3)), np.zeros((1, 3))).kinds(
        200_000, rng=stream(0, "kinds")
    )
    found = Beats(kinds, np.ones(len(kinds))).counts(2)
    assert found[..., 0] / len(kinds) == pytest.approx(hits_of(often), rel=0.15)
    assert (found[..., 0] / found[..., 1])[0, 3:] == pytest.approx(expit(often[0, 3:]), rel=0.1)
    runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[0], kinds, [0]]))))[::2]
    assert (runs[runs > 1] > 2).mean() == pytest.approx(expit(-2.5), rel=0.2)
    assert runs[runs > 2].mean() == pytest.approx(2 + 1 / (1 - expit(2.5)), rel=0.2)


def test_hearts_that_vary_in_all_bands_are_drawn_so():
    """Shrunk apart, ten bands never rose or fell together: hardly anybody was drawn as steady as most are."""
    rng, k = stream(4, "hearts"), 4
    bands = rng.normal(-9, 1.3, (22, 1)) + rng.normal(0, 0.6, (22, BANDS))
    rows = []
    for one in bands:
        often, early, spread = (rng.normal(-2, 1, (k - 1, size)) for size in (CONTEXTS, JUMPS, JUMPS))
        rows.append(Rhythm(0.0, one, often, early, spread, rng.random(k - 1)).vector)
    person = Person.fit(pd.DataFrame(index=range(22)), np.array(rows), np.arange(22), rare=5)
    drawn = [Rhythm.of_vector(row, k).bands for row in person.draw(800, rng=stream(5, "people"))[1]]
    real, made = (np.log(np.exp(some).sum(1)) for some in (bands, np.array(drawn)))
    assert np.median(made) == pytest.approx(np.median(real), abs=0.25)
    assert made.std() == pytest.approx(real.std(), rel=0.15)
