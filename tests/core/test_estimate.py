from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score

from semblance.core.estimate import (
    Estimate,
    auc,
    average,
    bootstrap,
    difference,
    folded,
    jackknife,
    linearized,
    mean,
    over_draws,
    tpr_at_fpr,
    wilson,
)
from semblance.core.rng import stream


def test_wilson_is_the_textbook_interval():
    share = wilson(81, 263)  # Newcombe 1998, table I, method 3
    assert (share.low, share.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20).high == pytest.approx(0.1611, abs=5e-5)


def test_newcombes_difference():
    gap = difference(wilson(56, 70), wilson(48, 80))  # Newcombe 1998, method 10
    assert (gap.value, gap.low, gap.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


@given(st.integers(1, 50), st.data())
def test_an_interval_holds_its_value(n, data):
    share = wilson(data.draw(st.integers(0, n)), n)
    assert 0 <= share.low <= share.value <= share.high <= 1


def test_an_estimate_is_finite_and_ordered():
    with pytest.raises(ValueError, match="finite"):
        Estimate(float("nan"), 0, 1)
    with pytest.raises(ValueError, match="holds its value"):
        Estimate(0.5, 0.6, 0.7)


def test_clusters_of_equal_values_count_once():
    values = stream(0).normal(size=40)
    once = mean(values)
    twice = mean(np.repeat(values, 3), clusters=np.repeat(np.arange(40), 3))
    assert (twice.low, twice.high, twice.n) == pytest.approx((once.low, once.high, 40))


def test_bootstrap_of_a_mean_agrees_with_the_normal_interval():
    values = stream(0).normal(size=400)
    drawn = bootstrap(lambda w: float(np.average(values, weights=w)), 400, rng=stream(1), draws=500)
    plain = mean(values)
    assert drawn.value == pytest.approx(plain.value)
    assert drawn.high - drawn.low == pytest.approx(plain.high - plain.low, rel=0.15)


@given(st.integers(0, 1000))
def test_auc_is_sklearns_with_ties(seed):
    rng = stream(seed)
    a, b = rng.integers(0, 6, 30), rng.integers(0, 5, 20)
    truth = np.repeat([1, 0], [30, 20])
    assert auc(a, b).value == pytest.approx(roc_auc_score(truth, np.concatenate([a, b])))


def test_the_aucs_interval_covers():
    area, hits = 0.7602, 0  # of N(1, 1) over N(0, 1): Phi(1 / sqrt 2)
    for seed in range(300):
        rng = stream(seed, "auc")
        estimate = auc(rng.normal(1, 1, 60), rng.normal(0, 1, 80))
        hits += estimate.low <= area <= estimate.high
    assert 0.91 <= hits / 300 <= 0.985


def test_the_aucs_interval_covers_with_repeated_visits():
    hits = 0
    for seed in range(300):
        rng = stream(seed, "visits")
        a, b = (np.repeat(rng.normal(size=40), 4) + 0.1 * rng.normal(size=160) for _ in range(2))
        who = np.repeat(np.arange(40), 4)
        estimate = auc(a, b, positive_clusters=who, negative_clusters=who)
        assert estimate.n == 40
        hits += estimate.low <= 0.5 <= estimate.high
    assert 0.91 <= hits / 300 <= 0.985


def test_true_positives_at_a_false_positive_rate():
    outsider = np.arange(100.0)
    assert tpr_at_fpr(np.array([98.5, 99.5, 10, 20]), outsider, fpr=0.01).value == 0.5
    assert tpr_at_fpr(outsider, outsider, fpr=0.01).value == 0.01
    assert tpr_at_fpr(np.full(50, 7.0), np.full(50, 7.0), fpr=0.01).value == 0


def test_true_positives_cover_although_the_threshold_is_estimated():
    hits = 0
    for seed in range(300):
        rng = stream(seed, "tpr")
        estimate = tpr_at_fpr(rng.normal(size=2000), rng.normal(size=2000), fpr=0.01)
        hits += estimate.low <= 0.01 <= estimate.high
    assert hits / 300 >= 0.92


def test_the_jackknife_of_a_mean_is_the_t_interval_of_block_means():
    blocks = stream(0).normal(size=(20, 50))
    left_out = np.array([np.delete(blocks, b, axis=0).mean() for b in range(20)])
    estimate = jackknife(blocks.mean(), left_out, n=1000)
    half = student.ppf(0.975, 19) * blocks.mean(axis=1).std(ddof=1) / np.sqrt(20)
    assert estimate.high - estimate.value == pytest.approx(half)
    assert jackknife(0.01, left_out, n=1000, within=(0.0, 1.0)).low == 0


def test_one_block_is_no_jackknife():
    with pytest.raises(ValueError, match="two blocks"):
        jackknife(0.0, np.zeros(1), n=1)


def test_a_means_influence_gives_the_means_interval():
    values = stream(0).normal(size=100)
    assert linearized(values.mean(), values - values.mean()) == mean(values)


def test_an_average_narrows_with_the_root_of_its_parts():
    part = Estimate(0.5, 0.4, 0.6, n=10)
    four = average([part] * 4)
    assert (four.value, four.low, four.high, four.n) == pytest.approx((0.5, 0.45, 0.55, 40))
    assert average([part] * 4, shared=0.5).high == pytest.approx(0.5 + 0.05 * 1.5**0.5)


@pytest.mark.parametrize(
    ("signed", "low", "high"),
    [((0.2, 0.1, 0.4), 0.1, 0.4), ((-0.2, -0.4, -0.1), 0.1, 0.4), ((-0.1, -0.3, 0.2), 0.0, 0.3)],
)
def test_a_folded_interval_is_the_image_of_the_signed_one(signed, low, high):
    made = folded(Estimate(*signed, n=9))
    assert (made.value, made.low, made.high, made.n) == (abs(signed[0]), low, high, 9)


def test_the_luck_of_draws_widens_an_interval():
    draws = np.array([1.0, 2.0, 3.0])
    wider = over_draws(Estimate(2, 1, 3, n=9), draws)
    half = np.hypot(1, student.ppf(0.975, 2) / np.sqrt(3))
    assert (wider.low, wider.high) == (pytest.approx(2 - half), pytest.approx(2 + half))
    assert wider.value == 2 and wider.n == 9
    assert over_draws(Estimate(2, 1, 3), draws[:1]) == Estimate(2, 1, 3)
