"""Noisy counts of stays: what follows from them is near what stays show, and a patient moves them by one row."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from semblance.core.shares import simplex
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.encoding.counted import CELLS, Counted, Grid, margin_of, often, smoothed
from tests.modalities.vitals.declared import PUBLIC, SCHEMA, declared
from tests.modalities.vitals.simulated import CHANNELS

GRID = Grid(SCHEMA, CHANNELS, PUBLIC)


def counts_of(asked) -> list[np.ndarray]:
    made = []
    for subset in asked.subsets:
        whole = np.zeros([asked.sizes[j] for j in subset])
        np.add.at(whole, tuple(asked.codes[:, list(subset)].T), 1)
        made.append(whole)
    return made


def counted(stays: Stays | None = None) -> tuple[Counted, Stays]:
    """Counts without noise."""
    stays = declared(300, 1) if stays is None else stays
    first = counts_of(GRID.of_stays(stays))
    told = Counted(GRID, tuple(first), (1e-3,))
    return Counted(GRID, (*first, *counts_of(GRID.of_motion(stays, told))), (1e-3, 1e-3)), stays


def test_counts_have_the_shapes_that_are_paid_for_and_every_stay_is_in_each_once():
    made, _ = counted(declared(30, 1))
    assert [part.shape for part in made.counts] == [shape for look in GRID.shapes for shape in look]
    assert {part.sum() for part in made.counts} == {30} and made.patients == 30


def test_a_stay_without_measurements_is_counted_as_such():
    stays = declared(3, 0)
    empty = stays.kept(np.zeros(len(stays.value), dtype=bool))
    asked = GRID.of_stays(empty)
    assert [part.argmax() for part in counts_of(asked)[-len(CHANNELS) :]] == [CELLS] * len(CHANNELS)
    assert (
        GRID.of_motion(empty, Counted.nothing(GRID)).codes[:, :20] == np.array([s[0] - 1 for s in GRID.shapes[1][:20]])
    ).all()


def test_what_follows_from_counts_is_what_stays_show():
    made, stays = counted()
    there, last = GRID.there(stays)
    assert made.ever == pytest.approx(there.any(1).mean(0).clip(0.001, 0.999), abs=0.01)
    level = often(there, last, rng=np.random.default_rng(0))
    for i, margin in enumerate(made.levels):
        known = level[~np.isnan(level[:, i]), i]
        assert np.median(margin.values(np.random.default_rng(0).standard_normal(999))) == pytest.approx(
            np.median(known), abs=0.5
        )
    first = np.unique(stays.stay * 99 + stays.channel, return_index=True)[1]
    for i, margin in enumerate(made.margins):
        own = stays.value[first][stays.channel[first] == i]
        drawn = margin.values(np.random.default_rng(0).standard_normal(2000))
        assert np.median(drawn) == pytest.approx(np.median(own), abs=0.6 * own.std() + 0.02), CHANNELS[i].name
    assert (made.member[[0, 4, 5, 3, 7]] > 0.95).all()
    around, change = made.within
    assert (change < around).all() and around[2] < 0.6  # a stay's heart rate differs less than those of stays


def test_pressures_by_the_clock_are_told_from_lactate_by_chance():
    """Temperature comes every four hours, lactate when somebody worries."""
    made, _ = counted()
    assert made.even[1] > 0.8 and made.even[3] < 0.6


def test_a_patient_more_is_a_row_more_whatever_else_is_there():
    stays = declared(20, 2)
    few = stays.take(np.arange(19))
    one, other = (GRID.of_motion(data, Counted.nothing(GRID)).codes for data in (stays, few))
    assert np.array_equal(one[:19], other)
    fixed = len(SCHEMA.learned) + 1  # what no chance decides
    one, other = (GRID.of_stays(data).codes[:, :fixed] for data in (stays, few))
    assert np.array_equal(one[:19], other)


def test_noise_makes_fewer_far_tails_than_the_nearest_shares_do():
    edges, places, far = np.linspace(0, 32, 33), (np.arange(500) + 0.5) / 500, []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        values = rng.normal(10, 2, 3000)
        true = np.histogram(values, edges)[0]
        noisy = true + rng.normal(0, 40, 32).round()
        made = margin_of(noisy, edges, sigma=40.0, decimals=2).values(ndtri(places))
        plain = np.interp(places, np.append(0, np.cumsum(simplex(noisy / noisy.sum()))), edges)
        far.append([np.abs(own - np.quantile(values, places)).mean() for own in (made, plain)])
        assert np.abs(smoothed(noisy, sigma=40.0) - true).mean() < np.abs(noisy - true).mean()
    ours, others = np.mean(far, axis=0)
    assert ours < 0.5 and ours < 0.8 * others


def test_two_peaks_stay_two_where_noise_is_small():
    rng = np.random.default_rng(1)
    edges = np.linspace(0, 32, 33)
    values = np.concatenate([rng.normal(6, 1, 1500), rng.normal(24, 1, 1500)])
    noisy = np.histogram(values, edges)[0] + rng.normal(0, 5, 32).round()
    made = margin_of(noisy, edges, sigma=5.0, decimals=1).values(rng.standard_normal(4000))
    assert ((made > 10) & (made < 20)).mean() < 0.03


def test_nobody_is_no_error():
    made = Counted.nothing(GRID)
    assert np.isfinite(made.ever).all() and np.isfinite(made.course).all() and made.patients == 1
    assert all(np.isfinite(margin.values(np.zeros(3))).all() for margin in made.margins)


def test_the_ill_lie_where_they_lie():
    """Those who die have more lactate, a faster heart and less on the coma scale, and are older."""
    made, stays = counted()
    channels, facts = made.apart
    died = (stays.frame["died"].astype(str) == "1").to_numpy()
    key, score = stays.stay * 8 + stays.channel, made.scores(stays)
    count = np.bincount(key, minlength=2400)
    means = np.where(count > 0, np.bincount(key, score, minlength=2400) / np.maximum(count, 1), np.nan)
    level = means.reshape(300, 8)
    real = np.nanmean(level[died], 0) - np.nanmean(level[~died], 0)
    assert np.corrcoef(real, channels[1] - channels[0])[0, 1] > 0.8 and facts[1, 0] > 0.2
    assert channels[1, 1] < -0.2 < 0.2 < channels[1, 3]
    assert np.abs(Counted.nothing(GRID).apart[0]).max() < 1e-9
