from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.estimate import auc, linearized
from semblance.core.rng import stream
from semblance.evaluate.shared.utility import METRICS, macro_auc, r_squared, transfer
from tests.contracts.samples import cohort, shuffled, table


def judged(train, holdout, synthetic, **more):
    return {f.metric: f for f in transfer(Evidence(train, holdout, synthetic, catalog.modality("table"), **more))}


def test_macro_auc_is_sklearns():
    rng = stream(0)
    truth, made = rng.integers(0, 3, 200).astype(float), rng.dirichlet(np.ones(3), 200)
    score = macro_auc(truth, made, np.arange(3.0))
    assert score.value == pytest.approx(roc_auc_score(truth, made, multi_class="ovr", average="macro"))
    assert score.influence.mean() == pytest.approx(0)


def test_two_classes_give_delongs_interval():
    rng = stream(0)
    truth = rng.integers(0, 2, 300).astype(float)
    made = rng.random(300) + 0.3 * truth
    score = macro_auc(truth, np.stack([-made, made], axis=1), np.arange(2.0))
    ours, delong = linearized(score.value, score.influence), auc(made[truth == 1], made[truth == 0])
    assert (ours.value, ours.low, ours.high) == pytest.approx((delong.value, delong.low, delong.high), abs=3e-4)


def test_r_squared_is_sklearns_and_its_interval_covers():
    rng, hits = stream(0), 0
    for _ in range(200):
        truth = rng.normal(size=300)
        made = truth + rng.normal(size=300) * 0.7
        score = r_squared(truth, made)
        estimate = linearized(score.value, score.influence)
        hits += estimate.low <= 1 - 0.49 <= estimate.high
    assert score.value == pytest.approx(r2_score(truth, made))
    assert 0.89 <= hits / 200 <= 0.99


def test_real_records_lose_nothing_and_shuffled_ones_lose_all():
    train, holdout, fresh = (cohort(500, seed) for seed in range(3))
    found = judged(train, holdout, fresh, floor=shuffled(fresh, stream(0)))
    assert set(found) == set(METRICS)
    for model in ("boosting", "linear"):
        tstr, gap = found[f"utility.tstr.{model}"], found[f"utility.gap.{model}"]
        assert gap.estimate.low <= 0.02
        assert gap.estimate.value == pytest.approx(tstr.control.value - tstr.estimate.value)
        assert gap.floor.low > 0.1
        assert tstr.floor.high < tstr.estimate.low
        assert gap.estimate.high - gap.estimate.low < tstr.estimate.high - tstr.estimate.low  # paired


def test_one_class_in_synthetic_is_chance():
    train, holdout = cohort(300, 0), cohort(300, 1)
    rows = np.flatnonzero(train.frame["died"] == train.frame["died"].iloc[0])
    found = judged(train, holdout, train.take(rows))
    assert found["utility.tstr.boosting"].estimate.value == 0.5
    assert found["utility.gap.linear"].estimate.low > 0.1


def test_a_number_is_judged_by_r_squared():
    whole = cohort(600, 0)
    schema = whole.schema.with_columns(
        replace(c, role={"age": "target", "died": "feature"}.get(c.name, c.role)) for c in whole.schema
    )
    whole = replace(whole, schema=schema)
    found = judged(*(whole.take(np.arange(i, 600, 3)) for i in range(3)))
    assert found["utility.tstr.linear"].detail["score"] == "R2"
    assert found["utility.tstr.linear"].control.value > 0.1


def test_what_cannot_be_asked_says_why():
    plain = table(pd.DataFrame({"x": np.arange(50) / 3, "c": ["a", "b"] * 25}))
    assert {f.status for f in judged(plain, plain, plain).values()} == {"not_applicable"}
    train, holdout = cohort(200, 0), cohort(100, 1)
    same = holdout.take(np.flatnonzero(holdout.frame["died"] == holdout.frame["died"].iloc[0]))
    assert {f.status for f in judged(train, same, train).values()} == {"insufficient"}
    assert {f.status for f in judged(train, holdout.take(np.arange(5)), train).values()} == {"insufficient"}
