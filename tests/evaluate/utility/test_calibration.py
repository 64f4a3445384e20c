from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.utility.calibration import METRIC, calibration, expected_error, slope
from semblance.evaluate.utility.task import predictions, task
from tests.contracts.samples import cohort, shuffled


def evidence(train, holdout, synthetic, **more):
    return Evidence(train, holdout, synthetic, catalog.modality("table"), **more)


def outcomes(n, seed, *, sharpness=1.0):
    """Outcomes whose log-odds are `sharpness` times what the probability says."""
    rng = stream(seed)
    at = rng.normal(size=n)
    return (rng.random(n) < 1 / (1 + np.exp(-sharpness * at))).astype(float), 1 / (1 + np.exp(-at))


def test_the_slope_is_that_of_a_logistic_regression():
    for sharpness in (0.4, 1.0, 1.7):
        outcome, probability = outcomes(20_000, 0, sharpness=sharpness)
        at = np.log(probability / (1 - probability))[:, None]
        assert slope(outcome, probability) == pytest.approx(
            LogisticRegression(C=1e9).fit(at, outcome).coef_[0, 0], abs=1e-3
        )
        assert slope(outcome, probability) == pytest.approx(sharpness, abs=0.06)


def test_the_slope_ends_on_hard_cases():
    assert slope(np.array([0.0, 1, 1]), np.full(3, 0.5)) == 0
    assert np.isfinite(slope(np.array([0.0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 1.0])))
    assert np.isfinite(slope(np.zeros(4), np.array([0.0, 0.2, 0.8, 1.0])))


def test_expected_error_is_the_distance_of_sklearns_curve():
    outcome, probability = outcomes(5_000, 1, sharpness=0.3)
    observed, predicted = calibration_curve(outcome, probability, n_bins=10, strategy="quantile")
    assert expected_error(outcome, probability) == pytest.approx(np.abs(observed - predicted).mean(), abs=1e-3)
    assert expected_error(np.array([0.0, 1, 0, 1]), np.full(4, 0.5)) == 0


def test_a_real_model_is_as_calibrated_and_a_shuffled_one_is_not():
    train, holdout, fresh = (cohort(500, seed) for seed in range(3))
    found = evidence(train, holdout, fresh, floor=shuffled(fresh, stream(0)))
    (same,) = calibration(found)
    assert same.metric == METRIC
    assert same.estimate.low < 0.01 and same.control.low < 0.01
    assert same.floor.low > 0.05
    detail = same.detail
    assert detail["synthetic"]["brier"] - detail["real"]["brier"] == pytest.approx(same.estimate.value)
    (lost,) = calibration(replace(found, synthetic=shuffled(fresh, stream(1)), _cache={}))
    assert lost.estimate.low > same.estimate.high
    assert lost.detail["synthetic"]["slope"] < detail["synthetic"]["slope"]


def test_briers_score_is_sklearns():
    found = evidence(*(cohort(300, seed) for seed in range(3)))
    (one,) = calibration(found)
    rows, made = predictions(found, "boosting", "train")
    truth = found.features("holdout").x[rows, task(found).position]
    assert one.detail["real"]["brier"] == pytest.approx(brier_score_loss(truth, made[:, 1]))


def test_the_curve_rises_in_what_it_predicts_and_names_its_class():
    (one,) = calibration(evidence(*(cohort(400, seed) for seed in range(3))))
    predicted = [at for at, _ in one.detail["real"]["curve"]]
    assert predicted == sorted(predicted)
    assert one.detail["class"] in ("True", "False")


def test_a_number_has_no_probabilities():
    parts = []
    for seed in range(3):
        whole = cohort(200, seed)
        roles = {"age": "target", "died": "feature"}
        columns = (replace(c, role=roles.get(c.name, c.role)) for c in whole.schema)
        parts.append(replace(whole, schema=whole.schema.with_columns(columns)))
    assert [f.status for f in calibration(evidence(*parts))] == ["not_applicable"]
    few = [part.take(np.arange(3)) for part in parts]
    assert [f.status for f in calibration(evidence(*few))] == ["insufficient"]
