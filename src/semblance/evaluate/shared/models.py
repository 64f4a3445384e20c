"""The predictors of the shared metrics: three families behind one signature, from x, y to predictions in one call.

`learn` returns the fitted model as a function, so that nothing half-fitted is passed on. Each fit runs on one thread,
and several fits beside each other: their bytes then do not depend on the machine, and the many short parallel loops of
boosting do not wait for each other when it is busy (measured: five times slower).
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import ThreadpoolController

from semblance.core.errors import ResourceError

T = TypeVar("T")
Predict = Callable[[np.ndarray], np.ndarray]

_RACE = "sklearn.utils.parallel.delayed"  # one fit found the filters that another had just reset; harmless
MOST = 8  # fits beside each other, each with its own copy of the records
TOP = 30  # categories of a column that the linear model tells apart
TREES = 100
LARGE = 20_000  # records from which larger trees pay
WIDE = 1e30  # beyond it, single precision overflows when summed
REST = -1.0  # the label of all classes that nobody asked for


def boosting(
    x: np.ndarray, y: np.ndarray, test: np.ndarray, categorical: np.ndarray, classes: np.ndarray | None, *, seed: int
) -> np.ndarray:
    """LightGBM (Ke et al. 2017): (n, classes) probabilities, or (n, 1) predictions where `classes` is None."""
    return learn("boosting", x, y, categorical, classes, seed=seed)(test)


def forest(
    x: np.ndarray, y: np.ndarray, test: np.ndarray, categorical: np.ndarray, classes: np.ndarray | None, *, seed: int
) -> np.ndarray:
    """Random forest (Breiman 2001) on frequency ranks: (n, classes) probabilities, or (n, 1) predictions."""
    return learn("forest", x, y, categorical, classes, seed=seed)(test)


def linear(
    x: np.ndarray, y: np.ndarray, test: np.ndarray, categorical: np.ndarray, classes: np.ndarray | None, *, seed: int
) -> np.ndarray:
    """Logistic or ridge regression on `design`: (n, classes) probabilities, or (n, 1) predictions."""
    return learn("linear", x, y, categorical, classes, seed=seed)(test)


MODELS: Mapping[str, Callable[..., np.ndarray]] = MappingProxyType(
    {"boosting": boosting, "forest": forest, "linear": linear}
)


def learn(
    name: str, x: np.ndarray, y: np.ndarray, categorical: np.ndarray, classes: np.ndarray | None, *, seed: int
) -> Predict:
    """The model of family `name`, learned from `x` (n, d) and `y` (n,), as a function of further records.

    It gives (n, classes) probabilities in the order of `classes`, 0 for a class that it never met and without those of
    classes that were not asked for; or (n, 1) predictions where `classes` is None. Missing is NaN; `categorical` (d,)
    marks codes 0, 1, 2, ... in falling order of frequency.
    """
    if classes is None:
        return _number(name, x, y, categorical, seed=seed)
    label = np.where(np.isin(y, classes), y, REST)
    known = np.unique(label)
    if len(known) < 2:
        return _certain(known, classes)
    fitted = _CLASSIFIERS[name](x, np.searchsorted(known, label), categorical, seed=seed)
    return lambda test: _aligned(fitted(test), known, classes) if len(test) else np.empty((0, len(classes)))


def _number(name: str, x: np.ndarray, y: np.ndarray, categorical: np.ndarray, *, seed: int) -> Predict:
    """A regression of y on its own scale: LightGBM keeps labels in single precision."""
    if len(np.unique(y)) < 2:
        value = float(y[0]) if len(y) else 0.0
        return lambda test: np.full((len(test), 1), value)
    unit = float(np.abs(y).max())
    centre, spread = float((y / unit).mean()), float((y / unit).std())
    fitted = _REGRESSIONS[name](x, (y / unit - centre) / spread, categorical, seed=seed)
    return lambda test: ((fitted(test) * spread + centre) * unit)[:, None] if len(test) else np.empty((0, 1))


def _certain(known: np.ndarray, classes: np.ndarray) -> Predict:
    """Records of one class teach that there is no other; no records teach nothing, every class is as likely."""
    share = (classes == known[0]).astype(float) if len(known) else np.full(len(classes), 1 / len(classes))
    return lambda test: np.repeat(share[None], len(test), axis=0)


def _aligned(made: np.ndarray, known: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """(n, classes) probabilities in the order of `classes`; 0 for a class that the model never met."""
    place = {value: k for k, value in enumerate(known.tolist())}
    columns = [made[:, place[c]] if c in place else np.zeros(len(made)) for c in classes.tolist()]
    return np.stack(columns, axis=1)


def _least(n: int) -> int:
    """Records in a leaf: 20 of many, few of few, so that thirty records still grow a tree."""
    return max(3, min(20, n // 20))


def _lightgbm() -> Any:
    """LightGBM, loaded where it is first needed; `--help` does without."""
    try:
        import lightgbm
    except OSError as error:
        raise ResourceError.of(
            "LightGBM cannot be loaded: the system library OpenMP (libgomp) is missing",
            rule="evaluation predicts with LightGBM",
            fix="apt-get install libgomp1 (Debian, Ubuntu), dnf install libgomp (Fedora), brew install libomp (macOS)",
        ) from error
    return lightgbm


def _boosted(x: np.ndarray, y: np.ndarray, categorical: np.ndarray, objective: dict[str, Any], *, seed: int) -> Predict:
    """Boosted trees. Half of the columns at each split and 15 leaves below LARGE records: both predict better there
    (three classes of Diabetes-130, 10,000 records: AUC .636, against .630 for 31 leaves on all columns)."""
    lightgbm, least = _lightgbm(), _least(len(y))
    options = {
        **objective,
        "num_leaves": 31 if len(y) >= LARGE else 15,
        "feature_fraction_bynode": 0.5,
        "min_data_in_leaf": least,
        "min_data_per_group": 5 * least,
        "min_data_in_bin": 1 if len(y) < 1_000 else 3,
        "seed": seed,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": 1,
        "verbose": -1,
    }
    coded = np.flatnonzero(categorical).tolist()
    data = lightgbm.Dataset(x, y, categorical_feature=coded, params=options)
    rounds = TREES if objective.get("num_class", 1) == 1 else TREES // 2  # each grows one tree per class
    model = lightgbm.train(options, data, rounds).free_dataset()
    return lambda test: model.predict(test, num_threads=1)


def _boosted_classes(x: np.ndarray, y: np.ndarray, categorical: np.ndarray, *, seed: int) -> Predict:
    count = int(y.max()) + 1
    if count > 2:
        return _boosted(x, y, categorical, {"objective": "multiclass", "num_class": count}, seed=seed)
    made = _boosted(x, y, categorical, {"objective": "binary"}, seed=seed)
    return lambda test: np.stack([1 - (one := made(test)), one], axis=1)


def _boosted_number(x: np.ndarray, y: np.ndarray, categorical: np.ndarray, *, seed: int) -> Predict:
    return _boosted(x, y, categorical, {"objective": "regression"}, seed=seed)


def _grown(kind: Callable[..., Any], x: np.ndarray, y: np.ndarray, *, seed: int) -> Any:
    """A forest of TREES, each on half of the records; scikit-learn's trees send NaN to the better side."""
    leaf, share = min(_least(len(y)), 10), max(len(y) // 2, 2)
    trees = kind(TREES, min_samples_leaf=leaf, max_samples=share, random_state=seed, n_jobs=1)
    return trees.fit(_single(x), y)


def _single(x: np.ndarray) -> np.ndarray:
    return np.clip(x, -WIDE, WIDE).astype(np.float32)


def _forest_classes(x: np.ndarray, y: np.ndarray, categorical: np.ndarray, *, seed: int) -> Predict:
    model = _grown(RandomForestClassifier, x, y, seed=seed)
    return lambda test: model.predict_proba(_single(test))


def _forest_number(x: np.ndarray, y: np.ndarray, categorical: np.ndarray, *, seed: int) -> Predict:
    model = _grown(RandomForestRegressor, x, y, seed=seed)
    return lambda test: model.predict(_single(test))


def _linear_classes(x: np.ndarray, y: np.ndarray, categorical: np.ndarray, *, seed: int) -> Predict:
    coded = design(x, categorical)
    model = LogisticRegression(C=0.1, tol=1e-3, solver="newton-cg", random_state=seed).fit(coded(x), y)
    return lambda test: model.predict_proba(coded(test))


def _linear_number(x: np.ndarray, y: np.ndarray, categorical: np.ndarray, *, seed: int) -> Predict:
    coded = design(x, categorical)
    model = Ridge(random_state=seed).fit(coded(x), y)
    return lambda test: model.predict(coded(test)).astype(float)


_CLASSIFIERS = {"boosting": _boosted_classes, "forest": _forest_classes, "linear": _linear_classes}
_REGRESSIONS = {"boosting": _boosted_number, "forest": _forest_number, "linear": _linear_number}


def design(x: np.ndarray, categorical: np.ndarray) -> Predict:
    """What turns records into dense float32 features for a linear model, standardised on `x`.

    A number becomes its filled value and a missing flag, a category its frequency rank one-hot.
    """
    made = [_one_hot(x[:, j]) if categorical[j] else _scaled(x[:, j]) for j in range(x.shape[1])]
    return lambda test: np.concatenate([code(test[:, j]) for j, code in enumerate(made)], axis=1, dtype=np.float32)


def _scaled(column: np.ndarray) -> Predict:
    unit = max(float(np.nanmax(np.abs(column), initial=0.0)), 1e-300)  # squares of what is left cannot overflow
    known = column[~np.isnan(column)] / unit
    middle = float(np.median(known)) if len(known) else 0.0
    spread = float(known.std()) if len(known) else 0.0
    scale = spread if spread > 0 else 1.0

    def code(values: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):  # of a column that was 0 wherever it was learned, any value is far
            moved = (np.nan_to_num(values / unit, nan=middle) - middle) / scale
        return np.stack([np.clip(moved, -10, 10), np.isnan(values)], axis=1)

    return code


def _one_hot(column: np.ndarray) -> Predict:
    """Ranks 0 .. TOP - 1 each, rarer ones together, missing as all zeros; only what `column` holds."""

    def rank(values: np.ndarray) -> np.ndarray:
        return np.minimum(np.nan_to_num(values, nan=-1), TOP)

    held = np.unique(rank(column))
    held = held[held >= 0] if held.max(initial=-1) >= 0 else np.zeros(1)  # a model needs a column, if an empty one
    return lambda values: rank(values)[:, None] == held


@lru_cache(maxsize=1)
def _numeric(modules: int) -> ThreadpoolController:
    """The numeric libraries that are loaded. To find them takes longer than many a fit, so they are looked for again
    only when `modules`, the number of imported ones, has changed."""
    return ThreadpoolController()


def beside(fits: Sequence[Callable[[], T]]) -> list[T]:
    """The results of several fits, in order, run in threads; an error or an interrupt drops those not begun.

    Warning filters belong to the process and not to a thread, and scikit-learn resets them inside each fit. So warnings
    are caught around all fits and those that nobody expects are given again afterwards.
    """
    with (
        warnings.catch_warnings(record=True) as heard,
        _numeric(len(sys.modules)).limit(limits=1, user_api="blas"),
        ThreadPoolExecutor(min(os.cpu_count() or 1, MOST)) as pool,
    ):
        waiting = [pool.submit(fit) for fit in fits]
        try:
            made = [future.result() for future in waiting]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for warning in heard:
        if not (issubclass(warning.category, ConvergenceWarning) or _RACE in str(warning.message)):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return made
