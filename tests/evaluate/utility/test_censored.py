from __future__ import annotations

import numpy as np
import pytest

from semblance.core.estimate import linearized
from semblance.core.rng import stream
from semblance.evaluate.utility import censored
from semblance.evaluate.utility.censored import brier, concordance, kaplan_meier, martingale, uncensored


def followed(n, seed, ties=True):
    rng = stream(seed)
    risk = rng.normal(size=n)
    life, end = rng.exponential(np.exp(-risk)), rng.exponential(1.5, n)
    time = np.minimum(life, end)
    return (np.ceil(time * 20) if ties else time), (life <= end).astype(float), risk


def test_a_curve_by_hand():
    curve = kaplan_meier(np.array([1.0, 2, 2, 3, 4]), np.array([1.0, 1, 0, 0, 1]))
    assert curve.survival == pytest.approx([0.8, 0.6, 0.6, 0.0])
    assert curve.at_risk.tolist() == [5, 4, 2, 1]
    assert curve.at(np.array([0.5, 1, 3.5, 9])) == pytest.approx([1, 0.8, 0.6, 0])
    still = uncensored(np.array([1.0, 2, 2, 3, 4]), np.array([1.0, 1, 0, 0, 1]))  # the death at 2 leaves 3 to be lost
    assert still.survival == pytest.approx([1, 2 / 3, 1 / 3, 1 / 3])


def test_all_is_scikit_survivals():
    nonparametric = pytest.importorskip("sksurv.nonparametric")
    metrics = pytest.importorskip("sksurv.metrics")
    time, event, risk = followed(600, 0)
    y = np.array(list(zip(event > 0, time, strict=True)), dtype=[("e", bool), ("t", float)])
    curve = kaplan_meier(time, event)
    times, theirs = nonparametric.kaplan_meier_estimator(y["e"], time)
    np.testing.assert_allclose(curve.times, times)
    np.testing.assert_allclose(curve.survival, theirs, atol=1e-12)
    coarse = risk.round(1)  # equal risks
    assert concordance(time, event, coarse).value == pytest.approx(
        metrics.concordance_index_censored(y["e"], time, coarse)[0], abs=1e-12
    )
    grid = np.linspace(2, np.quantile(time, 0.9), 30)
    alive = np.exp(-np.exp(risk)[300:, None] * grid / 25)
    ours = brier(time[300:], event[300:], alive, grid, uncensored(time[:300], event[:300]))
    assert ours.mean() == pytest.approx(metrics.integrated_brier_score(y[:300], y[300:], alive, grid), abs=1e-12)


def test_concordance_by_hand_and_its_laws():
    time, event = np.array([1.0, 2, 3]), np.array([1.0, 0, 1])
    assert concordance(time, event, np.array([3.0, 2, 1])).value == 1
    assert concordance(time, event, np.array([2.0, 3, 1])).value == 0.5
    assert concordance(time, event, np.zeros(3)).value == 0.5
    assert concordance(time, np.zeros(3), np.arange(3.0)).value == 0.5  # no pair has an order
    time, event, risk = followed(300, 1)
    up, down = concordance(time, event, risk), concordance(time, event, -risk)
    assert up.value + down.value == pytest.approx(1)
    assert concordance(time, event, np.exp(risk)).value == up.value
    assert up.influence.mean() == pytest.approx(0)


def test_many_records_are_compared_in_blocks(monkeypatch):
    time, event, risk = followed(300, 1)
    whole = concordance(time, event, risk)
    monkeypatch.setattr(censored, "PAIRS", 1_000)
    assert concordance(time, event, risk).value == pytest.approx(whole.value, abs=1e-14)


def test_the_interval_of_concordance_covers():
    truth = concordance(*followed(8_000, 1, ties=False)).value
    hits = 0
    for seed in range(200):
        score = concordance(*followed(150, 10 + seed, ties=False))
        estimate = linearized(score.value, score.influence)
        hits += estimate.low <= truth <= estimate.high
    assert 0.89 <= hits / 200 <= 0.99


def test_martingale_residuals_add_up_to_nothing_and_follow_risk():
    time, event, risk = followed(400, 2)
    residual = martingale(time, event)
    assert residual.sum() == pytest.approx(0)
    assert np.corrcoef(residual, risk)[0, 1] > 0.3


def test_without_censoring_brier_is_the_squared_error():
    time, event = np.arange(1.0, 101), np.ones(100)
    grid = np.linspace(10, 90, 41)
    alive = np.full((100, 41), 0.5)
    assert brier(time, event, alive, grid, uncensored(time, event)).mean() == pytest.approx(0.25)
