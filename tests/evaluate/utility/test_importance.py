from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.utility.importance import TOP, growth, importance, importances, spearman
from tests.contracts.samples import cohort, shuffled, table


def evidence(train, holdout, synthetic):
    return Evidence(train, holdout, synthetic, catalog.modality("table"))


def test_spearman_is_scipys():
    rng = stream(0)
    a, b = rng.integers(0, 5, 30).astype(float), rng.normal(size=30)
    assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic)
    assert spearman(a, a**3) == pytest.approx(1)
    assert spearman(np.zeros(4), np.arange(4.0)) == 0


def test_importance_is_sklearns():
    rng = stream(1)
    x = rng.normal(size=(4000, 3))
    y = 2 * x[:, 0] + x[:, 1] + 0.1 * rng.normal(size=4000)
    model = LinearRegression().fit(x, y)
    moved = np.stack([rng.permutation(column) for column in x.T], axis=1)
    ours = growth(lambda test: model.predict(test)[:, None], x, moved, y, None).mean(axis=0)
    theirs = permutation_importance(
        model, x, y, scoring="neg_mean_squared_error", n_repeats=5, random_state=0
    ).importances_mean
    assert ours == pytest.approx(theirs, abs=0.3)
    assert ours == pytest.approx([8, 2, 0], abs=0.5)  # twice the coefficient's square times the variance


def test_only_cells_that_change_are_asked():
    x = np.array([[1.0, np.nan, 0], [1.0, np.nan, 1], [1.0, 5.0, 2]])
    asked = []

    def predict(test):
        asked.append(len(test))
        return test[:, 2:]

    moved = x[[1, 0, 2]]
    grown = growth(predict, x, moved, np.array([0.0, 1, 2]), None)
    assert grown.tolist() == [[0, 0, 1], [0, 0, 1], [0, 0, 0]]
    assert asked == [3, 2]


def test_a_block_left_out_is_the_mean_of_the_rest():
    rng = stream(2)
    grown, block = rng.normal(size=(60, 4)), rng.integers(0, 5, 60)
    made = importances(grown, block)
    assert made[0] == pytest.approx(grown.mean(axis=0))
    assert made[3] == pytest.approx(grown[block != 2].mean(axis=0))


def wide(n, seed, order):
    """An outcome that leans on 6 columns, the more the earlier they stand in `order`."""
    rng = stream(seed, "wide")
    x = rng.normal(size=(n, 6))
    weight = np.zeros(6)
    weight[order] = 4 / 2.0 ** np.arange(6)
    y = rng.random(n) < 1 / (1 + np.exp(-(x @ weight)))
    return table(pd.DataFrame({**{f"x{j}": x[:, j].round(4) for j in range(6)}, "y": y}), target="y")


def test_the_same_rule_agrees_and_another_does_not():
    first, reverse = [0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0]
    train, holdout = wide(1000, 0, first), wide(1000, 1, first)
    (same,) = importance(evidence(train, holdout, wide(1000, 2, first)))
    (other,) = importance(evidence(train, holdout, wide(1000, 2, reverse)))
    assert same.better == "higher"
    assert same.estimate.value > 0.5 and same.control.value > 0.5
    assert other.estimate.value < same.estimate.value - 0.3
    assert same.estimate.low <= same.estimate.value <= same.estimate.high <= 1
    assert same.detail["features"][0]["name"] == "x0"
    assert (same.detail["top"], same.detail["overlap"]) == (min(TOP, 6), 1)
    assert len(same.detail["features"]) == 6
    assert json.dumps(same.to_json(), allow_nan=False)


def test_shuffled_records_agree_less():
    train, holdout, fresh = (cohort(500, seed) for seed in range(3))
    (same,) = importance(evidence(train, holdout, fresh))
    (lost,) = importance(evidence(train, holdout, shuffled(fresh, stream(0))))
    assert lost.estimate.value < same.estimate.value


def test_what_cannot_be_ranked_says_why():
    data = table(pd.DataFrame({"x": np.arange(90.0), "z": np.arange(90) % 7 / 3, "y": ["a", "b"] * 45}), target="y")
    assert [f.status for f in importance(evidence(data, data, data))] == ["not_applicable"]
    rng = stream(4)
    blank = {name: np.ones(90) for name in "abcd"}
    constant = table(pd.DataFrame({**blank, "y": rng.choice(["p", "q"], 90)}), target="y")
    assert [f.status for f in importance(evidence(constant, constant, constant))] == ["insufficient"]
    one = data.take(np.arange(3))
    assert [f.status for f in importance(evidence(one, one, one))] != ["error"]
