from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.utility.censored import kaplan_meier
from semblance.evaluate.utility.survival import METRICS, survival
from tests.contracts.samples import SAMPLES, WEIRD, shuffled, table

CONCORDANCE, BRIER, CURVE, HAZARDS, AREA, STRATA, MEAN, CENSORING, BIAS, EXPLAINED = METRICS


def frame(n, seed):
    rng = stream(seed, "cohort")
    age, stage = rng.normal(65, 10, n), rng.choice(["I", "II", "III"], n, p=[0.5, 0.3, 0.2])
    life = rng.exponential(1_000 * np.exp(-0.07 * (age - 65) - 0.8 * (stage == "III")))
    end = rng.uniform(200, 2_500, n)
    days = np.minimum(life, end).round()
    return pd.DataFrame({"age": age, "stage": stage, "noise": rng.normal(size=n), "days": days, "dead": life <= end})


def cohort(n, seed, **columns):
    declared = {"columns": {"days": {"role": "time"}, **columns}}
    return table(frame(n, seed), target="dead", declared=declared)


def judged(train, holdout, synthetic, **more):
    return {f.metric: f for f in survival(Evidence(train, holdout, synthetic, catalog.modality("table"), **more))}


@pytest.fixture(scope="module")
def real():
    return tuple(cohort(600, seed) for seed in range(3))


def test_real_records_lose_nothing_and_shuffled_ones_all(real):
    train, holdout, fresh = real
    found = judged(train, holdout, fresh, floor=shuffled(fresh, stream(0)))
    assert set(found) == set(METRICS)
    for metric in (CONCORDANCE, BRIER):
        assert found[metric].estimate.low <= 0.01
        assert abs(found[metric].control.value) < 0.03
        assert found[metric].floor.low > 0.01
    reached = found[CONCORDANCE].detail["concordance"]
    assert reached["real"] - reached["synthetic"] == pytest.approx(found[CONCORDANCE].estimate.value, abs=2e-4)
    assert found[CURVE].estimate.low <= found[CURVE].control.high
    assert found[HAZARDS].estimate.high >= found[HAZARDS].control.low
    assert found[HAZARDS].floor.value < found[HAZARDS].estimate.value
    assert found[HAZARDS].detail["terms"][0]["name"] == "age"


def test_a_copy_loses_nothing_at_all(real):
    train, holdout, _ = real
    found = judged(train, holdout, train)
    assert found[CONCORDANCE].estimate.value == pytest.approx(0, abs=1e-12)
    assert found[BRIER].estimate.value == pytest.approx(0, abs=1e-12)
    assert found[HAZARDS].estimate.value == pytest.approx(1)


def test_real_records_are_as_far_as_real_records_are(real):
    found = judged(*real)
    for metric in (AREA, STRATA, MEAN, CENSORING, BIAS, EXPLAINED):
        assert found[metric].estimate.low <= found[metric].control.high, metric
    assert found[AREA].estimate.value <= found[CURVE].estimate.value
    assert found[MEAN].estimate.value <= found[AREA].estimate.value + 1e-12
    assert [row["name"] for row in found[STRATA].detail["strata"]] == ["low risk", "middle risk", "high risk"]


def test_the_arms_of_a_treatment_are_the_strata():
    parts = [cohort(600, seed, stage={"role": "treatment"}) for seed in range(3)]
    found = judged(*parts)[STRATA]
    assert [row["name"] for row in found.detail["strata"]] == ["stage = I", "stage = II", "stage = III"]
    swapped = parts[2].frame["stage"].cat.rename_categories({"I": "III", "III": "I"})
    frame = parts[2].frame.assign(stage=swapped.cat.reorder_categories(["I", "II", "III"]))
    spoilt = judged(*parts[:2], replace(parts[2], frame=frame))
    assert spoilt[STRATA].estimate.value > found.estimate.value + 0.05
    assert spoilt[CURVE].estimate.value == pytest.approx(judged(*parts)[CURVE].estimate.value)


