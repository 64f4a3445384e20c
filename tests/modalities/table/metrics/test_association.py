from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats.contingency import association

from semblance.core.rng import stream
from semblance.modalities.table.metrics.association import correlation_ratio, cramers_v, pearson, phi


def gram(*codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    hot = [np.eye(code.max() + 1)[code] for code in codes]
    sizes = np.array([h.shape[1] for h in hot])
    both = np.concatenate(hot, axis=1)
    return both.T @ both, np.cumsum(sizes) - sizes


def corrected(a: np.ndarray, b: np.ndarray) -> float:
    """Bergsma's V, the long way."""
    table = pd.crosstab(a, b).to_numpy()
    n, (r, c) = table.sum(), table.shape
    square = association(table, method="cramer") ** 2 * min(r - 1, c - 1)
    square = max(0.0, square - (r - 1) * (c - 1) / (n - 1))
    r, c = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    return float(np.sqrt(square / min(r - 1, c - 1)))


def test_v_is_bergsmas():
    rng = stream(0)
    a = rng.integers(0, 4, 300)
    b = np.where(rng.random(300) < 0.4, a % 3, rng.integers(0, 3, 300))
    c = rng.integers(0, 5, 300)
    made = cramers_v(*gram(a, b, c))
    assert made[0, 1] == pytest.approx(corrected(a, b))
    assert made[0, 2] == pytest.approx(corrected(a, c))
    assert made == pytest.approx(made.T)


def test_v_of_the_same_and_of_a_constant():
    a = np.arange(60) % 3
    made = cramers_v(*gram(a, 2 - a, np.zeros(60, dtype=int)))
    assert made[0, 1] == pytest.approx(1)
    assert made[0, 2] == made[2, 2] == 0


def test_many_levels_alone_are_no_association():
    rng = stream(1)
    means = [cramers_v(*gram(rng.integers(0, 30, 500), rng.integers(0, 30, 500)))[0, 1] for _ in range(20)]
    assert np.mean(means) < 0.06  # uncorrected: about .24


def sums(code: np.ndarray, values: np.ndarray) -> list[np.ndarray]:
    hot = np.eye(code.max() + 1)[code]
    known = ~np.isnan(values)
    filled = np.where(known, values, 0)
    return [(hot.T @ v)[:, None, None] for v in (known.astype(float), filled, filled**2)]


def test_eta_is_the_share_of_variance_between_groups():
    rng = stream(2)
    code = rng.integers(0, 4, 400)
    values = rng.normal(size=400) + code
    values[:20] = np.nan
    frame = pd.DataFrame({"c": code, "x": values}).dropna()
    groups = frame.groupby("c")["x"]
    within = ((frame["x"] - groups.transform("mean")) ** 2).sum() / (len(frame) - 4)
    expected = np.sqrt(1 - within / frame["x"].var())
    assert correlation_ratio(*sums(code, values), np.array([0])).item() == pytest.approx(expected)


def test_eta_at_its_ends():
    code = np.arange(40) % 4
    assert correlation_ratio(*sums(code, code * 1.0), np.array([0])).item() == pytest.approx(1)
    assert correlation_ratio(*sums(code, np.ones(40)), np.array([0])).item() == 0
    assert correlation_ratio(*sums(code, np.full(40, np.nan)), np.array([0])).item() == 0


def test_pearson_knows_only_complete_pairs():
    rng = stream(3)
    values = rng.normal(size=(200, 3)) @ np.array([[1, 0.5, 0], [0, 1, 0.3], [0, 0, 1]])
    values[rng.random((200, 3)) < 0.2] = np.nan
    known = ~np.isnan(values)
    filled, flags = np.where(known, values, 0), known.astype(float)
    parts = ((flags, flags), (filled, flags), (filled**2, flags), (filled, filled))
    made = pearson(*((a.T @ b)[:, :, None] for a, b in parts))[:, :, 0]
    assert made == pytest.approx(pd.DataFrame(values).corr().to_numpy())


def test_phi_of_flags_that_never_change_is_none():
    both = np.array([[10.0, 0.0], [0.0, 0.0]])[:, :, None]
    assert phi(both, np.array([20.0]))[0, 1, 0] == 0
    assert phi(both, np.array([20.0]))[0, 0, 0] == pytest.approx(1)
