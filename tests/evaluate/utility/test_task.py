from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.shared.models import MODELS
from semblance.evaluate.utility import task as shared
from semblance.evaluate.utility.task import (
    Lesson,
    NoTask,
    Task,
    half,
    holdout_rows,
    learned,
    lesson,
    predictions,
    real,
    rows_of,
    size,
    task,
)
from tests.contracts.samples import WEIRD, cohort, table


def evidence(train, holdout, synthetic, **more):
    return Evidence(train, holdout, synthetic, catalog.modality("table"), **more)


def aimed(data, target):
    roles = {"target": "feature"}
    columns = (replace(c, role="target" if c.name == target else roles.get(c.role, c.role)) for c in data.schema)
    return replace(data, schema=data.schema.with_columns(columns))


def test_the_task_tells_classes_from_numbers():
    parts = [cohort(300, seed) for seed in range(3)]
    found = task(evidence(*parts))
    assert isinstance(found, Task)
    assert (found.name, found.score, len(found.classes)) == ("died", "AUC", 2)
    assert task(evidence(*(aimed(p, "age") for p in parts))).score == "R2"
    three = [table(pd.DataFrame({"x": np.arange(90.0) / 7, "y": np.arange(90) % 3}), target="y")] * 3
    assert task(evidence(*three)).classes.tolist() == [0, 1, 2]


def test_rare_classes_and_all_beyond_the_most_frequent_are_not_told_apart():
    rng = stream(0)
    code = np.concatenate([np.repeat(np.arange(14), 30), np.repeat(14, 5)])
    frame = pd.DataFrame({"x": rng.normal(size=len(code)), "y": [f"c{c:02}" for c in code]})
    data = table(frame, target="y", declared={"columns": {"y": {"kind": "categorical"}}})
    found = task(evidence(data, data, data))
    assert len(found.classes) == shared.CLASSES
    rows, made = predictions(evidence(data, data, data), "forest", "train")
    assert made.shape == (len(rows), shared.CLASSES)
    assert (made.sum(axis=1) < 1 + 1e-9).all()


def test_what_cannot_be_asked_says_why():
    plain = table(pd.DataFrame({"x": np.arange(50) / 3, "c": ["a", "b"] * 25}))
    assert task(evidence(plain, plain, plain)).status == "not_applicable"
    alone = table(pd.DataFrame({"x": np.arange(50) / 3}), target="x")
    assert task(evidence(alone, alone, alone)).status == "not_applicable"
    train, holdout = cohort(200, 0), cohort(100, 1)
    same = holdout.take(np.flatnonzero(holdout.frame["died"] == holdout.frame["died"].iloc[0]))
    few, one = holdout.take(np.arange(5)), train.take(np.arange(1))
    for parts in ((train, same, train), (train, few, train), (train, holdout, one)):
        assert task(evidence(*parts)).status == "insufficient"
    with pytest.raises(ValueError, match="nothing to predict"):
        predictions(evidence(plain, plain, plain), "linear", "train")


def test_records_without_a_target_teach_nothing_and_are_not_tested():
    parts = [cohort(300, seed) for seed in range(3)]
    gaps = parts[1].frame.copy()
    gaps.loc[:49, "died"] = None
    found = evidence(parts[0], replace(parts[1], frame=gaps), parts[2])
    assert len(holdout_rows(found)) == 250
    assert holdout_rows(found).min() == 50


def test_the_halves_share_no_patient_and_are_as_large():
    data = WEIRD["repeated visits"]()
    found = evidence(data, cohort(50, 1), data)
    m = half(found, "boosting")
    first, second = rows_of(found, "train", m), rows_of(found, "second", m)
    assert m == size(found, "boosting") // 2
    split = set(data.subjects[first]) & set(data.subjects[second])
    assert not split
    assert abs(len(first) - len(second)) <= 5


def test_a_large_train_gives_the_control_the_same_model():
    found = evidence(cohort(500, 0), cohort(100, 1), cohort(200, 2))
    assert real(found, "forest")[0] == lesson(found, "forest", "train") == Lesson("forest", 200, ("train",))


@pytest.mark.parametrize("name", MODELS)
def test_predictions_are_out_of_sample_and_fitted_once(name, monkeypatch):
    found = evidence(cohort(300, 0), cohort(200, 1), cohort(300, 2))
    rows, made = predictions(found, name, "synthetic")
    assert made.shape == (len(rows), 2)
    assert made.sum(axis=1) == pytest.approx(1)
    monkeypatch.setattr(shared, "beside", lambda fits: [] if not fits else pytest.fail("fitted again"))
    again = predictions(found, name, "synthetic")
    assert again[1] is made


def test_two_samples_teach_together():
    found = evidence(cohort(300, 0), cohort(100, 1), cohort(300, 2))
    alone, both = learned(found, [Lesson("linear", 300, ("train",)), Lesson("linear", 300, ("train", "synthetic"))])
    assert (alone.made != both.made).any()
    assert np.abs(alone.made - both.made).mean() < 0.1


def test_tiers_cap_the_records():
    found = evidence(cohort(5000, 0), cohort(4000, 1), cohort(5000, 2), tier="fast")
    assert size(found, "boosting") == shared.RECORDS["fast"]
    assert len(holdout_rows(found)) == shared.TESTED["fast"]
    assert half(found, "boosting") == 2500
    assert isinstance(task(found), Task)
    assert not isinstance(task(found), NoTask)
