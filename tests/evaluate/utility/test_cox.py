from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.evaluate.utility.cox import cox, explained


def followed(n, seed):
    rng = stream(seed)
    x = rng.normal(size=(n, 3))
    life, end = rng.exponential(np.exp(-x @ [0.8, -0.4, 0.0])), rng.exponential(1.5, n)
    return x, np.minimum(life, end), (life <= end).astype(float)


def theirs(x, time, event, **options):
    linear_model = pytest.importorskip("sksurv.linear_model")
    y = np.array(list(zip(event > 0, time, strict=True)), dtype=[("e", bool), ("t", float)])
    return linear_model.CoxPHSurvivalAnalysis(tol=1e-12, **options).fit(x, y)


def test_ties_are_efrons_as_in_scikit_survival():
    x, time, event = followed(500, 0)
    time = np.ceil(time * 5)
    ours = cox(x, time, event)
    assert ours.fit.beta == pytest.approx(theirs(x, time, event, ties="efron").coef_, abs=1e-6)


def test_survival_is_scikit_survivals_without_ties():
    x, time, event = followed(500, 0)
    ours, other = cox(x, time, event), theirs(x, time, event)
    times = np.quantile(time, [0.1, 0.5, 0.9])
    made = np.array([f(times) for f in other.predict_survival_function(x[:20])])
    np.testing.assert_allclose(ours.survival(x[:20], times), made, atol=1e-6)
    np.testing.assert_allclose(ours.risk(x[:20]), other.predict(x[:20]), atol=1e-6)


def test_flchain_is_scikit_survivals_to_1e_6():
    datasets = pytest.importorskip("sksurv.datasets")
    frame, y = datasets.load_flchain()
    light = np.log(frame[["kappa", "lambda"]].astype(float))
    x = np.column_stack([frame["age"].astype(float), frame["sex"] == "M", light]).astype(float)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    time, event = y["futime"].astype(float), y["death"].astype(float)
    assert cox(x, time, event).fit.beta == pytest.approx(theirs(x, time, event, ties="efron").coef_, abs=1e-6)


def test_influences_add_up_to_nothing_and_foresee_what_a_record_changes():
    x, time, event = followed(400, 1)
    time = np.ceil(time * 5)
    whole = cox(x, time, event).fit
    assert whole.influence.sum(axis=0) == pytest.approx(0, abs=1e-5)
    for i in range(3):
        left = cox(np.delete(x, i, axis=0), np.delete(time, i), np.delete(event, i)).fit
        assert whole.beta - whole.influence[i] == pytest.approx(left.beta, abs=1e-3)


def test_intervals_cover_the_truth():
    hits = 0
    for seed in range(200):
        fit = cox(*followed(150, 100 + seed)).fit
        hits += abs(fit.beta[0] - 0.8) <= 1.96 * np.sqrt(fit.covariance[0, 0])
    assert 0.9 <= hits / 200 <= 0.99


def test_separation_and_great_values_stay_finite():
    time = np.arange(1.0, 61)
    made = cox(-time[:, None] / 10, time, np.ones(60))
    assert np.isfinite(made.fit.beta).all()
    assert np.isfinite(made.fit.covariance).all()
    assert np.isfinite(made.survival(np.array([[1e6], [-1e6]]), time)).all()


def partial_likelihood(x, time, event, beta):
    """Breslow's, record by record; without ties Efron's is the same."""
    risk = x @ beta
    return sum(risk[i] - np.log(np.exp(risk[time >= time[i]]).sum()) for i in np.flatnonzero(event))


def test_what_the_terms_explain_is_the_likelihood_ratio_statistic():
    x, time, event = followed(300, 3)
    beta = cox(x, time, event).fit.beta
    statistic = 2 * (partial_likelihood(x, time, event, beta) - partial_likelihood(x, time, event, 0 * beta))
    assert explained(x, time, event).value * 300 == pytest.approx(statistic, rel=1e-6)


def test_its_influences_foresee_what_a_record_changes():
    x, time, event = followed(400, 4)
    whole = explained(x, time, event)
    assert whole.influence.sum() == pytest.approx(0, abs=1e-9)
    for i in range(3):
        left = explained(np.delete(x, i, axis=0), np.delete(time, i), np.delete(event, i)).value * 399
        assert whole.value * 400 - left == pytest.approx(whole.influence[i] + whole.value, abs=0.05)


def test_terms_that_explain_nothing_leave_as_many_units_as_terms():
    found = []
    for seed in range(60):
        x, time, event = followed(120, 500 + seed)
        found.append(explained(stream(seed, "noise").normal(size=x.shape), time, event).value * 120)
    assert np.mean(found) == pytest.approx(3, abs=1)
