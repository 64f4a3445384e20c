from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.disclosure.authenticity import METRICS, authenticity
from tests.contracts.samples import cohort, table


def evidence(train, holdout, synthetic, **more):
    return Evidence(train, holdout, synthetic, catalog.modality("table"), **more)


def judged(*parts, **more):
    return {f.metric: f for f in authenticity(evidence(*parts, **more))}


def cloud(points: np.ndarray):
    return table(pd.DataFrame(np.asarray(points, dtype=float), columns=[f"c{i}" for i in range(points.shape[1])]))


def test_authenticity_is_its_definition():
    rng = stream(0)
    given = evidence(*(cloud(rng.normal(size=(n, 2)).round(3)) for n in (200, 120, 90)), tier="audit")
    found = {f.metric: f for f in authenticity(given)}["privacy.authenticity"]
    train = given.embedding("train").astype(float)
    own = np.where(np.eye(len(train), dtype=bool), np.inf, cdist(train, train)).min(axis=1)
    for number, part in ((found.estimate, "synthetic"), (found.control, "holdout")):
        far = cdist(given.embedding(part).astype(float), train)[: len(given.synthetic)]
        if part == "holdout":
            continue  # a sample of it: checked by its size below
        assert number.value == pytest.approx((far.min(axis=1) > own[far.argmin(axis=1)]).mean())
    assert found.detail["queries"] == 90
    assert 0.3 < found.control.value < 0.7


def test_the_train_record_is_looked_up_by_its_own_row():
    """synthcity takes the train radius at the synthetic row's number. Here the first half of train is crowded and the
    second is not; all synthetic records stand at the crowded half, farther off than the crowd's own neighbours."""
    crowd = np.stack([np.arange(100) * 0.1, np.zeros(100)], axis=1)
    alone = np.stack([np.arange(100) * 50.0, np.full(100, 1e4)], axis=1)
    made = crowd + np.array([0.0, 1.0])
    found = judged(cloud(np.concatenate([alone, crowd])), cloud(crowd + np.array([0.0, 1.5])), cloud(made))
    assert found["privacy.authenticity"].estimate.value == 1  # with the rows of `alone`, it would be 0


def test_copies_are_found_although_only_a_few_are_asked():
    train, holdout = cohort(2000, 0), cohort(500, 1)
    copied = judged(train, holdout, train.take(np.arange(500, 1500)), tier="fast")
    assert copied["privacy.authenticity"].estimate.high < copied["privacy.authenticity"].control.low - 0.2
    assert copied["privacy.authenticity"].detail["records"] == 2000
    assert copied["privacy.distance"].estimate.low > 0.5


def test_fresh_records_reach_the_control():
    found = judged(cohort(800, 0), cohort(400, 1), cohort(400, 2))
    assert set(found) == set(METRICS)
    one, other = found["privacy.authenticity"], found["privacy.distance"]
    assert abs(one.estimate.value - one.control.value) < 0.15
    assert other.estimate.low <= 0.5 <= other.estimate.high
    assert other.control.low <= 0.5 <= other.control.high
    assert all("diagnostic" in f.title for f in found.values())


def test_the_distance_ratio_of_copies_is_lower_in_train():
    train, holdout = cloud(stream(0).normal(size=(400, 3))), cloud(stream(1).normal(size=(400, 3)))
    near = cloud(stream(0).normal(size=(400, 3)) + 0.01)
    fresh = cloud(stream(2).normal(size=(400, 3)))
    copied, safe = (judged(train, holdout, made)["privacy.distance"].detail["nndr"] for made in (near, fresh))
    assert copied["train"] < copied["holdout"] - 0.05
    assert safe["train"] == pytest.approx(safe["holdout"], abs=0.1)


def test_equally_far_counts_half():
    """SDMetrics gives every tie to the holdout, so records that are in both look protected."""
    same = cloud(np.tile(np.arange(10), 20)[:, None])
    found = judged(same, same, same)["privacy.distance"]
    assert found.estimate.value == 0.5


def test_the_interval_covers_the_luck_of_the_real_records():
    """Many synthetic records and few real ones: the queries alone would give an interval ten times too narrow."""
    hits = []
    for seed in range(20):
        rng = stream(seed, "few")
        parts = [cloud(rng.normal(size=(n, 2))) for n in (80, 40, 2000)]
        found = judged(*parts, seed=seed)["privacy.distance"]
        hits.append(found.estimate.low <= 0.5 <= found.estimate.high)
    assert np.mean(hits) >= 0.84


def test_the_control_never_meets_its_own_patient():
    frame = pd.DataFrame(
        {"x": np.repeat(stream(0).normal(size=100), 5), "pid": np.repeat([f"p{i}" for i in range(100)], 5)}
    )
    train = table(frame, subject="pid")
    rng = stream(1)
    holdout = table(
        pd.DataFrame({"x": np.repeat(rng.normal(size=60), 5), "pid": np.repeat([f"h{i}" for i in range(60)], 5)}),
        subject="pid",
    )
    found = judged(train, holdout, replace(holdout, subjects=np.arange(300)))
    assert found["privacy.distance"].control.value == pytest.approx(0.5, abs=0.2)


def test_files_that_were_read_apart_number_their_patients_alike():
    train, holdout, fresh = (cohort(n, seed) for n, seed in ((80, 0), (40, 1), (400, 2)))
    apart = replace(holdout, subjects=holdout.subjects + 1000)
    assert judged(train, holdout, fresh) == judged(train, apart, fresh)


def test_few_patients_are_insufficient():
    assert {f.status for f in judged(cohort(100, 0), cohort(20, 1), cohort(100, 2)).values()} == {"insufficient"}
