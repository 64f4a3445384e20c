from __future__ import annotations

import builtins
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score, roc_auc_score

from semblance.core.errors import ResourceError
from semblance.core.rng import stream
from semblance.evaluate.shared.models import MODELS, REST, beside, boosting, design, learn


@pytest.mark.parametrize("name", MODELS)
def test_probabilities_follow_the_asked_classes(name):
    rng = stream(0)
    y = rng.integers(0, 2, 200).astype(float)
    x = np.stack([y + 0.1 * rng.normal(size=200), rng.integers(0, 3, 200)], axis=1)
    made = MODELS[name](x, y, x, np.array([False, True]), np.array([1.0, 0.0, 5.0]), seed=0)
    assert ((made[:, 0] > 0.5) == (y == 1)).all()
    assert made[:, :2].sum(axis=1) == pytest.approx(1)
    assert (made[:, 2] == 0).all()


@pytest.mark.parametrize("name", MODELS)
def test_classes_that_nobody_asked_for_are_one_more(name):
    rng = stream(1)
    y = rng.integers(0, 5, 400).astype(float)
    x = (y + 0.2 * rng.normal(size=400))[:, None]
    made = MODELS[name](x, y, x, np.array([False]), np.array([2.0, 4.0]), seed=0)
    assert made.shape == (400, 2)
    assert (made[y == 4, 1] > 0.5).mean() > 0.9
    assert made[y == 0].sum(axis=1).mean() < 0.3
    assert REST not in (2.0, 4.0)


@pytest.mark.parametrize("name", MODELS)
def test_records_of_one_class_make_it_certain_and_none_teach_nothing(name):
    x, one = np.zeros((5, 1)), np.array([False])
    assert (MODELS[name](x, np.ones(5), x, one, np.array([0, 1]), seed=0) == [0, 1]).all()
    assert (MODELS[name](x[:0], np.empty(0), x, one, np.array([0, 1]), seed=0) == 0.5).all()
    assert (MODELS[name](x, np.full(5, 3.5), x, one, None, seed=0) == 3.5).all()
    assert (MODELS[name](x[:0], np.empty(0), x, one, None, seed=0) == 0).all()
    assert MODELS[name](x, np.arange(5.0), x[:0], one, None, seed=0).shape == (0, 1)
    assert MODELS[name](x, np.arange(5.0), x[:0], one, np.array([0, 1]), seed=0).shape == (0, 2)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("classes", [None, np.array([0.0, 1.0])])
@pytest.mark.filterwarnings("error::UserWarning")
def test_odd_columns_are_no_trouble(name, classes):
    rng = stream(2)
    n = 60
    y = rng.integers(0, 2, n).astype(float)
    x = np.stack(
        [
            np.full(n, np.nan),  # a number that is never known
            np.full(n, np.nan),  # a category that is never known
            np.ones(n),
            np.where(rng.random(n) < 0.5, np.nan, y),
            rng.integers(0, 200, n),
            rng.choice([-1e300, 0, 1e300], n),
        ],
        axis=1,
    )
    categorical = np.array([False, True, False, False, True, False])
    test = np.concatenate([x, np.full((1, 6), 200.0), np.full((1, 6), np.nan)])
    made = MODELS[name](x, y, test, categorical, classes, seed=0)
    assert np.isfinite(made).all()
    assert roc_auc_score(y, made[:n, -1]) > 0.7
    for only in range(6):
        alone = MODELS[name](x[:, [only]], y, test[:, [only]], categorical[[only]], classes, seed=0)
        assert np.isfinite(alone).all()


@pytest.mark.parametrize("name", MODELS)
def test_thirty_records_are_learned_from(name):
    rng = stream(3)
    y = np.repeat([0.0, 1.0], 15)
    x = np.stack([y + 0.3 * rng.normal(size=30), rng.normal(size=30)], axis=1)
    assert roc_auc_score(y, MODELS[name](x, y, x, np.array([False, False]), np.array([1.0]), seed=0)[:, 0]) > 0.9


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("unit", [1e-200, 1.0, 1e9, 1e250])
def test_the_unit_of_a_number_does_not_matter(name, unit):
    rng = stream(4)
    x = rng.normal(size=(300, 2))
    y = x[:, 0] + 0.3 * rng.normal(size=300) + 5
    made = MODELS[name](x[:200], y[:200] * unit, x[200:], np.array([False, False]), None, seed=0)
    plain = MODELS[name](x[:200], y[:200], x[200:], np.array([False, False]), None, seed=0)
    assert made / unit == pytest.approx(plain, rel=1e-3)
    assert r2_score(y[200:], plain[:, 0]) > 0.7


