from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp, rankdata, wasserstein_distance

from semblance.core.rng import stream
from semblance.modalities.table.metrics.line import FAR, MOST, line
from semblance.modalities.table.metrics.samples import samples
from tests.modalities.table.metrics.drawn import framed


def one(*columns: np.ndarray):
    """Evidence and line of one column of numbers."""
    found = framed(*(pd.DataFrame({"x": values}) for values in columns))
    return found, line(found, found.train.schema["x"])


@pytest.mark.parametrize("digits", [1, 9])
def test_distances_are_scipys_however_many_points(digits):
    rng = stream(0)
    train, real, made = (rng.normal(m, s, 1500).round(digits) for m, s in ((0, 1), (0.1, 1), (0.4, 2)))
    _, found = one(train, real, made)
    assert (len(found.cuts) < len(found.scaled)) == (digits == 9)
    assert len(found.cuts) <= MOST + 1
    scale = np.quantile(train, 0.95) - np.quantile(train, 0.05)
    assert found.kolmogorov("synthetic", "holdout")[0] == pytest.approx(ks_2samp(made, real).statistic)
    expected = wasserstein_distance(made, real) / scale
    assert found.wasserstein("synthetic", "holdout")[0] == pytest.approx(expected)


def test_without_a_block_they_are_scipys_too_and_nearly_so_on_a_coarse_line():
    rng = stream(1)
    parts = [rng.lognormal(m, 1, 3000).round(9) for m in (0, 0, 0.2)]
    evidence, found = one(*parts)
    made, real = (samples(evidence)[part] for part in ("synthetic", "holdout"))
    scale = np.quantile(parts[0], 0.95) - np.quantile(parts[0], 0.05)
    for k in range(3):
        a, b = (s.table.frame["x"].to_numpy()[s.block != k] for s in (made, real))
        assert found.kolmogorov("synthetic", "holdout")[1 + k] == pytest.approx(ks_2samp(a, b).statistic, abs=2e-3)
        a, b = (np.minimum(v, np.median(parts[0]) + FAR * scale) for v in (a, b))
        expected = wasserstein_distance(a, b) / scale
        assert found.wasserstein("synthetic", "holdout")[1 + k] == pytest.approx(expected, abs=2e-3)


def test_absurd_values_count_as_far_and_no_farther():
    values = np.linspace(0, 1, 100).round(3)
    wild = np.array([np.inf, 1e308, *values[2:]])
    _, found = one(values, values, wild)
    assert np.abs(found.scaled).max() == FAR
    assert found.wasserstein("synthetic", "holdout")[0] == pytest.approx(2 * FAR / 100, rel=0.1)


def test_constant_and_empty_columns():
    _, same = one(np.full(30, 1.5), np.full(30, 1.5), np.full(30, 1.5))
    assert same.wasserstein("synthetic", "holdout").tolist() == [0] * 21
    _, gone = one(np.linspace(0, 1, 30), np.linspace(0, 1, 30), np.full(30, np.nan))
    assert gone.wasserstein("synthetic", "holdout")[0] == 1
    assert gone.kolmogorov("synthetic", "holdout")[0] == 1


def test_ranks_are_mid_ranks_of_the_part():
    rng = stream(2)
    values = rng.integers(0, 9, 50).astype(float)
    evidence, found = one(values + 0.5, values, values * 3)
    own = samples(evidence)["synthetic"].table.frame["x"].to_numpy()
    assert found.ranks("synthetic") == pytest.approx(rankdata(own) / len(own))
