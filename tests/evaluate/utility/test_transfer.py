from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.judge import owed
from semblance.core.rng import stream
from semblance.evaluate.shared.models import MODELS
from semblance.evaluate.utility.transfer import AUGMENTATION, METRICS, REVERSE, augmentation, reverse, transfer
from tests.contracts.samples import cohort, shuffled, table


def judged(train, holdout, synthetic, metric=transfer, **more):
    return {f.metric: f for f in metric(Evidence(train, holdout, synthetic, catalog.modality("table"), **more))}


def test_real_records_lose_nothing_and_shuffled_ones_lose_all():
    train, holdout, fresh = (cohort(500, seed) for seed in range(3))
    found = judged(train, holdout, fresh, floor=shuffled(fresh, stream(0)))
    assert tuple(found) == METRICS == owed(transfer, name="transfer")
    for model in MODELS:
        tstr, gap = found[f"utility.tstr.{model}"], found[f"utility.gap.{model}"]
        assert gap.estimate.low <= 0.02
        assert gap.estimate.value == pytest.approx(tstr.control.value - tstr.estimate.value)
        assert gap.control.low <= 0.02 and gap.control.high >= -0.02
        assert gap.floor.low > 0.1
        assert tstr.floor.high < tstr.estimate.low
        assert gap.estimate.high - gap.estimate.low < tstr.estimate.high - tstr.estimate.low  # paired
        right = tstr.detail["accuracy"]
        assert right["real"]["low"] <= right["synthetic"]["high"] and right["synthetic"]["low"] > 0.5


def test_one_class_in_synthetic_is_chance():
    train, holdout = cohort(300, 0), cohort(300, 1)
    rows = np.flatnonzero(train.frame["died"] == train.frame["died"].iloc[0])
    found = judged(train, holdout, train.take(rows))
    assert found["utility.tstr.boosting"].estimate.value == 0.5
    assert found["utility.gap.linear"].estimate.low > 0.1


def test_a_synthetic_set_without_targets_is_chance():
    train, holdout, fresh = (cohort(300, seed) for seed in range(3))
    frame = fresh.frame.copy()
    frame["died"] = frame["died"].where(np.zeros(300, dtype=bool))
    found = judged(train, holdout, replace(fresh, frame=frame))
    assert {found[f"utility.tstr.{name}"].estimate.value for name in MODELS} == {0.5}
    others = judged(train, holdout, replace(fresh, frame=frame), metric=reverse).values()
    assert {other.status for other in others} == {"insufficient"}


def aged(n, seed):
    whole = cohort(n, seed)
    roles = {"age": "target", "died": "feature"}
    return replace(
        whole, schema=whole.schema.with_columns(replace(c, role=roles.get(c.name, c.role)) for c in whole.schema)
    )


def test_a_number_is_judged_by_r_squared():
    whole = aged(900, 0)
    parts = [whole.take(np.arange(i, 900, 3)) for i in range(3)]
    found = judged(*parts)
    for name in MODELS:
        assert found[f"utility.tstr.{name}"].detail["score"] == "R2"
        assert "accuracy" not in found[f"utility.tstr.{name}"].detail
        assert found[f"utility.tstr.{name}"].control.value > 0.1
        assert found[f"utility.tstr.{name}"].control.high <= 1
    assert judged(*parts, metric=augmentation)[AUGMENTATION].status == "measured"
    assert judged(*parts, metric=reverse)[REVERSE[0]].estimate.low < 0.1


def test_nothing_to_ask_is_owed_and_told():
    plain = table(pd.DataFrame({"x": np.arange(50) / 3, "c": ["a", "b"] * 25}))
    for metric in (transfer, augmentation, reverse):
        found = judged(plain, plain, plain, metric=metric)
        assert tuple(found) == owed(metric, name="")
        assert {f.status for f in found.values()} == {"not_applicable"}
        assert all(f.reason and f.meaning for f in found.values())


def test_real_records_add_and_noise_does_harm():
    train, holdout, fresh = cohort(150, 0), cohort(1000, 1), cohort(150, 2)
    (good,) = judged(train, holdout, fresh, metric=augmentation).values()
    assert good.better == "higher"
    assert good.estimate.high > 0
    assert good.estimate.value == pytest.approx(good.detail["together"] - good.detail["alone"])
    flipped = replace(fresh, frame=fresh.frame.assign(died=fresh.frame["died"].array[::-1]))
    (bad,) = judged(train, holdout, flipped, metric=augmentation).values()
    assert bad.estimate.value < good.estimate.value - 0.02


def plainly(data):
    """Whoever has a high creatinine dies."""
    died = data.frame["died"]
    named = died.cat.categories[(data.frame["creatinine"].fillna(1) > 1).astype(int)]
    return replace(data, frame=data.frame.assign(died=pd.Categorical(named, dtype=died.dtype)))


def test_synthetic_outcomes_that_follow_no_rule_or_too_plain_a_rule_are_told():
    train, holdout, fresh = (cohort(500, seed) for seed in range(3))
    same = judged(train, holdout, fresh, metric=reverse)
    lost = judged(train, holdout, shuffled(fresh, stream(1)), metric=reverse)
    clear = judged(train, holdout, plainly(fresh), metric=reverse)
    assert tuple(same) == REVERSE == owed(reverse, name="reverse")
    for metric in REVERSE:
        assert same[metric].estimate.low <= 0.01 and same[metric].control.low <= 0.02
        assert lost[metric].estimate.low > 0.2 and lost[metric].detail["difference"] < 0
        assert clear[metric].detail["difference"] > lost[metric].detail["difference"]
        assert same[metric].better == "lower"


def test_copies_of_train_are_predicted_better_than_patients():
    train, holdout = cohort(400, 0), cohort(400, 1)
    copied = judged(train, holdout, train, metric=reverse)["utility.trts.boosting"]
    assert copied.estimate.low > 0 and copied.detail["difference"] > 0


def test_the_texts_read_well():
    plain = table(pd.DataFrame({"x": [1.5]}))
    told = [
        f for metric in (transfer, augmentation, reverse) for f in judged(plain, plain, plain, metric=metric).values()
    ]
    assert len({f.title for f in told}) == len(told)
    assert not any(re.search(r"\b(\w+) \1\b", f.meaning) for f in told)