def test_a_pessimist_is_no_better_than_an_optimist(real):
    """A signed difference of areas that is minimised would choose the records that die first."""
    train, holdout, fresh = real
    sooner = replace(fresh, frame=fresh.frame.assign(days=(fresh.frame["days"] / 4).round()))
    good, bad = judged(*real), judged(train, holdout, sooner)
    for metric in (AREA, MEAN):
        assert bad[metric].estimate.low > good[metric].control.high


def test_times_that_are_predicted_and_not_drawn_explain_too_much(real):
    """A time without what chance adds to it: hazard ratios and their test grow, though the curve stays near."""
    train, holdout, fresh = real
    life = 700 * np.exp(-0.07 * (fresh.frame["age"] - 65) - 0.8 * (fresh.frame["stage"] == "III").astype(float))
    end = stream(1, "end").uniform(200, 2_500, len(fresh))
    dead = pd.Categorical((life <= end).map({True: "True", False: "False"}), fresh.frame["dead"].cat.categories)
    predicted = replace(fresh, frame=fresh.frame.assign(days=np.minimum(life, end).round(), dead=dead))
    found = judged(train, holdout, predicted)[EXPLAINED]
    assert found.estimate.low > max(found.control.high, np.log(1.5))
    assert found.detail["ratio"]["estimate"]["value"] > 2.7
    assert judged(train, holdout, predicted)[BIAS].estimate.low > judged(*real)[BIAS].control.high


def test_another_follow_up_is_seen_though_lives_are_the_same(real):
    train, holdout, _ = real
    rng = stream(9, "short")
    made = frame(600, 2)
    short = rng.uniform(100, 800, 600)
    made = made.assign(days=np.minimum(made["days"], short.round()), dead=made["dead"] & (made["days"] <= short))
    other = table(made, target="dead", declared={"columns": {"days": {"role": "time"}}})
    found = judged(train, holdout, other)[CENSORING]
    assert found.estimate.low > found.control.high + 0.1


def test_longer_lives_part_the_curves(real):
    train, holdout, fresh = real
    longer = replace(fresh, frame=fresh.frame.assign(days=fresh.frame["days"] * 2))
    found = judged(train, holdout, longer)
    assert found[CURVE].estimate.low > found[CURVE].control.high
    assert found[BRIER].estimate.low > 0
    assert abs(found[CONCORDANCE].estimate.value) < 0.02  # who dies first is still told


def test_the_distance_is_that_of_the_curves(real):
    _, holdout, fresh = real
    found = judged(fresh, holdout, fresh)[CURVE]
    frames = [data.frame for data in (fresh, holdout)]
    sides = [(f["days"].to_numpy(), f["dead"].astype(str).eq("True").to_numpy(float)) for f in frames]
    until = found.detail["curves"]["times"][-1]
    times = np.unique(np.concatenate([time for time, _ in sides]))
    times = times[times <= until]
    curves = [kaplan_meier(*side).at(times) for side in sides]
    assert found.estimate.value == pytest.approx(np.abs(curves[0] - curves[1]).max())


def test_curves_end_while_eleven_are_followed_and_name_no_patients_time(real):
    train, holdout, fresh = real
    curves = judged(train, holdout, fresh)[CURVE].detail["curves"]
    assert min((d.frame["days"] >= curves["times"][-1]).sum() for d in (train, holdout)) >= 11
    assert curves["real"][0] == curves["synthetic"][0] == 1
    assert (np.diff(curves["real"]) <= 0).all()
    assert curves["times"][-1] == float(f"{curves['times'][-1]:.2g}")


