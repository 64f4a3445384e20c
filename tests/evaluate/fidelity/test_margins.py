"""Single features and pairs of them, on tables: there the same two findings have an implementation of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.fidelity.margins import margins
from tests.contracts.samples import manifest, table

LEARNED = ("x", "y", "kind")


def frame(n: int, seed: int, *, tied: bool = True, moved: float = 0.0) -> pd.DataFrame:
    """Two numbers that go together, if they are tied, and a category that goes with the first."""
    rng = stream(seed, "margins")
    x = rng.normal(size=n)
    y = 0.9 * (x if tied else rng.permutation(x)) + 0.4 * rng.normal(size=n)
    return pd.DataFrame(
        {
            "pid": [f"P{i}" for i in range(n)],
            "x": np.where(rng.random(n) < 0.1, np.nan, x + moved).round(4),
            "y": y.round(4),
            "kind": np.where(x > 0.3, "high", "low"),
        }
    )


def judged(synthetic: pd.DataFrame, *, n: int = 1500) -> tuple:
    parts = [table(one, subject="pid") for one in (frame(n, 0), frame(n, 1), synthetic)]
    return margins(Evidence(*parts, manifest("table"), seed=0, tier="fast"))


def test_what_is_alike_lies_at_the_control() -> None:
    for found in judged(frame(1500, 2)):
        assert found.estimate.value == pytest.approx(found.control.value, abs=0.02)
        assert found.estimate.low <= found.control.value <= found.estimate.high + 0.02


def test_a_moved_feature_is_seen_and_is_as_far_as_kolmogorov_says() -> None:
    synthetic = frame(1500, 2, moved=1.0)
    shape, _ = judged(synthetic)
    row = next(one for one in shape.detail["worst"] if one["name"] == "x")
    known = [one["x"].fillna(np.inf) for one in (synthetic, frame(1500, 1))]
    assert row["value"] == pytest.approx(ks_2samp(*known).statistic, abs=1e-9)
    assert shape.estimate.low > shape.control.high


def test_features_that_no_longer_go_together_are_seen_by_pairs_alone() -> None:
    shape, pairs = judged(frame(1500, 2, tied=False))
    assert shape.estimate.value < shape.control.value + 0.03
    assert pairs.estimate.low > pairs.control.high
    assert {pairs.detail["worst"][0][side] for side in "ab"} == {"x", "y"}


def test_the_interval_covers_what_further_samples_show() -> None:
    found = [judged(frame(600, seed, moved=0.3), n=600)[0].estimate for seed in range(2, 14)]
    values = np.array([one.value for one in found])
    assert np.mean([one.low <= values.mean() <= one.high for one in found]) >= 0.75


def test_few_patients_are_insufficient_and_one_feature_has_no_pairs() -> None:
    assert {one.status for one in judged(frame(20, 2), n=20)} == {"insufficient"}
    parts = [table(frame(100, i)[["pid", "x"]], subject="pid") for i in range(3)]
    _, pairs = margins(Evidence(*parts, manifest("table"), seed=0, tier="fast"))
    assert pairs.status == "not_applicable"


def test_a_category_that_train_lacks_counts() -> None:
    synthetic = frame(1500, 2)
    synthetic["kind"] = synthetic["kind"].replace("high", "unheard of")
    row = next(one for one in judged(synthetic)[0].detail["worst"] if one["name"] == "kind")
    assert row["value"] == pytest.approx((frame(1500, 1)["kind"] == "high").mean(), abs=0.03)


def test_the_same_seed_says_the_same() -> None:
    one, two = (judged(frame(300, 2), n=300) for _ in range(2))
    assert [found.estimate for found in one] == [found.estimate for found in two]
    assert replace(one[0]) == two[0]
