from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.utility.inference import METRICS, inference
from tests.contracts.samples import SAMPLES, WEIRD, cohort, shuffled, table

OVERLAP, SIGN, SIGNIFICANCE = METRICS


def judged(train, holdout, synthetic, **more):
    return {f.metric: f for f in inference(Evidence(train, holdout, synthetic, catalog.modality("table"), **more))}


def numeric(n, seed):
    rng = stream(seed)
    x, group = rng.normal(size=n), rng.choice(["a", "b", "c"], n)
    noise = rng.normal(size=(n, 4))
    named = {f"noise {k}": noise[:, k] for k in range(4)}
    return table(pd.DataFrame({"x": x, "group": group, **named, "y": x + (group == "b") + noise[:, 3]}), target="y")


def test_real_records_agree_and_shuffled_ones_do_not():
    train, holdout, fresh = (cohort(800, seed) for seed in range(3))
    found = judged(train, holdout, fresh, floor=shuffled(fresh, stream(0)))
    assert set(found) == set(METRICS)
    overlap = found[OVERLAP]
    assert overlap.estimate.low <= overlap.control.high
    assert overlap.control.low <= overlap.estimate.high
    assert overlap.floor.high < overlap.estimate.value
    assert found[SIGN].estimate.value == 1
    assert found[SIGNIFICANCE].estimate.value > found[SIGNIFICANCE].floor.value
    assert overlap.detail["model"] == "logistic"
    assert overlap.detail["outcome"] == "died = True"
    assert {"age", "creatinine"} <= {term["name"] for term in overlap.detail["terms"]}


def test_a_copy_overlaps_fully():
    train, holdout = cohort(500, 0), cohort(500, 1)
    found = judged(train, holdout, train)
    assert {f.estimate.value for f in found.values()} == {1.0}


def test_reversed_effects_are_told():
    train, holdout, fresh = (numeric(600, seed) for seed in range(3))
    frame = fresh.frame.assign(y=-fresh.frame["y"])
    found = judged(train, holdout, replace(fresh, frame=frame))
    assert found[OVERLAP].detail["model"] == "linear"
    assert found[SIGN].estimate.high < 1
    assert found[OVERLAP].estimate.high < found[OVERLAP].control.low


def test_a_small_synthetic_set_is_no_better_for_its_wide_intervals():
    train, holdout, fresh = numeric(1_000, 0), numeric(1_000, 1), numeric(1_000, 2)
    lost = shuffled(fresh, stream(0))
    full, small = (judged(train, holdout, lost.take(np.arange(n)))[OVERLAP].detail["terms"][0] for n in (1_000, 250))
    lengths = [term["synthetic"][2] - term["synthetic"][1] for term in (full, small)]
    assert lengths[1] == pytest.approx(lengths[0], rel=0.25)


def test_copies_are_combined():
    train, holdout, *made = (cohort(500, seed) for seed in range(6))
    one, many = judged(train, holdout, made[0]), judged(train, holdout, made[0], copies=tuple(made[1:]))
    assert many[OVERLAP].detail["rule"].startswith("Raab")
    assert (one[OVERLAP].detail["copies"], many[OVERLAP].detail["copies"]) == (1, 4)
    assert many[OVERLAP].estimate.value != one[OVERLAP].estimate.value


def test_a_synthetic_target_of_one_value_agrees_in_nothing():
    train, holdout = cohort(500, 0), cohort(500, 1)
    rows = np.flatnonzero(train.frame["died"] == train.frame["died"].iloc[0])
    found = judged(train, holdout, train.take(rows))
    assert (found[OVERLAP].estimate.value, found[SIGN].estimate.value) == (0, 0)


def test_patients_who_repeat_are_the_units():
    data = WEIRD["repeated visits"]()
    made = judged(data, data, data)[OVERLAP]
    assert made.estimate.n == 120
    assert made.detail["records"] == len(data)


def test_three_classes_are_the_most_frequent_against_the_rest():
    frame = numeric(600, 0).frame.drop(columns="y")
    data = table(frame, target="group")
    made = judged(data, data, data)[OVERLAP]
    assert made.detail["outcome"].startswith("group = not ")


def test_the_treatment_stands_first():
    frame = numeric(600, 0).frame.assign(arm=stream(0).choice(["new", "old"], 600))
    data = table(frame, target="y", declared={"columns": {"arm": {"role": "treatment"}}})
    made = judged(data, data, data)[OVERLAP]
    assert made.detail["terms"][0]["name"].startswith("arm = ")


def test_what_cannot_be_asked_says_why():
    plain = table(pd.DataFrame({"x": np.arange(50) / 3, "c": ["a", "b"] * 25}))
    assert {f.status for f in judged(plain, plain, plain).values()} == {"not_applicable"}
    train, holdout = cohort(200, 0), cohort(100, 1)
    assert {f.status for f in judged(train, holdout.take(np.arange(5)), train).values()} == {"insufficient"}
    died = train.take(np.flatnonzero(train.frame["died"] == train.frame["died"].iloc[0]))
    assert {f.status for f in judged(died, holdout, train).values()} == {"insufficient"}
    noise = table(pd.DataFrame({"x": stream(0).normal(size=90), "y": stream(1).normal(size=90)}), target="y")
    assert judged(noise, noise, noise)[SIGN].status == "insufficient"
    assert judged(noise, noise, noise)[OVERLAP].status == "measured"


@pytest.mark.parametrize("weird", WEIRD)
def test_weird_data_does_no_harm(weird):
    data = WEIRD[weird]()
    schema = data.schema
    if schema.where("target") is None:
        last = schema.columns[-1].name
        schema = schema.with_columns(replace(c, role="target" if c.name == last else c.role) for c in schema)
    data = replace(data, schema=schema)
    for other in (data, data.take(np.zeros(3, dtype=int)), data.take(np.arange(0))):
        found = judged(data, data, other)
        assert json.dumps([f.to_json() for f in found.values()], allow_nan=False)
        assert set(found) == set(METRICS)


@pytest.mark.parametrize("spoil", SAMPLES["table"].corruptions)
def test_every_corruption_is_seen(spoil):
    train, holdout, fresh = (cohort(800, seed) for seed in range(3))
    spoilt = SAMPLES["table"].corruptions[spoil](fresh, stream(0))
    good, bad = judged(train, holdout, fresh), judged(train, holdout, spoilt)
    assert any(bad[m].estimate.value < good[m].estimate.value - 0.02 for m in METRICS)
