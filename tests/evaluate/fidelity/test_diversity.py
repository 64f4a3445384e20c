from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.fidelity.diversity import diversity, entropy, modes
from tests.contracts.samples import cohort, collapsed, table


def evidence(*parts, **more):
    return Evidence(*parts, catalog.modality("table"), **more)


def cloud(points: np.ndarray):
    return table(pd.DataFrame(points, columns=[f"c{i}" for i in range(points.shape[1])]))


def islands(n: int, seed: int, share: float = 0.5):
    """Two groups of patients far apart."""
    rng = stream(seed, "islands")
    centre = np.where(rng.random(n) < share, 5.0, -5.0)
    return cloud(rng.normal(size=(n, 2)) + np.stack([centre, centre], axis=1))


def test_the_effective_number_counts_distinct_points():
    assert math.exp(entropy(np.zeros((40, 2)), 1).value) == pytest.approx(1)
    assert math.exp(entropy(np.arange(40)[:, None] * 100.0, 1).value) == pytest.approx(40)
    assert math.exp(entropy(np.repeat(np.arange(8), 5)[:, None] * 100.0, 1).value) == pytest.approx(8)


def test_the_influence_is_that_of_a_little_more_of_a_record():
    points, small = stream(0).normal(size=(30, 2)), 1e-5
    found = entropy(points, 1.0)
    kernel = np.exp(-((points[:, None] - points) ** 2).sum(axis=2) / 2)
    for i in (0, 7):
        weight = (1 - small) / 30 + small * (np.arange(30) == i)
        size = np.linalg.eigvalsh(np.sqrt(np.outer(weight, weight)) * kernel)
        size = size[size > 1e-14]
        assert (-(size * np.log(size)).sum() - found.value) / small == pytest.approx(found.influence[i], abs=0.02)
    assert found.influence.mean() == pytest.approx(0)


def test_fresh_records_are_as_diverse_and_a_handful_is_not():
    train, holdout, fresh = (cohort(400, seed) for seed in range(3))
    good = diversity(evidence(train, holdout, fresh))[0]
    assert good.estimate.low < 1 < good.estimate.high
    assert good.control.low < 1 < good.control.high
    few = diversity(evidence(train, holdout, collapsed(fresh, stream(0))))[0]
    assert few.estimate.high < 0.3


def test_a_dropped_group_is_missed():
    train, holdout = islands(1500, 0), islands(1500, 1)
    kept = modes(evidence(train, holdout, islands(1500, 2)))[0]
    assert kept.estimate.value > 0.9
    assert kept.control.value > 0.9
    lost = modes(evidence(train, holdout, islands(1500, 2, share=0.0)))[0]
    assert lost.estimate.value == pytest.approx(0.5, abs=0.15)
    assert lost.estimate.high < kept.control.low
    thin = modes(evidence(train, holdout, islands(1500, 2, share=0.15)))[0]
    assert thin.estimate.high < kept.control.low


def test_a_patient_of_many_visits_is_no_mode():
    """One patient with a third of all records: to miss this patient is no loss of a group."""
    frame = pd.DataFrame({"x": stream(0).normal(size=400), "pid": [f"p{i}" for i in range(400)]})
    many = pd.DataFrame({"x": np.full(200, 40.0), "pid": ["many"] * 200})
    train = table(pd.concat([frame, many], ignore_index=True), subject="pid")
    fresh = [cloud(stream(s).normal(size=(600, 1))) for s in (1, 2)]
    found = modes(evidence(train, *[table(p.frame.rename(columns={"c0": "x"})) for p in fresh]))[0]
    assert found.estimate.value > 0.8


@pytest.mark.parametrize("metric", [modes, diversity])
def test_few_patients_are_insufficient(metric):
    assert metric(evidence(cohort(100, 0), cohort(20, 1), cohort(100, 2)))[0].status == "insufficient"