def test_a_drawn_step_is_no_handful_of_patients(real):
    train, holdout, fresh = real
    curves = judged(train, holdout, fresh.take(np.arange(80)))[CURVE].detail["curves"]
    steps = -np.diff(curves["real"]) * 80 / 11
    assert steps == pytest.approx(steps.round(), abs=0.01)
    assert steps.sum() >= 1
    days = np.sort(holdout.frame["days"])
    assert len(curves["times"]) == len(curves["real"]) > 10
    assert curves["times"][-1] <= days[-11]


def test_early_deaths_after_which_nobody_is_left_are_seen(real):
    train, holdout, fresh = real
    gone = replace(fresh, frame=fresh.frame.assign(days=fresh.frame["days"] / 50))
    assert judged(train, holdout, gone)[CURVE].estimate.low > 0.3


def test_the_event_may_be_declared_beside_another_target():
    columns = {"days": {"role": "time"}, "dead": {"role": "event"}}
    made = [table(frame(400, k), target="noise", declared={"columns": columns}) for k in range(3)]
    found = judged(*made)
    assert {f.status for f in found.values()} == {"measured"}
    assert not {"noise", "dead = True", "days"} & {t["name"] for t in found[HAZARDS].detail["terms"]}


def test_missing_and_negative_times_are_no_harm(real):
    train, holdout, fresh = real
    days = fresh.frame["days"].to_numpy(float, copy=True)
    days[::7], days[1::50] = np.nan, -5
    found = judged(train, holdout, replace(fresh, frame=fresh.frame.assign(days=days)))
    assert {f.status for f in found.values()} == {"measured"}


def test_nobody_dies_in_synthetic(real):
    train, holdout, fresh = real
    alive = fresh.take(np.flatnonzero(fresh.frame["dead"].astype(str) == "False"))
    found = judged(train, holdout, alive)
    assert found[CONCORDANCE].detail["concordance"]["synthetic"] == 0.5
    assert found[HAZARDS].estimate.value == 0
    assert found[CURVE].estimate.low > 0.2


def test_what_cannot_be_asked_says_why(real):
    train, holdout, fresh = real
    plain = table(frame(300, 0), target="dead")
    assert {f.status for f in judged(plain, plain, plain).values()} == {"not_applicable"}
    three = table(frame(300, 0), target="stage", declared={"columns": {"days": {"role": "time"}}})
    assert {f.status for f in judged(three, three, three).values()} == {"not_applicable"}
    few = train.take(np.arange(10))
    for parts in ((few, holdout, fresh), (train, few, fresh), (train, holdout, few)):
        assert {f.status for f in judged(*parts).values()} == {"insufficient"}


@pytest.mark.parametrize("weird", WEIRD)
def test_weird_data_does_no_harm(weird):
    data = WEIRD[weird]()
    columns, roles = data.schema.columns, iter(["time", "event"])
    schema = data.schema.with_columns(replace(c, role=next(roles, "feature")) for c in columns if c.role != "subject")
    data = replace(data, schema=schema)
    for other in (data, data.take(np.zeros(3, dtype=int)), data.take(np.arange(0))):
        found = judged(data, data, other)
        assert json.dumps([f.to_json() for f in found.values()], allow_nan=False)
        assert set(found) == set(METRICS)


@pytest.mark.parametrize("spoil", ["shuffled", "shifted"])
def test_corruptions_are_seen(real, spoil):
    train, holdout, fresh = real
    spoilt = SAMPLES["table"].corruptions[spoil](fresh, stream(0))
    good, bad = judged(train, holdout, fresh), judged(train, holdout, spoilt)
    worse = {m: bad[m].estimate.value - good[m].estimate.value for m in METRICS}
    assert max(*(worse[m] for m in METRICS[:3]), -worse[HAZARDS]) > 0.02


def test_a_handful_of_patients_said_again_and_again_is_no_sample(real):
    train, holdout, fresh = real
    spoilt = SAMPLES["table"].corruptions["collapsed"](fresh, stream(0))
    assert {f.status for f in judged(train, holdout, spoilt).values()} == {"insufficient"}
