"""The predictors of the shared metrics: x, y to predictions, in one call, so that nothing half-fitted is passed on.

Each fit runs on one thread, and several fits beside each other: their bytes then do not depend on the machine, and the
many short parallel loops of boosting do not wait for each other when it is busy (measured: five times slower).
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

T = TypeVar("T")

_RACE = "sklearn.utils.parallel.delayed"  # one fit found the filters that another had just reset; harmless
MOST = 8  # fits beside each other, each with its own copy of the records
TOP = 30  # categories of a column that the linear model tells apart


def boosting(
    x: np.ndarray, y: np.ndarray, test: np.ndarray, categorical: np.ndarray, classes: np.ndarray | None, *, seed: int
) -> np.ndarray:
    """Histogram gradient boosting: (n, classes) probabilities, or (n, 1) predictions where `classes` is None.

    Early stopping is off: it would split patients at random, and it needs two records of every class.
    """
    options = {"categorical_features": categorical, "early_stopping": False, "random_state": seed}
    kind = HistGradientBoostingRegressor if classes is None else HistGradientBoostingClassifier
    if (constant := _constant(y, len(test), classes)) is not None:
        return constant
    with threadpool_limits(1, user_api="openmp"):  # this limit is the calling thread's own
        model = kind(**options).fit(x, y)
        return model.predict(test)[:, None] if classes is None else _aligned(model, test, classes)


def linear(
    x: np.ndarray, y: np.ndarray, test: np.ndarray, categorical: np.ndarray, classes: np.ndarray | None, *, seed: int
) -> np.ndarray:
    """Logistic or ridge regression on `design`: (n, classes) probabilities, or (n, 1) predictions."""
    if (constant := _constant(y, len(test), classes)) is not None:
        return constant
    learned, asked = design(x, test, categorical)
    if classes is None:
        return Ridge(random_state=seed).fit(learned, y).predict(asked)[:, None]
    return _aligned(LogisticRegression(solver="newton-cg", random_state=seed).fit(learned, y), asked, classes)


def beside(fits: Sequence[Callable[[], T]]) -> list[T]:
    """The results of several fits, in order, run in threads; an error or an interrupt drops those not begun.

    Warning filters belong to the process and not to a thread, and scikit-learn resets them inside each fit. So warnings
    are caught around all fits and those that nobody expects are given again afterwards.
    """
    with (
        warnings.catch_warnings(record=True) as heard,
        threadpool_limits(1, user_api="blas"),
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


MODELS: Mapping[str, Callable[..., np.ndarray]] = MappingProxyType({"boosting": boosting, "linear": linear})


def _constant(y: np.ndarray, n: int, classes: np.ndarray | None) -> np.ndarray | None:
    """Data that hold one value of the target, or none, teach nothing: the same prediction for all, chance level."""
    if len(np.unique(y)) > 1:
        return None
    if classes is None:
        return np.full((n, 1), y[0] if len(y) else 0.0)
    return np.full((n, len(classes)), 1 / len(classes))


def _aligned(
    model: HistGradientBoostingClassifier | LogisticRegression, test: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    """(n, classes) probabilities in the order of `classes`; 0 for a class that the model never met."""
    made, known = model.predict_proba(test), list(model.classes_)
    columns = [made[:, known.index(c)] if c in known else np.zeros(len(test)) for c in classes]
    return np.stack(columns, axis=1)


def design(x: np.ndarray, test: np.ndarray, categorical: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Dense features for a linear model, standardised on `x`: a missing flag and a filled number, or one-hot ranks."""
    pairs = [
        _one_hot(x[:, j], test[:, j]) if categorical[j] else _number(x[:, j], test[:, j]) for j in range(x.shape[1])
    ]
    made = [np.concatenate([pair[side] for pair in pairs], axis=1).astype(np.float32) for side in (0, 1)]
    return made[0], made[1]


def _number(column: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = column[~np.isnan(column)]
    middle = float(np.median(known)) if len(known) else 0.0
    spread = float(known.std()) if len(known) else 0.0
    scale = spread if spread > 0 else 1.0
    made = [
        np.stack([np.clip((np.nan_to_num(c, nan=middle) - middle) / scale, -10, 10), np.isnan(c)], axis=1)
        for c in (column, test)
    ]
    return made[0], made[1]


def _one_hot(column: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ranks 0 .. TOP - 1 each, rarer ones together, missing as all zeros; only what `column` holds."""
    ranks = [np.minimum(np.nan_to_num(c, nan=-1), TOP) for c in (column, test)]
    held = np.unique(ranks[0][ranks[0] >= 0])
    return ranks[0][:, None] == held, ranks[1][:, None] == held
