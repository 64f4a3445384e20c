from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.utility.causal import METRIC, aipw, causal
from tests.contracts.samples import SAMPLES, WEIRD, table

BASELINE = ["age", "wtkg", "hemo", "homo", "drugs", "karnof", "oprior", "z30", "preanti", "race", "gender", "str2"]
BASELINE += ["symptom", "cd40", "cd80"]  # what was known before the arms were drawn


def confounded(n, seed, effect=1.0):
    """The older are treated more and fare worse: the plain difference of the arms hides the effect."""
    rng = stream(seed, "trial")
    age, sex = rng.normal(size=n), rng.choice(["F", "M"], n)
    arm = rng.random(n) < 1 / (1 + np.exp(-1.2 * age))
    y = effect * arm - 1.5 * age + 0.5 * (sex == "M") + rng.normal(size=n)
    return pd.DataFrame({"age": age, "sex": sex, "arm": np.where(arm, "treated", "control"), "y": y})


def trial(data, target="y", treatment="arm"):
    return table(data, target=target, declared={"columns": {treatment: {"role": "treatment"}}})


def judged(train, holdout, synthetic, **more):
    (found,) = causal(Evidence(train, holdout, synthetic, catalog.modality("table"), **more))
    return found


def test_the_known_effect_is_found_where_the_difference_of_means_is_wrong():
    made = [trial(confounded(2_000, seed)) for seed in range(3)]
    found = judged(*made)
    frame = made[0].frame
    scale = frame["y"].std(ddof=0)
    treated = frame["arm"].astype(str) == "treated"
    plain = (frame["y"][treated].mean() - frame["y"][~treated].mean()) / scale
    _, low, high = found.detail["effects"]["train"]
    assert low <= 1 / scale <= high
    assert abs(plain - 1 / scale) > 5 * (high - low)
    assert found.detail["treated"] == "arm = treated"
    assert found.estimate.low == 0


def test_intervals_of_the_effect_cover_it():
    hits, runs = 0, 150
    for seed in range(runs):
        data = confounded(300, 1_000 + seed)
        x = np.column_stack([data["age"], data["sex"] == "M"]).astype(float)
        arm, y = (data["arm"] == "treated").to_numpy(float), data["y"].to_numpy()
        score = aipw(x, arm, y, np.arange(300) % 5, two=False)
        hits += abs(score.mean() - 1) <= 1.96 * score.std() / np.sqrt(300)
    assert 0.89 <= hits / runs <= 0.99


def test_an_effect_that_was_lost_is_told():
    train, holdout = (trial(confounded(1_500, seed)) for seed in range(2))
    same, lost = trial(confounded(1_500, 2)), trial(confounded(1_500, 3, effect=0.0))
    good, bad = judged(train, holdout, same), judged(train, holdout, lost, floor=lost)
    assert good.estimate.value < 0.15
    assert bad.estimate.low > good.estimate.high
    assert bad.floor == bad.estimate
    assert good.control == bad.control


def test_two_classes_give_a_risk_difference():
    frames = [confounded(1_500, seed) for seed in range(3)]
    made = [trial(f.assign(y=np.where(f["y"] > 0, "dead", "alive"))) for f in frames]
    found = judged(*made)
    assert found.detail["scale"] == "risk difference"
    assert found.detail["outcome"] == "y = dead"
    assert 0.1 < found.detail["effects"]["train"][0] < 0.4


@pytest.mark.parametrize(("target", "treatment"), [("cd420", "treat"), ("cens", "treat"), ("cd420", "arms")])
def test_in_a_randomised_trial_it_is_the_difference_of_means(shared_data, target, treatment):
    path = shared_data / "tables" / "actg175" / "actg175.csv"
    if not path.is_file():
        pytest.skip("ACTG 175 is not in the data folder")
    frame = pd.read_csv(path)
    data = trial(frame[[*BASELINE, treatment, target]], target, treatment)
    found = judged(data, data, data)
    treated = frame[treatment] == 1 if treatment == "treat" else frame[treatment] != frame[treatment].mode()[0]
    scale = frame[target].std(ddof=0) if target == "cd420" else 1.0
    sides = [frame[target][treated == side] / scale for side in (True, False)]
    plain, error = sides[0].mean() - sides[1].mean(), np.hypot(*(s.std() / np.sqrt(len(s)) for s in sides))
    value, low, high = found.detail["effects"]["train"]
    assert abs(value - plain) < error
    assert high - low <= 2 * 1.96 * error * 1.02  # covariates make it no less precise
    assert found.estimate.value == 0


def test_what_cannot_be_asked_says_why():
    frame = confounded(400, 0)
    plain = table(frame, target="y")
    assert judged(plain, plain, plain).status == "not_applicable"
    dose = trial(frame.assign(arm=frame["age"]))
    assert judged(dose, dose, dose).status == "not_applicable"
    data = trial(frame)
    one = data.take(np.flatnonzero(data.frame["arm"].astype(str) == "treated"))
    assert judged(one, data, data).status == "not_applicable"
    for parts in ((data, one, data), (data, data, one), (data, data, data.take(np.arange(5)))):
        assert judged(*parts).status == "insufficient"


@pytest.mark.parametrize("weird", WEIRD)
def test_weird_data_does_no_harm(weird):
    data = WEIRD[weird]()
    columns, roles = data.schema.columns, iter(["treatment", "target"])
    schema = data.schema.with_columns(replace(c, role=next(roles, "feature")) for c in columns if c.role != "subject")
    data = replace(data, schema=schema)
    for other in (data, data.take(np.zeros(3, dtype=int)), data.take(np.arange(0))):
        found = judged(data, data, other)
        assert found.metric == METRIC
        assert json.dumps(found.to_json(), allow_nan=False)


def test_relations_lost_are_seen():
    train, holdout, fresh = (trial(confounded(1_500, seed)) for seed in range(3))
    spoilt = SAMPLES["table"].corruptions["shuffled"](fresh, stream(0))
    assert judged(train, holdout, spoilt).estimate.low > judged(train, holdout, fresh).estimate.value