@pytest.mark.parametrize("name", MODELS)
def test_the_same_seed_gives_the_same_bytes_beside_others(name):
    rng = stream(5)
    x, y = rng.normal(size=(150, 4)), rng.integers(0, 3, 150).astype(float)

    def fit() -> np.ndarray:
        return MODELS[name](x, y, x, np.array([False] * 4), np.arange(3.0), seed=7)

    alone = fit()
    assert all((made == alone).all() for made in beside([fit] * 3))


def test_boosting_predicts_as_well_as_scikit_learns():
    rng = stream(6)
    x = np.stack([rng.normal(size=3000), rng.normal(size=3000), rng.integers(0, 20, 3000)], axis=1)
    chance = 1 / (1 + np.exp(-(2 * x[:, 0] * (x[:, 1] > 0) + (x[:, 2] % 3 == 0))))
    y = (rng.random(3000) < chance).astype(float)
    coded = np.array([False, False, True])
    made = boosting(x[:2000], y[:2000], x[2000:], coded, np.array([1.0]), seed=0)[:, 0]
    theirs = HistGradientBoostingClassifier(categorical_features=coded).fit(x[:2000], y[:2000])
    area = roc_auc_score(y[2000:], theirs.predict_proba(x[2000:])[:, 1])
    assert roc_auc_score(y[2000:], made) > area - 0.01


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_a_function_of_further_records(name):
    rng = stream(7)
    x, y = rng.normal(size=(200, 3)), rng.normal(size=200)
    predict = learn(name, x, y, np.array([False] * 3), None, seed=0)
    whole = MODELS[name](x, y, x, np.array([False] * 3), None, seed=0)
    assert predict(x) == pytest.approx(whole)
    assert predict(x[:7]) == pytest.approx(whole[:7])


def test_design_is_scaled_on_what_was_learned_and_fills_gaps():
    x = np.array([[0.0, 0], [2.0, 1], [np.nan, 1]])
    coded = design(x, np.array([False, True]))
    assert coded(x).tolist() == [[-1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 0, 1]]
    assert coded(np.array([[1.0, 7.0]])).tolist() == [[0, 0, 0, 0]]


def test_a_value_where_only_zeros_were_learned_is_far_and_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert design(np.zeros((5, 1)), np.array([False]))(np.array([[1.5e9]]))[0].tolist() == [10, 0]


def test_lightgbm_is_loaded_when_it_is_needed_and_not_before():
    code = "import sys, semblance.evaluate.shared.models, semblance.app.cli; assert 'lightgbm' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_missing_system_library_is_named(monkeypatch):
    true = builtins.__import__

    def broken(name, *args, **kwargs):
        if name == "lightgbm":
            raise OSError("libgomp.so.1: cannot open shared object file: No such file or directory")
        return true(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", broken)
    x = np.arange(40.0)[:, None]
    with pytest.raises(ResourceError, match="libgomp1"):
        boosting(x, x[:, 0], x, np.array([False]), None, seed=0)


def test_results_come_in_order_and_an_error_comes_through():
    assert beside([lambda i=i: i for i in range(5)]) == list(range(5))

    def broken() -> None:
        raise RuntimeError("no")

    before = threading.active_count()
    with pytest.raises(RuntimeError, match="no"):
        beside([broken, *[lambda: None] * 3])
    assert threading.active_count() == before


def test_expected_warnings_are_kept_and_others_are_given():
    def slow() -> None:
        warnings.warn("not yet", ConvergenceWarning, stacklevel=1)

    def odd() -> None:
        warnings.warn("look here", RuntimeWarning, stacklevel=1)

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        beside([slow, odd])
    assert [str(w.message) for w in heard] == ["look here"]
