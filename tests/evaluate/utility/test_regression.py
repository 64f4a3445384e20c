from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import linregress
from sklearn.linear_model import LogisticRegression

from semblance.core.rng import stream
from semblance.evaluate.utility.regression import clustered, grouped, linear, logistic


def test_a_line_is_scipys():
    rng = stream(0)
    x = rng.normal(size=200)
    y = 0.3 * x + rng.normal(size=200)
    fit, theirs = linear(x[:, None], y), linregress(x, y)
    assert fit.beta == pytest.approx([theirs.intercept, theirs.slope])
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx([theirs.intercept_stderr, theirs.stderr])
    assert fit.freedom == 198


def test_a_two_by_two_table_has_woolfs_error():
    table = {(0, 0): 40, (0, 1): 10, (1, 0): 30, (1, 1): 25}
    x = np.repeat([k[0] for k in table], list(table.values())).astype(float)
    y = np.repeat([k[1] for k in table], list(table.values())).astype(float)
    fit = logistic(x[:, None], y)
    assert fit.beta[1] == pytest.approx(math.log(40 * 25 / (10 * 30)), abs=1e-6)
    assert math.sqrt(fit.covariance[1, 1]) == pytest.approx(math.sqrt(1 / 40 + 1 / 10 + 1 / 30 + 1 / 25), abs=1e-6)


def test_coefficients_are_sklearns():
    rng = stream(0)
    x = rng.normal(size=(500, 4))
    y = (x @ [1.0, -0.5, 0.0, 2.0] + rng.logistic(size=500) > 1).astype(float)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x, y)
    assert logistic(x, y).beta == pytest.approx([*theirs.intercept_, *theirs.coef_[0]], abs=1e-5)


@pytest.mark.parametrize("model", [linear, logistic])
def test_influences_add_up_to_nothing_and_foresee_what_a_record_changes(model):
    rng = stream(0)
    x = rng.normal(size=(400, 2))
    y = (x[:, 0] + rng.logistic(size=400) > 0).astype(float)
    fit, left = model(x, y), model(x[1:], y[1:])
    assert fit.influence.sum(axis=0) == pytest.approx(0, abs=1e-4)
    assert fit.beta - fit.influence[0] == pytest.approx(left.beta, abs=3e-4)


def test_separation_and_copies_stay_finite():
    x = np.linspace(-1, 1, 60)
    for design in (x[:, None], np.stack([x, x], axis=1)):
        fit = logistic(design, (x > 0).astype(float))
        assert np.isfinite(fit.beta).all()
        assert np.isfinite(fit.covariance).all()
        assert fit.covariance[1, 1] > 1
    assert np.isfinite(linear(np.stack([x, x], axis=1), x).covariance).all()


def test_the_sandwich_of_single_records_is_hc1():
    rng = stream(0)
    x = rng.normal(size=300)
    y = x * (1 + rng.normal(size=300))  # errors that grow with x: the classical ones are too small
    fit, full = linear(x[:, None], y), np.column_stack([np.ones(300), x])
    inverse = np.linalg.inv(full.T @ full)
    meat = full.T @ (full * ((y - full @ fit.beta) ** 2)[:, None])
    robust = clustered(fit, np.arange(300))
    # G/(G - 1) (n - 1)/(n - p) with G = n is HC1's n/(n - p)
    assert robust.covariance == pytest.approx(inverse @ meat @ inverse * 300 / 298)
    assert robust.covariance[1, 1] > 1.5 * fit.covariance[1, 1]


def test_records_said_twice_change_no_clustered_error():
    rng = stream(0)
    x, patient = rng.normal(size=(100, 1)), np.arange(100)
    y = (x[:, 0] + rng.logistic(size=100) > 0).astype(float)
    once = clustered(logistic(x, y), patient)
    twice = clustered(logistic(np.repeat(x, 2, axis=0), np.repeat(y, 2)), np.repeat(patient, 2))
    assert twice.covariance == pytest.approx(once.covariance, rel=0.02)
    assert twice.freedom == 99


def test_sums_by_code():
    assert grouped(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([1, 0, 1]), 3).tolist() == [
        [3, 4],
        [6, 8],
        [0, 0],
    ]
